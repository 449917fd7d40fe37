/* Variational autoencoder: a code z ~ N(0, I), p(x | z) by a network, and a network q(z | x) =
 * N(mean, diag(exp(log_var))) that is fitted along with it.
 *
 *     log p(x) >= E_q[log p(x | z)] - KL(q(z | x) || p(z))     (Kingma and Welling 2014, eq. 3)
 *
 * log_prob is log p(x | z) + log p(z) - log q(z | x) for one draw of z: its mean over draws is the
 * bound, the log of the mean of its exponential tends to log p(x) (Burda et al. 2016, eq. 8).
 *
 * Shapes: x (batch, d), z, mean and log_var (batch, code), raw (batch, what p(x | z) takes). */
#include "representation/vae.h"
#include "nn/nn.h"

static const gm_option_row options[] = {
    {"code", GM_STAGE_BUILD, GM_INT, "16", "1..65536", 1, "columns of the code z"},
    {"hidden", GM_STAGE_BUILD, GM_INTS, "400", "1..65536", 1,
     "widths of the encoder's hidden layers; none: it is linear"},
    {"decoder", GM_STAGE_BUILD, GM_INTS, "", "1..65536", 1,
     "widths of the decoder's hidden layers; none: those of the encoder, reversed"},
    {"mirror", GM_STAGE_BUILD, GM_BOOL, "true", "", 1,
     "a decoder without widths takes those of the encoder, reversed; false: it is linear"},
    {"activation", GM_STAGE_BUILD, GM_CHOICE, "relu", GM__ACTIVATIONS, 1, "of the hidden layers"},
    {"spread", GM_STAGE_BUILD, GM_CHOICE, "column", "column|shared|network|fixed", 1,
     "the deviation of real columns and whole numbers given the code: learned for each column, one "
     "for all, read off the code by the decoder, or fixed"},
    {"deviation", GM_STAGE_BUILD, GM_REAL, "1", "1e-6..1e6", 1,
     "where that deviation starts, or is with spread=fixed; in units of the data after transform"},
    {"levels", GM_STAGE_BUILD, GM_INT, "0", "0..65536", 1,
     "integer columns run from 0 to levels - 1 (256 for 8-bit pixels), and are scaled to -1 to 1; "
     "0: each over its own range, standardised"},
    {"beta", GM_STAGE_FIT, GM_REAL, "1", "0..1e6", 1,
     "weight of the KL term (Higgins et al. 2017); 1 is the bound on log p"},
    {"kl_warmup", GM_STAGE_FIT, GM_INT, "0", "0..", 1,
     "steps over which the weight of the KL term rises to beta"},
    {"free_bits", GM_STAGE_FIT, GM_REAL, "0", "0..1e6", 1,
     "nats of KL that each column of the code has for nothing in training (Kingma et al. 2016, "
     "eq. 15)"},
    {0},
};

static int64_t code(gm_builder *b)
{
    return gm_opt_int(b, "code");
}

/* What a network reads: x or z, and what is given (Sohn et al. 2015, eq. 4). */
static gm_node *with_condition(gm_builder *b, gm_node *x)
{
    gm_node *parts[2] = {x, gm_condition(b)};
    return parts[1] ? gm_concat(b, 2, parts, -1) : x;
}

/* One product for both halves. */
static gm_node *posterior(gm_builder *b, gm_node *x, gm_node **log_var)
{
    const double most = 30; /* e^30 is a float, and its square */
    const int64_t *hidden, k = code(b);
    int32_t count = gm_opt_ints(b, "hidden", &hidden);
    gm_node *h =
        gm_nn_mlp(b, "encoder", with_condition(b, x), count, hidden, gm__opt_activation(b));
    h = gm_nn_linear(b, "posterior", h, 2 * k);
    *log_var = gm_min(b, gm_slice(b, h, -1, k, k), gm_const(b, most));
    return gm_slice(b, h, -1, 0, k);
}

/* z = mean + exp(log_var / 2) noise: the reparameterisation, section 2.4 there. */
static gm_node *draw_code(gm_builder *b, gm_node *mean, gm_node *log_var, gm_node **noise)
{
    *noise = gm_normal_like(b, mean);
    return gm_add(b, mean, gm_mul(b, gm_exp(b, gm_scale(b, log_var, 0.5)), *noise));
}

static gm_likelihood observation(gm_builder *b)
{
    static const int32_t spreads[] = {GM_SPREAD_COLUMN, GM_SPREAD_SHARED, GM_SPREAD_NETWORK,
                                      GM_SPREAD_FIXED};
    return (gm_likelihood){.struct_size = sizeof(gm_likelihood),
                           .spread = spreads[gm_opt_choice(b, "spread")],
                           .deviation = gm_opt_real(b, "deviation"),
                           .name = "observation"};
}

static gm_node *decoder(gm_builder *b, gm_node *z, const gm_likelihood *l)
{
    const int64_t *widths, *hidden;
    int32_t count = gm_opt_ints(b, "decoder", &widths),
            mirrored = gm_opt_ints(b, "hidden", &hidden);
    gm_node *h =
        gm_nn_mlp(b, "decoder", with_condition(b, z), count, widths, gm__opt_activation(b));
    if (count || !gm_opt_int(b, "mirror"))
        mirrored = 0;
    for (int32_t i = 0; i < mirrored; i++) {
        char name[32];
        gm__format(name, sizeof name, "decoder.%d", (int)i);
        h = gm_activation(b, gm__opt_activation(b),
                          gm_nn_linear(b, name, h, hidden[mirrored - 1 - i]));
    }
    return gm_nn_linear(b, "observation", h, gm_likelihood_width(b, l));
}

static gm_node *log_likelihood(gm_builder *b, gm_node *x, gm_node *z)
{
    gm_likelihood l = observation(b);
    return gm_likelihood_log_prob(b, &l, decoder(b, z, &l), x);
}

/* KL(q || p) of each row, or in training with free bits one number for the batch: the sum over the
 * code's columns of the greater of free_bits and the column's mean. */
static gm_node *divergence(gm_builder *b, gm_node *mean, gm_node *log_var)
{
    gm_node *kl = gm_kl_standard_normal(b, mean, log_var);
    double free_bits = gm_opt_real(b, "free_bits");
    if (free_bits > 0 && gm_builder_training(b))
        kl = gm_max(b, gm_mean(b, kl, 0, 0), gm_const(b, free_bits));
    return gm_sum_last_wide(b, kl);
}

static gm_node *loss(gm_builder *b, gm_node *x)
{
    gm_node *log_var, *noise, *mean = posterior(b, x, &log_var);
    gm_node *log_px = log_likelihood(b, x, draw_code(b, mean, log_var, &noise));
    gm_node *weight = gm_scale(b, gm_ramp(b, gm_opt_int(b, "kl_warmup")), gm_opt_real(b, "beta"));
    return gm_sub(b, gm_mul(b, divergence(b, mean, log_var), weight), log_px);
}

static gm_node *log_prob(gm_builder *b, gm_node *x)
{
    gm_node *log_var, *noise, *mean = posterior(b, x, &log_var);
    gm_node *z = draw_code(b, mean, log_var, &noise);
    gm_node *log_pz = gm_log_standard_normal(b, z);
    gm_node *log_qz =
        gm_sub(b, gm_log_standard_normal(b, noise), gm_scale(b, gm_sum_last_wide(b, log_var), 0.5));
    return gm_add(b, log_likelihood(b, x, z), gm_sub(b, log_pz, log_qz));
}

static gm_node *encode(gm_builder *b, gm_node *x)
{
    gm_node *log_var;
    return posterior(b, x, &log_var);
}

static gm_node *decode(gm_builder *b, gm_node *z)
{
    gm_likelihood l = observation(b);
    return gm_likelihood_mean(b, &l, decoder(b, z, &l));
}

static gm_node *draw(gm_builder *b, gm_node *z)
{
    gm_likelihood l = observation(b);
    return gm_likelihood_draw(b, &l, decoder(b, z, &l));
}

static gm_node *base(gm_builder *b)
{
    int64_t shape[2] = {GM_BATCH, code(b)};
    return gm_normal(b, 2, shape);
}

const gm_family gm__vae = {
    .struct_size = sizeof(gm_family),
    .version = 1,
    .name = "vae",
    .summary =
        "variational autoencoder: codes, draws, and a bound on log p, of real, whole, binary and "
        "category columns",
    .options = options,
    .log_prob_kind = GM_LOWER_BOUND,
    .flags = GM_FAMILY_DISCRETE | GM_FAMILY_NATS | GM_FAMILY_CONDITIONS,
    .code = code,
    .loss = loss,
    .log_prob = log_prob,
    .encode = encode,
    .decode = decode,
    .draw = draw,
    .base = base,
};
