/* What chains of draws say of themselves. Vehtari, Gelman, Simpson, Carpenter and Buerkner 2021,
 * "Rank-normalization, folding, and localization: an improved R-hat": its equations are named
 * below. */
#include "genmod/posterior.h"
#include "base/context.h"
#include "base/size.h"
#include "base/sort.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

/* Each chain is cut into halves, which are m chains of n draws; of an odd number the middle one
 * goes. */
typedef struct halves {
    gm_context *ctx;
    int64_t m, n;
    double *x;      /* (m, n) */
    double *y;      /* (m, n): what is made of x */
    double *sorted; /* (all) */
    double *mean;   /* (m) */
    int64_t all;    /* draws, the middle ones too */
    double *whole;  /* (all) */
    gm_status code;
} halves;

static double map(const halves *h, gm__map1 which, double x)
{
    double y;
    h->ctx->kernels->maps->map1[GM__F64][which](&y, &x, 1);
    return y;
}

/* ---- Between and within chains --------------------------------------------------------------- */

static double mean_of(const double *x, int64_t n)
{
    double sum = 0, rest = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    for (int64_t i = 0; i < n; i++)
        rest += x[i] - sum / (double)n;
    return (sum + rest) / (double)n;
}

/* Sum of squares around the mean. */
static double squares(const double *x, int64_t n, double mean)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum;
}

/* W, and var+ = (n - 1) / n W + B / n: equations 1 to 3. */
static double variances(halves *h, const double *x, double *within)
{
    *within = 0;
    for (int64_t c = 0; c < h->m; c++) {
        h->mean[c] = mean_of(x + c * h->n, h->n);
        *within += squares(x + c * h->n, h->n, h->mean[c]) / (double)(h->n - 1) / (double)h->m;
    }
    double between = squares(h->mean, h->m, mean_of(h->mean, h->m)) / (double)(h->m - 1);
    return (double)(h->n - 1) / (double)h->n * *within + between;
}

static double rhat(halves *h, const double *x)
{
    double within, whole = variances(h, x, &within);
    return sqrt(whole / within);
}

/* The mean over chains of the autocovariance at a lag. */
static double autocovariance(const halves *h, const double *x, int64_t lag)
{
    double sum = 0;
    for (int64_t c = 0; c < h->m; c++) {
        const double *chain = x + c * h->n;
        for (int64_t i = 0; i + lag < h->n; i++)
            sum += (chain[i] - h->mean[c]) * (chain[i + lag] - h->mean[c]);
    }
    return sum / (double)h->n / (double)h->m;
}

/* m n / tau, tau from the autocorrelations in pairs: equations 10 to 13, the initial positive and
 * monotone sequence of Geyer 1992. */
static double effective(halves *h, const double *x)
{
    double within, whole = variances(h, x, &within), count = (double)(h->m * h->n);
    double least = INFINITY, tau = -1, even = 1, odd;
    if (!(whole > 0))
        return count;
    for (int64_t t = 0; t + 1 < h->n; t += 2) {
        if ((h->code = gm__check_cancel(h->ctx)) != GM_OK)
            return 0;
        if (t > 0)
            even = 1 - (within - autocovariance(h, x, t)) / whole;
        odd = 1 - (within - autocovariance(h, x, t + 1)) / whole;
        double pair = even + odd;
        if (t > 0 && (pair < 0 || t + 5 > h->n)) {
            tau += even > 0 ? even : 0; /* half a pair: less variance for antithetic chains */
            break;
        }
        least = pair < least ? pair : least;
        tau += 2 * least;
    }
    double floor_of_tau = 1 / (map(h, GM__LOG, count) / 2.302585092994045684);
    return count / (tau > floor_of_tau ? tau : floor_of_tau);
}

/* ---- What is made of the draws --------------------------------------------------------------- */

static void sort_draws(halves *h, const double *x, int64_t count)
{
    memcpy(h->sorted, x, (size_t)count * sizeof *x);
    gm__sort_reals(h->sorted, count);
}

/* Of sorted values, between neighbours. */
static double quantile(const double *sorted, int64_t count, double share)
{
    double at = share * (double)(count - 1);
    int64_t i = (int64_t)floor(at);
    i = i > count - 2 ? count - 2 : i;
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

/* How many values lie below x, or below or at it. */
static int64_t count_below(const double *sorted, int64_t count, double x, int at)
{
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sorted[middle] < x || (at && sorted[middle] == x))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* y: normal scores of the average ranks of x, equation 14. */
static void normal_scores(halves *h, const double *x)
{
    int64_t count = h->m * h->n;
    sort_draws(h, x, count);
    for (int64_t i = 0; i < count; i++) {
        int64_t below = count_below(h->sorted, count, x[i], 0),
                until = count_below(h->sorted, count, x[i], 1);
        double rank = 0.5 * (double)(below + until + 1);
        h->y[i] = map(h, GM__NORMAL_QUANTILE, (rank - 0.375) / ((double)count + 0.25));
    }
}

static double ess_at_quantile(halves *h, double at)
{
    for (int64_t i = 0; i < h->m * h->n; i++)
        h->y[i] = h->x[i] <= at;
    return effective(h, h->y);
}

/* ---- The summary ----------------------------------------------------------------------------- */

static void errors(halves *h, gm_chains_summary *s)
{
    int64_t count = h->m * h->n;
    double fourth = 0, second = s->deviation * s->deviation * (double)(h->all - 1) / (double)h->all;
    s->mean_error = s->deviation / sqrt(effective(h, h->x));
    for (int64_t i = 0; i < count; i++)
        h->y[i] = (h->x[i] - s->mean) * (h->x[i] - s->mean);
    for (int64_t i = 0; i < h->all; i++) {
        double square = (h->whole[i] - s->mean) * (h->whole[i] - s->mean);
        fourth += square * square / (double)h->all;
    }
    /* the error of a variance, and of its root to first order */
    double variance = (fourth - second * second) / effective(h, h->y);
    s->deviation_error = sqrt((variance > 0 ? variance : 0) / (4 * second));
}

static void ranks(halves *h, gm_chains_summary *s)
{
    int64_t count = h->m * h->n;
    normal_scores(h, h->x);
    s->rhat = rhat(h, h->y);
    s->ess_bulk = effective(h, h->y);
    sort_draws(h, h->whole, h->all);
    s->low = quantile(h->sorted, h->all, 0.05);
    s->median = quantile(h->sorted, h->all, 0.5);
    s->high = quantile(h->sorted, h->all, 0.95);
    double lower = ess_at_quantile(h, s->low), upper = ess_at_quantile(h, s->high);
    s->ess_tail = lower < upper ? lower : upper;
    for (int64_t i = 0; i < count; i++) /* x is not needed any more */
        h->x[i] = fabs(h->x[i] - s->median);
    normal_scores(h, h->x);
    double folded = rhat(h, h->y);
    s->rhat = folded > s->rhat ? folded : s->rhat;
}

static void constant(const halves *h, gm_chains_summary *s)
{
    s->deviation = s->mean_error = s->deviation_error = 0;
    s->low = s->median = s->high = s->mean = h->x[0];
    s->rhat = NAN;
    s->ess_bulk = s->ess_tail = (double)h->all;
}

static gm_status summarise(halves *h, gm_chains_summary *s)
{
    int same = 1;
    for (int64_t i = 0; i < h->all; i++) {
        if (h->whole[i] - h->whole[i] != 0)
            return gm__fail(h->ctx, GM_E_DATA, "chains: a draw is not finite");
        same &= h->whole[i] == h->whole[0];
    }
    s->mean = mean_of(h->whole, h->all);
    s->deviation = sqrt(squares(h->whole, h->all, s->mean) / (double)(h->all - 1));
    if (same || !(s->deviation > 0))
        constant(h, s);
    else {
        errors(h, s);
        ranks(h, s);
    }
    return h->code;
}

static gm_status split(gm_context *ctx, const double *x, int64_t chains, int64_t draws, int64_t dim,
                       int64_t j, gm_chains_summary *summary)
{
    int64_t cells;
    if (!x || !summary || summary->struct_size < sizeof *summary)
        return gm__fail(ctx, GM_E_ARG,
                        "chains: x or summary is NULL, or its struct_size is not set");
    if (chains < 1 || draws < 4 || dim < 1 || j < 0 || j >= dim)
        return gm__fail(ctx, GM_E_SHAPE,
                        "chains: coordinate %lld of %lld, %lld chains of %lld draws: at least one "
                        "chain of four draws is needed",
                        (long long)j, (long long)dim, (long long)chains, (long long)draws);
    halves h = {.ctx = ctx, .m = 2 * chains, .n = draws / 2};
    if (gm__mul64(chains, draws, &h.all) || gm__mul64(h.all, 4, &cells) ||
        gm__add64(cells, h.m, &cells))
        return gm__no_memory(ctx);
    h.x = gm__alloc_array(&ctx->allocator, cells, sizeof *h.x);
    if (!h.x)
        return gm__no_memory(ctx);
    h.y = h.x + h.all;
    h.sorted = h.y + h.all;
    h.whole = h.sorted + h.all;
    h.mean = h.whole + h.all;
    for (int64_t i = 0; i < h.all; i++)
        h.whole[i] = x[i * dim + j];
    for (int64_t c = 0; c < h.m; c++) {
        int64_t first = c / 2 * draws + (c % 2 ? draws - h.n : 0);
        for (int64_t i = 0; i < h.n; i++)
            h.x[c * h.n + i] = x[(first + i) * dim + j];
    }
    gm_chains_summary made = {.struct_size = summary->struct_size};
    gm_status code = summarise(&h, &made);
    gm__free(&ctx->allocator, h.x, (size_t)cells * sizeof *h.x);
    if (!code)
        *summary = made;
    return code;
}

gm_status gm_chains_summarise(gm_context *ctx, const double *x, int64_t chains, int64_t draws,
                              int64_t dim, int64_t j, gm_chains_summary *summary)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, split(ctx, x, chains, draws, dim, j, summary));
}
