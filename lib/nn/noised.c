/* Rows on their way to noise, as a diffusion's loss draws them, and the numbers of noise levels as
 * columns that a network can read. */
#include "nn/nn.h"

/* ---- Sines and cosines ----------------------------------------------------------------------- */

gm_node *gm_nn_sinusoidal(gm_builder *b, gm_node *x, int64_t width, double period)
{
    int64_t half = width / 2 + width % 2;
    if (!x || width < 2 || !(period > 1)) {
        gm_builder_fail(b, GM_E_RANGE, "sinusoidal: 2 columns at least, and a period above 1");
        return NULL;
    }
    double *rate = gm__builder_scratch(b, half, sizeof *rate), log_period;
    if (!rate)
        return NULL;
    const gm__maps *maps = gm__kernels_find("auto")->maps; /* once: asking the processor is slow */
    maps->map1[GM__F64][GM__LOG](&log_period, &period, 1);
    for (int64_t i = 0; i < half; i++)
        rate[i] = -log_period * (double)i / (double)half;
    maps->map1[GM__F64][GM__EXP](rate, rate, half);
    gm_node *phase = gm_mul(b, x, gm_const_array(b, 1, &half, rate));
    gm_node *waves[2] = {gm_sin(b, phase), gm_cos(b, gm_slice(b, phase, -1, 0, width / 2))};
    return gm_concat(b, 2, waves, -1);
}

/* ---- Noise ----------------------------------------------------------------------------------- */

/* x = signal row + sigma noise (Ho et al. 2020, eq. 4), the level drawn row by row. */
void gm_noised_draw(gm_builder *b, gm_node *x, gm_noised *at, gm_node **noise)
{
    const gm__purpose *p = b ? gm__builder_purpose(b) : NULL;
    int64_t batch = GM_BATCH, column[2] = {GM_BATCH, 1}, table[2] = {p ? p->levels : 0, 2};
    *noise = NULL;
    if (at->struct_size < sizeof *at) {
        gm_builder_fail(b, GM_E_ARG, "noised_draw: struct_size is not sizeof(gm_noised)");
        return;
    }
    *at = (gm_noised){.struct_size = sizeof *at};
    if (!p || gm_builder_failed(b))
        return;
    if (!p->mixing) {
        gm_builder_fail(b, GM_E_STATE, "noised_draw: the family has no table of diffusion");
        return;
    }
    gm_node *index = gm_index(b, gm_scale(b, gm_uniform(b, 1, &batch), (double)p->levels));
    gm_node *mixing = gm_gather(b, gm_const_array(b, 2, table, p->mixing + 2), index);
    at->level = gm_reshape(b, gm_shift(b, gm_narrow(b, index), 1), 2, column);
    at->signal = gm_slice(b, mixing, -1, 0, 1);
    at->sigma = gm_slice(b, mixing, -1, 1, 1);
    *noise = gm_normal_like(b, x);
    at->x = gm_add(b, gm_mul(b, at->signal, x), gm_mul(b, at->sigma, *noise));
}
