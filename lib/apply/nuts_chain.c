/* A chain: where it starts, its warm-up and its draws. */
#include "apply/nuts.h"
#include "base/random.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

/* ---- Random numbers -------------------------------------------------------------------------- */

#define STARTS 0xf0000000u /* the first sweep of starting points */

double gm__chain_map(const gm__chain *c, gm__map1 which, double x)
{
    double y;
    c->kernels->maps->map1[GM__F64][which](&y, &x, 1);
    return y;
}

double gm__chain_uniform(gm__chain *c)
{
    int64_t i = c->number << 32 | c->count++;
    uint64_t bits = gm__random64(c->seed, GM__FOR_PATH_TURN, c->sweep, i);
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

void gm__chain_refresh(gm__chain *c, gm__point *z)
{
    gm__draw d = {GM__F64, c->seed, GM__FOR_MOMENTUM, c->sweep++, c->number};
    c->kernels->draws->normal(&d, z->p, 1, c->dim);
    gm__metric_momentum(&c->metric, z->p);
    gm__metric_velocity(&c->metric, z->p, z->v);
    c->count = 0;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

enum { OF_POINT = 4, OF_BRANCH = 7, POINTS = 3, WINDOW = 2 };

int gm__chain_size(int64_t dim, int kind, int max_depth, int64_t *count)
{
    int64_t square = dim, vectors = POINTS * OF_POINT + (max_depth + 3) * OF_BRANCH + WINDOW;
    if (kind == GM__METRIC_DENSE && gm__mul64(dim, dim, &square))
        return 1;
    return gm__mul64(dim, vectors, count) || gm__mul64(square, 3, &square) ||
           gm__add64(*count, square, count);
}

static double *take(double **memory, int64_t count)
{
    double *piece = *memory;
    *memory += count;
    return piece;
}

static void place_branch(gm__branch *b, double **memory, int64_t d)
{
    double **const parts[OF_BRANCH] = {&b->first_p, &b->first_v, &b->last_p, &b->last_v,
                                       &b->rho,     &b->q,       &b->g};
    for (int i = 0; i < OF_BRANCH; i++)
        *parts[i] = take(memory, d);
}

void gm__chain_place(gm__chain *c, gm__window *w, double *memory)
{
    int64_t d = c->dim, square = c->metric.kind == GM__METRIC_DENSE ? d * d : d;
    gm__point *const points[POINTS] = {&c->at, &c->end[0], &c->end[1]};
    for (int i = 0; i < POINTS; i++) {
        points[i]->q = take(&memory, d);
        points[i]->p = take(&memory, d);
        points[i]->v = take(&memory, d);
        points[i]->g = take(&memory, d);
    }
    place_branch(&c->path, &memory, d);
    for (int i = 0; i < c->max_depth + 2; i++)
        place_branch(&c->stack[i], &memory, d);
    w->mean = take(&memory, d);
    w->away = take(&memory, d);
    w->squares = take(&memory, square);
    c->metric.dim = d;
    c->metric.variance = take(&memory, square);
    c->metric.factor = take(&memory, square);
    for (int64_t i = 0; i < d; i++)
        c->metric.variance[square == d ? i : i * d + i] =
            c->metric.factor[square == d ? i : i * d + i] = 1;
}

/* ---- The run --------------------------------------------------------------------------------- */

/* A hundred places, or the one that is given. */
static int begin(gm__chain *c, const double *start)
{
    for (uint64_t i = 0; i < (start ? 1 : 100); i++) {
        gm__draw d = {GM__F64, c->seed, GM__FOR_PATH_TURN, STARTS + i, c->number};
        if (start)
            memcpy(c->at.q, start, (size_t)c->dim * sizeof *start);
        else
            c->kernels->draws->uniform(&d, c->at.q, 1, c->dim);
        for (int64_t j = 0; !start && j < c->dim; j++)
            c->at.q[j] = c->radius * (2 * c->at.q[j] - 1);
        if (!gm__chain_ask(c, &c->at))
            return 0;
        c->begun = c->at.logp != -INFINITY;
        if (c->begun)
            return 1;
    }
    c->code = GM_E_NONFINITE;
    return 0;
}

static int warm_up(gm__chain *c, gm__window *w, int64_t warmup)
{
    gm__stepper s;
    if (warmup == 0)
        return 1;
    gm__window_plan(w, warmup);
    if (!gm__chain_first_step(c))
        return 0;
    gm__stepper_start(c, &s);
    for (int64_t i = 0; i < warmup; i++) {
        if (!gm__chain_transition(c))
            return 0;
        gm__stepper_learn(c, &s);
        if (gm__window_learn(c, w, i)) {
            if (!gm__chain_first_step(c))
                return 0;
            gm__stepper_start(c, &s);
        }
        if (c->code)
            return 0;
    }
    gm__stepper_finish(c, &s);
    return 1;
}

void gm__chain_run(gm__chain *c, gm__window *w, const double *start, int64_t warmup, int64_t draws,
                   double *out, double *logp)
{
    if (!begin(c, start) || !warm_up(c, w, warmup))
        return;
    for (int64_t i = 0; i < draws; i++) {
        if (!gm__chain_transition(c))
            return;
        memcpy(out + i * c->dim, c->at.q, (size_t)c->dim * sizeof *out);
        logp[i] = c->at.logp;
        c->divergences += c->divergent;
        c->depth_hits += c->depth_hit;
        c->accept_sum += c->accept;
    }
}
