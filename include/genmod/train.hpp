/* genmod/train.hpp: optimizers, trainers, fits, and fits that choose. Part of genmod/genmod.hpp. */
#ifndef GENMOD_TRAIN_HPP
#define GENMOD_TRAIN_HPP

#include "genmod/model.hpp"

namespace genmod {

/* ---- Training -------------------------------------------------------------------------------- */

class optimizer : public handle<gm_optimizer, gm_optimizer_free> {
public:
    optimizer() = default; /* none: adam */
    optimizer(context &ctx, const char *name, const options &how = {})
    {
        ctx.check(gm_optimizer_create(ctx.get(), name, how.get(), &p_));
    }
    const char *name() const { return gm_optimizer_name(p_); }
    /* One update of n parameters of your own by their gradients; float or double. */
    template <class T>
    void step(context &ctx, std::int64_t n, T *param, const T *grad, double rate = 1)
    {
        static_assert(std::is_floating_point<T>::value, "parameters are float or double");
        ctx.check(gm_optimizer_step(ctx.get(), p_, dtype_of<T>::value, n, param, grad, rate));
    }
};

/* Told now and then how a fit stands; false stops it. */
using progress_function = std::function<bool(const gm_progress &)>;

namespace detail {
/* A progress function, through C. */
struct relay : carrier {
    const progress_function *tell = nullptr;
    static std::int32_t call(void *user, const gm_progress *p)
    {
        relay *r = static_cast<relay *>(user);
        return r->run(std::int32_t(1), [&] { return (*r->tell)(*p) ? 0 : 1; });
    }
};
} // namespace detail

/* What to fit beside the training rows; every member may stay empty. */
struct fit_extras {
    const dataset *valid = nullptr;
    const optimizer *rule = nullptr;
    progress_function progress;
    const model *init = nullptr; /* to go on from */
};

namespace detail {
/* The C form of what a fit is given; what carries the progress function must outlive the fit. */
inline gm_fit_config config(const dataset &rows, const options &how, const fit_extras &extras,
                            const progress_function *tell, relay *through)
{
    gm_fit_config c = {};
    c.struct_size = sizeof c;
    c.train = rows.get();
    c.valid = extras.valid ? extras.valid->get() : nullptr;
    c.options = how.get();
    c.optimizer = extras.rule ? extras.rule->get() : nullptr;
    c.init = extras.init ? extras.init->get() : nullptr;
    through->tell = tell;
    if (*tell) {
        c.progress = relay::call;
        c.progress_user = through;
    }
    return c;
}
} // namespace detail

class trainer : public handle<gm_trainer, gm_trainer_free> {
public:
    trainer(context &ctx, const char *family, const dataset &rows, const options &how,
            const fit_extras &extras = {})
        : tell_(new progress_function(extras.progress)), relay_(new detail::relay())
    {
        gm_fit_config c = detail::config(rows, how, extras, tell_.get(), relay_.get());
        ctx.check(gm_trainer_create(ctx.get(), family, &c, &p_));
    }
    static trainer resume(context &ctx, const char *family, const dataset &rows, const options &how,
                          const char *checkpoint, const fit_extras &extras = {})
    {
        trainer t(extras);
        gm_fit_config c = detail::config(rows, how, extras, t.tell_.get(), t.relay_.get());
        ctx.check(gm_trainer_resume(ctx.get(), family, &c, checkpoint, &t.p_));
        return t;
    }
    static trainer resume(context &ctx, const char *family, const dataset &rows, const options &how,
                          const byte_source &checkpoint, const fit_extras &extras = {},
                          const char *name = nullptr)
    {
        trainer t(extras);
        detail::reader r(checkpoint);
        gm_fit_config c = detail::config(rows, how, extras, t.tell_.get(), t.relay_.get());
        r.check(ctx, gm_trainer_resume_read(ctx.get(), family, &c, &r.hook, name, &t.p_));
        return t;
    }

    /* n more steps; 0: to the end. */
    void step(context &ctx, std::int64_t n = 0)
    {
        relay_->check(ctx, gm_trainer_step(ctx.get(), p_, n));
    }
    gm_progress progress(context &ctx) const
    {
        gm_progress at = {};
        at.struct_size = sizeof at;
        ctx.check(gm_trainer_progress(ctx.get(), p_, &at));
        return at;
    }
    double evaluate(context &ctx, const dataset &rows, double *error = nullptr)
    {
        double mean = std::numeric_limits<double>::quiet_NaN();
        ctx.check(gm_trainer_evaluate(ctx.get(), p_, rows.get(), &mean, error));
        return mean;
    }
    model get_model(context &ctx)
    {
        gm_model *m = nullptr;
        ctx.check(gm_trainer_model(ctx.get(), p_, &m));
        return model(m);
    }
    void checkpoint(context &ctx, const char *path) const
    {
        ctx.check(gm_trainer_checkpoint(ctx.get(), p_, path));
    }
    void checkpoint(context &ctx, const byte_sink &to) const
    {
        detail::writer w(to);
        w.check(ctx, gm_trainer_checkpoint_write(ctx.get(), p_, &w.hook));
    }

private:
    explicit trainer(const fit_extras &extras)
        : tell_(new progress_function(extras.progress)), relay_(new detail::relay())
    {
    }
    /* At addresses of their own: the library keeps a pointer, the trainer may move. */
    std::unique_ptr<progress_function> tell_;
    std::unique_ptr<detail::relay> relay_;
};

/* Fits a family to rows, from the first step to the model. */
inline model fit(context &ctx, const char *family, const dataset &rows, const options &how,
                 const fit_extras &extras = {})
{
    detail::relay through;
    gm_fit_config c = detail::config(rows, how, extras, &extras.progress, &through);
    gm_model *m = nullptr;
    through.check(ctx, gm_fit_with(ctx.get(), family, &c, &m));
    return model(m);
}

/* ---- The best of a ladder of families -------------------------------------------------------- */

/* What was tried; texts of its rows belong to it. */
class auto_report : public handle<gm_auto_report, gm_auto_report_free> {
public:
    using handle::handle;

    std::int64_t count() const { return gm_auto_report_count(p_); }
    gm_auto_row row(context &ctx, std::int64_t i) const
    {
        gm_auto_row r = {};
        r.struct_size = sizeof r;
        ctx.check(gm_auto_report_row(ctx.get(), p_, i, &r));
        return r;
    }
};
struct auto_fitted {
    model best;
    auto_report report;
};

/* Called with each model that was tried, and with how each fit stands; false stops all. */
using tried_function = std::function<bool(const gm_auto_row &)>;

/* They are judged by a part of the rows, or by the rows of valid. */
inline auto_fitted fit_auto(context &ctx, const dataset &rows, const options &how,
                            const tried_function &tried = {},
                            const progress_function &progress = {},
                            const dataset *valid = nullptr)
{
    struct relay : detail::carrier {
        const tried_function *tried;
        const progress_function *progress;
        static std::int32_t hear_tried(void *user, const gm_auto_row *row)
        {
            relay *r = static_cast<relay *>(user);
            return r->run(std::int32_t(1), [&] { return (*r->tried)(*row) ? 0 : 1; });
        }
        static std::int32_t hear_progress(void *user, const gm_progress *p)
        {
            relay *r = static_cast<relay *>(user);
            return r->run(std::int32_t(1), [&] { return (*r->progress)(*p) ? 0 : 1; });
        }
    } through;
    through.tried = &tried;
    through.progress = &progress;
    gm_auto_config c = {};
    c.struct_size = sizeof c;
    c.rows = rows.get();
    c.options = how.get();
    c.tried = tried ? relay::hear_tried : nullptr;
    c.progress = progress ? relay::hear_progress : nullptr;
    c.user = &through;
    c.valid = valid ? valid->get() : nullptr;
    gm_auto_report *report = nullptr;
    gm_model *best = nullptr;
    through.check(ctx, gm_fit_auto(ctx.get(), &c, &report, &best));
    return {model(best), auto_report(report)};
}

} // namespace genmod
#endif
