/* genmod/train.hpp: optimizers, trainers and fits. Part of genmod/genmod.hpp. */
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
};

/* Told now and then how a fit stands; false stops it. */
using progress_function = std::function<bool(const gm_progress &)>;

namespace detail {
/* Carries the caller's function through C, and what it threw back out. */
struct relay {
    const progress_function *tell;
#ifndef GENMOD_NO_EXCEPTIONS
    std::exception_ptr thrown;
#endif
    static std::int32_t call(void *user, const gm_progress *p)
    {
        relay *r = static_cast<relay *>(user);
#ifndef GENMOD_NO_EXCEPTIONS
        try {
            return (*r->tell)(*p) ? 0 : 1;
        } catch (...) {
            r->thrown = std::current_exception();
            return 1;
        }
#else
        return (*r->tell)(*p) ? 0 : 1;
#endif
    }
    bool check(context &ctx, gm_status code)
    {
#ifndef GENMOD_NO_EXCEPTIONS
        if (thrown)
            std::rethrow_exception(std::exchange(thrown, nullptr));
#endif
        return ctx.check(code);
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
                            const progress_function *tell, relay *carrier)
{
    gm_fit_config c = {};
    c.struct_size = sizeof c;
    c.train = rows.get();
    c.valid = extras.valid ? extras.valid->get() : nullptr;
    c.options = how.get();
    c.optimizer = extras.rule ? extras.rule->get() : nullptr;
    c.init = extras.init ? extras.init->get() : nullptr;
    carrier->tell = tell;
    if (*tell) {
        c.progress = relay::call;
        c.progress_user = carrier;
    }
    return c;
}
} // namespace detail

class trainer : public handle<gm_trainer, gm_trainer_free> {
public:
    trainer(context &ctx, const char *family, const dataset &rows, const options &how,
            const fit_extras &extras = {})
        : tell_(new progress_function(extras.progress)), relay_(new detail::relay{})
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

private:
    explicit trainer(const fit_extras &extras)
        : tell_(new progress_function(extras.progress)), relay_(new detail::relay{})
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
    detail::relay carrier{};
    gm_fit_config c = detail::config(rows, how, extras, &extras.progress, &carrier);
    gm_model *m = nullptr;
    carrier.check(ctx, gm_fit_with(ctx.get(), family, &c, &m));
    return model(m);
}

} // namespace genmod
#endif
