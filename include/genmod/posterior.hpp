/* genmod/posterior.hpp: draws from densities known up to a factor. Part of genmod/genmod.hpp. */
#ifndef GENMOD_POSTERIOR_HPP
#define GENMOD_POSTERIOR_HPP

#include "genmod/model.hpp"

namespace genmod {

/* ---- Targets --------------------------------------------------------------------------------- */

/* The log density at x, up to a constant, and its gradient into grad (null: not wanted). What is
 * not finite says that there is no density at x. */
using log_density = std::function<double(const double *x, double *grad)>;

/* A fitted density as such a function: any thread may call it, within callbacks too. */
class density_function : public handle<gm_density, gm_density_free> {
public:
    density_function() = default;
    density_function(context &ctx, const model &m, const options &how = {},
                     const gm_array *cond = nullptr)
    {
        ctx.check(gm_density_create(ctx.get(), m.get(), cond, how.get(), &p_));
    }
    std::int64_t dim() const { return gm_density_dim(p_); }
    /* Throws as every call; without exceptions a failure is NaN. */
    double operator()(const double *x, double *grad = nullptr) const
    {
        double logp = 0;
        gm_status code = gm_density_log_prob(p_, x, &logp, grad);
        if (code == GM_OK)
            return logp;
#ifndef GENMOD_NO_EXCEPTIONS
        throw error(code, gm_status_text(code));
#else
        return std::numeric_limits<double>::quiet_NaN();
#endif
    }
    /* As long as this lives. */
    gm_target target() const { return {sizeof(gm_target), p_, dim(), gm_density_log_prob}; }
};

/* ---- NUTS ------------------------------------------------------------------------------------ */

/* What a run gives: draws (chains, draws, dim), their log densities (chains, draws), and for each
 * chain its step size and the diagonal of its metric. */
struct nuts_run {
    std::int64_t chains = 0, draws = 0, dim = 0;
    std::vector<double> values, logp, step_size;
    matrix<double> metric;
    gm_nuts_result told = {}; /* divergences, depth_hits, gradients, accept */

    const double *at(std::int64_t chain, std::int64_t draw) const
    {
        return values.data() + (chain * draws + draw) * dim;
    }
    /* All draws as rows (chains * draws, dim), in place. */
    operator gm_array() const { return view(values.data(), chains * draws, dim); }
};

/* start (chains, dim): where the chains begin; none: at random. */
inline nuts_run nuts(context &ctx, const gm_target &target, std::int64_t chains, std::int64_t draws,
                     const options &how, const std::vector<double> &start = {})
{
    nuts_run run;
    run.chains = chains;
    run.draws = draws;
    run.dim = target.dim;
    matrix<double> rows(chains, draws); /* of a size that is not positive: empty, and refused */
    run.logp = std::move(rows.values);
    run.values = matrix<double>(std::int64_t(run.logp.size()), target.dim).values;
    run.step_size.resize(chains > 0 ? std::size_t(chains) : 0);
    run.metric = matrix<double>(chains, target.dim);
    run.told.struct_size = sizeof run.told;
    run.told.draws = run.values.data();
    run.told.logp = run.logp.data();
    run.told.step_size = run.step_size.data();
    run.told.metric = run.metric.values.data();
    if (!start.empty() && start.size() != run.metric.values.size())
        ctx.fail(GM_E_SHAPE, "nuts: start has " + std::to_string(start.size()) +
                                 " numbers, must have one for each coordinate of each chain");
    else
        ctx.check(gm_nuts(ctx.get(), &target, start.empty() ? nullptr : start.data(), how.get(),
                          chains, draws, &run.told));
    run.told.draws = run.told.logp = run.told.step_size = run.told.metric = nullptr;
    return run;
}
/* From a function of dim coordinates. With the option "parallel" several threads call it. */
inline nuts_run nuts(context &ctx, std::int64_t dim, const log_density &density,
                     std::int64_t chains, std::int64_t draws, const options &how,
                     const std::vector<double> &start = {})
{
    struct relay : detail::carrier {
        const log_density *density;
        static gm_status call(void *user, const double *x, double *logp, double *grad)
        {
            relay *r = static_cast<relay *>(user);
            return r->run(gm_status(GM_E_ARG), [&] {
                *logp = (*r->density)(x, grad);
                return gm_status(GM_OK);
            });
        }
    } through;
    through.density = &density;
    gm_target target = {sizeof target, &through, dim, relay::call};
#ifndef GENMOD_NO_EXCEPTIONS
    try {
        return nuts(ctx, target, chains, draws, how, start);
    } catch (...) {
        through.check(ctx, GM_OK); /* what the density threw comes before what the call says */
        throw;
    }
#else
    return nuts(ctx, target, chains, draws, how, start);
#endif
}

/* ---- Chains ---------------------------------------------------------------------------------- */

/* Mean, quantiles, R-hat and effective numbers of draws of coordinate j. */
inline gm_chains_summary summarise(context &ctx, const nuts_run &run, std::int64_t j)
{
    gm_chains_summary told = {};
    told.struct_size = sizeof told;
    ctx.check(gm_chains_summarise(ctx.get(), run.values.data(), run.chains, run.draws, run.dim, j,
                                  &told));
    return told;
}

} // namespace genmod
#endif
