/* Denoising diffusion: noise is added to data by a fixed schedule, and a network learns to take it
 * away (Ho et al. 2020).
 *
 *     x_t = signal_t x + sigma_t noise,   signal^2 = alpha-bar, sigma^2 = 1 - alpha-bar   (eq. 4)
 *
 * A network reads x_t and t; what it is to predict with the least squared error is one of
 *
 *     eps     the noise                                         (Ho et al. 2020, eq. 14)
 *     x0      the row
 *     v       signal noise - sigma row                          (Salimans and Ho 2022, section 4)
 *
 * and the velocity v follows. Samplers, codes and densities come of v: the library
 * walks (genmod/extend.h).
 *
 * Categories and binary columns enter as real ones by the argmax surjection (Hoogeboom et al.
 * 2021), whose noise stays standard normal, as it starts: the loss is no bound on log p that could
 * teach it.
 *
 * Shapes: x (batch, d); level, signal, sigma (batch, 1). */
#include "generation/diffusion.h"
#include "kernels/kernels.h"
#include "nn/nn.h"

#include <math.h>

static const gm_option_row options[] = {
    {"levels", GM_STAGE_BUILD, GM_INT, "1000", "1..10000", 1,
     "noise levels (timesteps) between data and noise"},
    {"noise_schedule", GM_STAGE_BUILD, GM_CHOICE, "cosine", "linear|cosine", 1,
     "of the levels: linear in beta (Ho et al. 2020), or cosine (Nichol and Dhariwal 2021)"},
    {"target", GM_STAGE_BUILD, GM_CHOICE, "v", "eps|x0|v", 1,
     "what is to be predicted with the least squared error: the noise, the row, or the velocity "
     "between them"},
    {"hidden", GM_STAGE_BUILD, GM_INTS, "256,256,256", "1..65536", 1,
     "widths of the network's hidden layers"},
    {"activation", GM_STAGE_BUILD, GM_CHOICE, "silu", GM__ACTIVATIONS, 1, "of the hidden layers"},
    {"embedding", GM_STAGE_BUILD, GM_INT, "64", "2..4096", 1,
     "columns of sines and cosines that tell the network the level"},
    {0},
};

enum { EPS, X0, V };
enum { LINEAR, COSINE };

/* ---- Schedule -------------------------------------------------------------------------------- */

static int64_t levels(gm_builder *b)
{
    return gm_opt_int(b, "levels");
}

/* Nichol and Dhariwal 2021, eq. 17: f(t) = cos^2 of (t + s) / (1 + s) pi/2, and 1 - beta of a level
 * is f there over f at the level before, a thousandth at least. */
static void cosine(int64_t count, double *squared_signal)
{
    const double s = 0.008, half_pi = 1.57079632679489661923, most = 0.999;
    gm__map1_fn *cosines = gm__kernels_find("auto")->maps->map1[GM__F64][GM__COS];
    double product = 1, start = s / (1 + s) * half_pi, before, *f = squared_signal;
    for (int64_t i = 0; i < count; i++)
        f[i] = ((double)(i + 1) / (double)count + s) / (1 + s) * half_pi;
    cosines(&start, &start, 1);
    cosines(f, f, count);
    before = start * start;
    for (int64_t i = 0; i < count; i++) {
        double here = f[i] * f[i], beta = 1 - here / before;
        product *= 1 - (beta < most ? beta : most);
        before = here;
        squared_signal[i] = product;
    }
}

/* beta from 1e-4 to 0.02 over 1,000 levels (Ho et al. 2020, section 4); of another number of levels
 * those lie on the same way from data to noise: the logarithm of the squared signal is interpolated
 * between the 1,000. */
static void linear(int64_t count, double *squared_signal)
{
    enum { OF = 1000 };
    const gm__maps *maps = gm__kernels_find("auto")->maps;
    double product = 1, kept = 1 - 1e-4, part;
    for (int64_t i = 0, done = 0; i < count; i++) {
        int64_t at = (i + 1) * OF;
        while (done < at / count) {
            product *= kept;
            done++;
            kept = 1 - (1e-4 + (0.02 - 1e-4) * (double)done / (OF - 1));
        }
        maps->map1[GM__F64][GM__LOG](&part, &kept, 1);
        part *= (double)(at % count) / (double)count;
        maps->map1[GM__F64][GM__EXP](&part, &part, 1);
        squared_signal[i] = at % count ? product * part : product;
    }
}

static void schedule(gm_builder *b, int64_t count, double *squared_signal)
{
    (gm_opt_choice(b, "noise_schedule") == COSINE ? cosine : linear)(count, squared_signal);
}

/* ---- Network --------------------------------------------------------------------------------- */

/* The first hidden layer, of the noised rows, the level and what is given each by itself: with the
 * row's weights large where it has few columns, as coordinates that need to be told apart finely
 * (Tancik et al. 2020), and the layer far from linear: what v holds beyond a normal density is
 * hardly found from small ones. From 24 columns on the weights are those of any linear layer. */
static gm_node *first(gm_builder *b, gm_node *x, gm_node *level, int64_t width)
{
    int64_t d = gm_node_dim(x, -1), shape[2] = {d, width};
    double scale = d < 24 ? 2 * sqrt(2.0 / (double)d) : 0.57735026918962576;
    gm_node *w = gm_param(b, "row.weight", 2, shape, GM_INIT_KAIMING, scale);
    gm_node *h = gm_add(b, gm_matmul(b, x, w, 0, 0), gm_nn_linear(b, "level", level, width));
    gm_node *given = gm_condition(b);
    return given ? gm_add(b, h, gm_nn_linear(b, "condition", given, width)) : h;
}

/* Below level 1 there is nothing to learn from: the first level's answer stands for them. The level
 * is told in hundredths of the way, whatever their number: the fastest wave then is smooth on the
 * scale of the steps that samplers and flows take, which go between levels. */
static gm_node *predict(gm_builder *b, const gm_noised *at)
{
    const int64_t *widths;
    int32_t count = gm_opt_ints(b, "hidden", &widths), act = gm__opt_activation(b);
    gm_node *level = gm_scale(b, gm_max(b, at->level, gm_const(b, 1)), 100.0 / (double)levels(b));
    gm_node *parts[3] = {at->x, gm_nn_sinusoidal(b, level, gm_opt_int(b, "embedding"), 1e4),
                         gm_condition(b)};
    gm_node *h = count ? gm_activation(b, act, first(b, parts[0], parts[1], widths[0]))
                       : gm_concat(b, parts[2] ? 3 : 2, parts, -1);
    if (count > 1)
        h = gm_nn_mlp(b, "net", h, count - 1, widths + 1, act);
    return gm_nn_linear(b, "out", h, gm_node_dim(at->x, -1));
}

#define LEAST 0.1 /* signal by which predicted noise is read as a velocity, at least */

/* The noise that is seen. With a linear schedule the network gives it. A cosine ends in next to no
 * signal, where the row could not be read off noise that is nearly right: there the network gives
 * the noise near the data, and towards noise what it differs by from the row as it is. */
static gm_node *noise_seen(gm_builder *b, const gm_noised *at, gm_node *y)
{
    if (gm_opt_choice(b, "noise_schedule") == LINEAR)
        return y;
    gm_node *squared = gm_square(b, at->sigma);
    gm_node *of_y = gm_mul(b, at->signal, gm_add(b, at->signal, squared));
    gm_node *of_x = gm_mul(b, at->sigma, squared);
    return gm_add(b, gm_mul(b, of_x, at->x), gm_mul(b, of_y, y));
}

/* v = signal noise - sigma row, with x = signal row + sigma noise: (noise - sigma x) / signal of
 * the noise that is seen. Of x0 and v the network gives v, and the row is signal x - sigma v: to
 * divide by sigma would make much of the error near the data (Salimans and Ho 2022, section 4). */
static gm_node *velocity(gm_builder *b, const gm_noised *at)
{
    gm_node *y = predict(b, at);
    if (gm_opt_choice(b, "target") != EPS)
        return y;
    if (gm_opt_choice(b, "noise_schedule") == LINEAR)
        return gm_div(b, gm_sub(b, y, gm_mul(b, at->sigma, at->x)),
                      gm_max(b, at->signal, gm_const(b, LEAST)));
    gm_node *of_y = gm_add(b, at->signal, gm_square(b, at->sigma));
    gm_node *of_x = gm_mul(b, at->sigma, at->signal);
    return gm_sub(b, gm_mul(b, of_y, y), gm_mul(b, of_x, at->x));
}

/* The mean over columns of the target's squared error: eq. 14 of Ho et al. 2020, where the target
 * is the noise. */
static gm_node *loss(gm_builder *b, gm_node *x)
{
    gm_noised at = {.struct_size = sizeof at};
    gm_node *noise, *missed;
    gm_noised_draw(b, x, &at, &noise);
    gm_node *y = predict(b, &at);
    switch (gm_opt_choice(b, "target")) {
    case EPS:
        missed = gm_sub(b, noise_seen(b, &at, y), noise);
        break;
    case X0:
        missed = gm_sub(b, gm_sub(b, gm_mul(b, at.signal, at.x), gm_mul(b, at.sigma, y)), x);
        break;
    default:
        missed = gm_sub(b, y, gm_sub(b, gm_mul(b, at.signal, noise), gm_mul(b, at.sigma, x)));
    }
    return gm_mean(b, gm_square(b, missed), -1, 0);
}

static const gm_diffusion diffusion = {
    .struct_size = sizeof diffusion, .levels = levels, .schedule = schedule, .velocity = velocity};

const gm_family gm__diffusion_family = {
    .struct_size = sizeof gm__diffusion_family,
    .version = 1,
    .name = "diffusion",
    .summary = "denoising diffusion: samples by taking noise away; log_prob is the density of its "
               "ODE sampler",
    .options = options,
    .flags = GM_FAMILY_CONDITIONS,
    .loss = loss,
    .diffusion = &diffusion,
};
