/* Where EM begins: centres by k-means++ (Arthur and Vassilvitskii 2007), moved a few times by
 * Lloyd's algorithm. A category that differs counts as a distance of 1 standard deviation. */
#include "density/mixture.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

#define MOVES 8
#define CANDIDATES 3 /* for each new centre; the one that leaves least is taken */

typedef struct gm__start {
    gm__em *em;
    int64_t width, centres; /* columns; centres so far */
    double *scale;          /* (width): 1 / variance of reals, 1 of categories */
    double *centre;         /* (K, width) */
    double *far;            /* (rows): squared distance to the nearest centre */
    double *tried;          /* (CANDIDATES, rows) */
    uint64_t step, number;  /* of random numbers */
} gm__start;

static double uniform(gm__start *s)
{
    uint64_t word = gm__random64(s->em->plan->seed, GM__FOR_INIT, s->step, (int64_t)s->number++);
    return ((double)(word >> 12) + 0.5) * 0x1p-52;
}

/* Squared distance of two rows. */
static double distance(const gm__start *s, const double *x, const double *y)
{
    int64_t r = s->em->m->shape.reals;
    double sum = 0;
    for (int64_t j = 0; j < r; j++)
        sum += (x[j] - y[j]) * (x[j] - y[j]) * s->scale[j];
    for (int64_t j = r; j < s->width; j++)
        sum += x[j] != y[j];
    return sum;
}

static double weight_of(const gm_direct_rows *rows, int64_t i)
{
    return rows->weight ? rows->weight[i] : 1;
}

/* A row by its weight times far[i] (far NULL: its weight). */
static int64_t pick_row(gm__start *s, const double *far)
{
    const gm_direct_rows *rows = s->em->rows;
    double whole = 0, sum = 0, u = uniform(s);
    for (int64_t i = 0; i < rows->count; i++)
        whole += weight_of(rows, i) * (far ? far[i] : 1);
    if (!(whole > 0))
        return far ? pick_row(s, NULL) : 0; /* fewer different rows than centres */
    for (int64_t i = 0; i < rows->count; i++) {
        sum += weight_of(rows, i) * (far ? far[i] : 1);
        if (sum > u * whole)
            return i;
    }
    return rows->count - 1;
}

/* Distances with row number `row` as one more centre, into to; their sum. */
static double try_centre(gm__start *s, int64_t row, double *to)
{
    const gm_direct_rows *rows = s->em->rows;
    double sum = 0;
    for (int64_t i = 0; i < rows->count; i++) {
        double d = distance(s, rows->x + i * s->width, rows->x + row * s->width);
        to[i] = s->centres && s->far[i] < d ? s->far[i] : d;
        sum += weight_of(rows, i) * to[i];
    }
    return sum;
}

static gm_status add_centre(gm__start *s)
{
    const gm_direct_rows *rows = s->em->rows;
    int64_t best = 0, row = 0;
    double least = 0;
    for (int64_t c = 0; c < (s->centres ? CANDIDATES : 1); c++) {
        int64_t candidate = pick_row(s, s->centres ? s->far : NULL);
        double left = try_centre(s, candidate, s->tried + c * rows->count);
        GM_TRY(gm__check_cancel(s->em->ctx));
        if (c == 0 || left < least) {
            least = left;
            best = c;
            row = candidate;
        }
    }
    memcpy(s->far, s->tried + best * rows->count, (size_t)rows->count * sizeof *s->far);
    memcpy(s->centre + s->centres++ * s->width, rows->x + row * s->width,
           (size_t)s->width * sizeof *s->centre);
    return GM_OK;
}

/* Shares: all to the nearest centre, the first of equals. */
static gm_status assign(gm__start *s)
{
    const gm_direct_rows *rows = s->em->rows;
    int64_t k = s->centres;
    memset(s->em->share, 0, (size_t)(rows->count * k) * sizeof *s->em->share);
    for (int64_t i = 0; i < rows->count; i++) {
        double least = 0;
        int64_t nearest = 0;
        if (i % 256 == 0)
            GM_TRY(gm__check_cancel(s->em->ctx));
        for (int64_t c = 0; c < k; c++) {
            double d = distance(s, rows->x + i * s->width, s->centre + c * s->width);
            if (c == 0 || d < least) {
                least = d;
                nearest = c;
            }
        }
        s->em->share[i * k + nearest] = weight_of(rows, i);
    }
    return GM_OK;
}

/* Centres become the means of their rows, and in categories the most frequent one. */
static void take_centres(gm__start *s)
{
    const gm__mixture *m = s->em->m;
    for (int64_t c = 0; c < s->centres; c++) {
        double *centre = s->centre + c * s->width;
        const double *table = m->table + c * m->shape.total;
        memcpy(centre, m->mean + c * m->shape.reals, (size_t)m->shape.reals * sizeof *centre);
        for (int64_t j = 0; j < m->shape.tables; table += m->shape.categories[j], j++) {
            int64_t most = 0;
            for (int64_t v = 1; v < m->shape.categories[j]; v++)
                if (table[v] > table[most])
                    most = v;
            centre[m->shape.reals + j] = (double)most;
        }
    }
}

/* Until rows say otherwise: at its centre, as wide as the data. */
static void spread_out(gm__start *s)
{
    gm__mixture *m = s->em->m;
    int64_t r = m->shape.reals, whole = m->shape.covariance <= GM__TIED;
    for (int64_t i = 0; i < gm__mixture_factor_count(&m->shape, m->components); i++) {
        int64_t row = i / (r ? r : 1) % (r ? r : 1), column = i % (r ? r : 1);
        m->factor[i] = whole && row != column ? 0 : 1;
        if (m->factor[i] == 1 && m->shape.covariance != GM__SPHERICAL)
            m->factor[i] = sqrt(s->em->variance[column]);
    }
    for (int64_t c = 0; c < m->components; c++)
        memcpy(m->mean + c * r, s->centre + c * s->width, (size_t)r * sizeof *m->mean);
}

/* Every other start stays where k-means++ left it: what k-means ends in is often the same. */
static gm_status begin(gm__start *s, uint64_t number)
{
    int64_t k = s->em->m->components, moves = number % 2 ? 0 : MOVES;
    while (s->centres < k)
        GM_TRY(add_centre(s));
    spread_out(s);
    for (int move = 0; move <= moves && k > 1; move++) {
        GM_TRY(assign(s));
        GM_TRY(gm__em_maximise(s->em));
        take_centres(s);
    }
    if (k == 1)
        return assign(s);
    return GM_OK;
}

gm_status gm__em_start(gm__em *em, uint64_t number)
{
    int64_t n = em->rows->count, d = em->rows->width;
    gm__arena arena = {.allocator = em->ctx->allocator};
    gm__start s = {.em = em, .width = d, .step = number << 16 | (uint64_t)em->m->components};
    s.scale = gm__arena_array(&arena, d, sizeof(double));
    s.centre = gm__arena_array(&arena, em->m->components * d, sizeof(double));
    s.far = gm__arena_array(&arena, n, sizeof(double));
    s.tried = gm__arena_array(&arena, CANDIDATES * n, sizeof(double));
    gm_status code = GM_OK;
    if (!s.scale || !s.centre || !s.far || !s.tried)
        code = gm__no_memory(em->ctx);
    for (int64_t j = 0; j < d && !code; j++)
        s.scale[j] = j < em->m->shape.reals ? 1 / em->variance[j] : 1;
    if (!code)
        code = begin(&s, number);
    gm__arena_clear(&arena);
    return code;
}
