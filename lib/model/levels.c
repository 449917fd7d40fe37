/* Noise levels of a diffusion: how much of a row and of noise there is at each, and the graphs of
 * the velocity there. */
#include "model/model.h"
#include "base/size.h"

#include <math.h>

#define MOST_LEVELS 1000000

/* ---- Angles ---------------------------------------------------------------------------------- */

double gm__map_one(gm_context *ctx, gm__map1 which, double x)
{
    double y;
    ctx->kernels->maps->map1[GM__F64][which](&y, &x, 1);
    return y;
}

/* signal = cos, sigma = sin of an angle between 0 and pi/2. */
static gm_status fill(gm_context *ctx, gm__structure *s)
{
    for (int64_t k = 0; k <= s->levels; k++) {
        if (k % 4096 == 0)
            GM_TRY(gm__check_cancel(ctx));
        double squared = k ? s->mixing[k] : 1;
        if (!(squared > 0 && squared <= 1) || (k && !(squared < 1)))
            return gm__fail(ctx, GM_E_RANGE,
                            "%s: the squared signal of level %lld is %g, it must lie between 0 and "
                            "1",
                            s->family->name, (long long)k, squared);
        s->angle[k] = gm__map_one(ctx, GM__ATAN, sqrt(1 - squared) / sqrt(squared));
        if (k && !(s->angle[k] > s->angle[k - 1]))
            return gm__fail(ctx, GM_E_RANGE,
                            "%s: the squared signal is %g at level %lld, it must be less than at "
                            "level %lld",
                            s->family->name, squared, (long long)k, (long long)(k - 1));
    }
    for (int64_t k = s->levels; k >= 0; k--) {
        s->mixing[2 * k] = gm__map_one(ctx, GM__COS, s->angle[k]);
        s->mixing[2 * k + 1] = gm__map_one(ctx, GM__SIN, s->angle[k]);
    }
    return GM_OK;
}

static gm_status ask(gm_context *ctx, gm__structure *s, gm_builder *b)
{
    const gm_diffusion *d = s->family->diffusion;
    int64_t levels = d->levels(b);
    GM_TRY(gm__builder_check(ctx, b));
    if (levels < 1 || levels > MOST_LEVELS)
        return gm__fail(ctx, GM_E_RANGE, "%s: %lld noise levels; there must be 1 to %d",
                        s->family->name, (long long)levels, MOST_LEVELS);
    s->angle = gm__alloc_array(&s->allocator, 3 * (levels + 1), sizeof *s->angle);
    if (!s->angle)
        return gm__no_memory(ctx);
    s->levels = levels;
    s->mixing = s->angle + levels + 1;
    d->schedule(b, levels, s->mixing + 1);
    GM_TRY(gm__builder_check(ctx, b));
    return fill(ctx, s);
}

gm_status gm__levels_create(gm_context *ctx, gm__structure *s)
{
    gm_builder *b;
    gm__purpose how = {0};
    if (!s->family->diffusion)
        return GM_OK;
    GM_TRY(gm__structure_builder(ctx, s, &how, &b));
    gm_status code = ask(ctx, s, b);
    gm__builder_free(b);
    return code;
}

void gm__levels_clear(gm__structure *s)
{
    gm__free(&s->allocator, s->angle,
             s->angle ? 3 * (size_t)(s->levels + 1) * sizeof *s->angle : 0);
    s->angle = s->mixing = NULL;
    s->levels = 0;
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

static gm_node *column(gm_builder *b, const char *name)
{
    int64_t shape[2] = {GM_BATCH, 1};
    return gm_broadcast(b, gm_input(b, name, GM_REAL_NODE, 0, NULL), 2, shape);
}

int gm__noised_build(gm_builder *b, const gm__structure *s, gm__task task, gm_node *out[2])
{
    int64_t shape[2] = {GM_BATCH, s->width};
    gm_node *reals, *pulled;
    if (task == GM__ROW_DRAW || task == GM__ROW_MIDDLE) {
        out[0] = gm__front(b, s, task == GM__ROW_DRAW ? GM__FRONT_DRAW : GM__FRONT_MIDDLE, &out[1],
                           &reals);
        return out[1] ? 2 : 1;
    }
    gm_noised at = {sizeof at, gm_input(b, "noised", GM_REAL_NODE, 2, shape), column(b, "level"),
                    column(b, "signal"), column(b, "sigma")};
    out[0] = s->family->diffusion->velocity(b, &at);
    if (task == GM__VELOCITY)
        return 1;
    gm_node *probe = gm_input(b, "probe", GM_REAL_NODE, 2, shape);
    gm_gradient(b, gm_mul(b, out[0], probe), 1, &at.x, &pulled);
    out[1] = gm_sum_last_wide(b, gm_mul(b, pulled, probe));
    return 2;
}
