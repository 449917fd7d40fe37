/* Paths of the no-U-turn sampler. A path doubles forward or backward in time until its ends turn
 * towards each other; the next draw is one of its points, chosen by weight exp(-energy): Betancourt
 * 2017, "A conceptual introduction to Hamiltonian Monte Carlo", appendix A.3 to A.5. Pieces are
 * merged as a binary counter counts, so that nothing recurs. */
#include "apply/nuts.h"

#include <math.h>
#include <string.h>

#define DIVERGENT 1000 /* nats of energy */

/* ---- One leap -------------------------------------------------------------------------------- */

void gm__point_copy(gm__point *to, const gm__point *from, int64_t dim)
{
    size_t size = (size_t)dim * sizeof *to->q;
    memcpy(to->q, from->q, size);
    memcpy(to->p, from->p, size);
    memcpy(to->v, from->v, size);
    memcpy(to->g, from->g, size);
    to->logp = from->logp;
}

static int stop(gm__chain *c, gm_status code, int callback)
{
    c->code = code;
    c->callback = callback;
    return 0;
}

int gm__chain_ask(gm__chain *c, gm__point *z)
{
    if (gm_cancel_tripped(c->cancel))
        return stop(c, GM_E_CANCELLED, 0);
    c->gradients++;
    z->logp = NAN;
    gm_status code = c->target->log_density(c->target->user, z->q, &z->logp, z->g);
    if (code)
        return stop(c, code, 1);
    int finite = z->logp - z->logp == 0;
    for (int64_t i = 0; i < c->dim; i++)
        finite &= z->g[i] - z->g[i] == 0;
    if (!finite)
        z->logp = -INFINITY;
    return 1;
}

double gm__chain_energy(const gm__chain *c, const gm__point *z)
{
    double kinetic = 0;
    for (int64_t i = 0; i < c->dim; i++)
        kinetic += z->p[i] * z->v[i];
    double energy = 0.5 * kinetic - z->logp;
    return energy - energy == 0 ? energy : INFINITY;
}

int gm__chain_leapfrog(gm__chain *c, gm__point *z, double step)
{
    for (int64_t i = 0; i < c->dim; i++)
        z->p[i] += 0.5 * step * z->g[i];
    gm__metric_velocity(&c->metric, z->p, z->v);
    for (int64_t i = 0; i < c->dim; i++)
        z->q[i] += step * z->v[i];
    if (!gm__chain_ask(c, z))
        return 0;
    if (z->logp == -INFINITY)
        return 1;
    for (int64_t i = 0; i < c->dim; i++)
        z->p[i] += 0.5 * step * z->g[i];
    gm__metric_velocity(&c->metric, z->p, z->v);
    return 1;
}

/* ---- Pieces of a path ------------------------------------------------------------------------ */

static double log_add(const gm__chain *c, double a, double b)
{
    double most = a > b ? a : b, least = a > b ? b : a;
    return least == -INFINITY
               ? most
               : most + gm__chain_map(c, GM__LOG1P, gm__chain_map(c, GM__EXP, least - most));
}

/* Whether both ends still move along the sum of momenta a + b. */
static int onward(const gm__chain *c, const double *a, const double *b, const double *first,
                  const double *last)
{
    double begin = 0, end = 0;
    for (int64_t i = 0; i < c->dim; i++) {
        begin += first[i] * (a[i] + b[i]);
        end += last[i] * (a[i] + b[i]);
    }
    return begin > 0 && end > 0;
}

static void leaf(gm__branch *b, const gm__point *z, double log_weight, int64_t dim)
{
    size_t size = (size_t)dim * sizeof *b->q;
    memcpy(b->first_p, z->p, size);
    memcpy(b->last_p, z->p, size);
    memcpy(b->first_v, z->v, size);
    memcpy(b->last_v, z->v, size);
    memcpy(b->rho, z->p, size);
    memcpy(b->q, z->q, size);
    memcpy(b->g, z->g, size);
    b->logp = z->logp;
    b->log_weight = log_weight;
    b->level = 0;
}

static void swap(double **a, double **b)
{
    double *t = *a;
    *a = *b;
    *b = t;
}

/* a becomes a and then b. The point chosen is that of b by its share of the weight; `biased`: by
 * its weight over that of a, which leads away from the start. Returns whether the path goes on: no
 * turn over the whole, nor over one piece and the first point of the other. */
static int merge(gm__chain *c, gm__branch *a, gm__branch *b, int biased)
{
    int straight = onward(c, a->rho, b->rho, a->first_v, b->last_v) &&
                   onward(c, a->rho, b->first_p, a->first_v, b->first_v) &&
                   onward(c, b->rho, a->last_p, a->last_v, b->last_v);
    double both = log_add(c, a->log_weight, b->log_weight);
    double log_share = b->log_weight - (biased ? a->log_weight : both);
    if (log_share >= 0 || gm__chain_map(c, GM__LOG, gm__chain_uniform(c)) < log_share) {
        swap(&a->q, &b->q);
        swap(&a->g, &b->g);
        a->logp = b->logp;
    }
    for (int64_t i = 0; i < c->dim; i++)
        a->rho[i] += b->rho[i];
    swap(&a->last_p, &b->last_p);
    swap(&a->last_v, &b->last_v);
    a->log_weight = both;
    a->level++;
    return straight;
}

/* 2^depth leaps on from z, into stack[0]. Returns whether the path goes on; else it turned, or met
 * a divergence, or the run stops (c->code). */
static int grow(gm__chain *c, gm__point *z, double step, int depth, double start, double *accepted,
                int64_t *leaps)
{
    int top = -1;
    for (int64_t i = 0; i < (int64_t)1 << depth; i++) {
        if (!gm__chain_leapfrog(c, z, step))
            return 0;
        double gain = start - gm__chain_energy(c, z);
        *accepted += gain < 0 ? gm__chain_map(c, GM__EXP, gain) : 1;
        (*leaps)++;
        if (gain < -DIVERGENT) {
            c->divergent = 1;
            return 0;
        }
        leaf(&c->stack[++top], z, gain, c->dim);
        for (; top > 0 && c->stack[top - 1].level == c->stack[top].level; top--)
            if (!merge(c, &c->stack[top - 1], &c->stack[top], 0))
                return 0;
    }
    return 1;
}

/* The path seen from its other end. */
static void reverse(gm__branch *b)
{
    swap(&b->first_p, &b->last_p);
    swap(&b->first_v, &b->last_v);
}

int gm__chain_transition(gm__chain *c)
{
    double accepted = 0;
    int64_t leaps = 0;
    int forward = 1, depth = 0;
    c->divergent = c->depth_hit = 0;
    gm__chain_refresh(c, &c->at);
    double start = gm__chain_energy(c, &c->at);
    gm__point_copy(&c->end[0], &c->at, c->dim);
    gm__point_copy(&c->end[1], &c->at, c->dim);
    leaf(&c->path, &c->at, 0, c->dim);
    for (int straight = 1; straight && depth < c->max_depth; depth++) {
        int ahead = gm__chain_uniform(c) > 0.5;
        if (ahead != forward)
            reverse(&c->path);
        forward = ahead;
        straight =
            grow(c, &c->end[ahead], ahead ? c->step : -c->step, depth, start, &accepted, &leaps);
        if (c->code)
            return 0;
        if (straight)
            straight = merge(c, &c->path, &c->stack[0], 1);
        else
            break;
        c->depth_hit = straight && depth + 1 == c->max_depth;
    }
    size_t size = (size_t)c->dim * sizeof *c->at.q;
    memcpy(c->at.q, c->path.q, size);
    memcpy(c->at.g, c->path.g, size);
    c->at.logp = c->path.logp;
    c->accept = accepted / (double)leaps;
    return 1;
}
