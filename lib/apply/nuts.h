/* One chain of the no-U-turn sampler, in parts: trees, adaptation, the chain. */
#ifndef GM__NUTS_H
#define GM__NUTS_H
#include "genmod/posterior.h"
#include "base/options.h"
#include "kernels/kernels.h"

enum { GM__METRIC_DIAGONAL, GM__METRIC_DENSE, GM__METRIC_UNIT }; /* the option's words */

/* The metric is M = Sigma^-1, Sigma being what is known of the target's covariance. */
typedef struct gm__metric {
    int kind;
    int64_t dim;
    double *variance; /* (dim), or (dim, dim) of dense: Sigma */
    double *factor;   /* (dim, dim) its Cholesky factor, of dense */
} gm__metric;
/* v = Sigma p: dx/dt. */
void gm__metric_velocity(const gm__metric *m, const double *p, double *v);
/* Standard normal numbers to momenta of covariance M, in place. */
void gm__metric_momentum(const gm__metric *m, double *p);

/* A point of a path. */
typedef struct gm__point {
    double *q, *p, *v, *g; /* (dim): place, momentum, velocity, gradient of the log density */
    double logp;
} gm__point;

/* A piece of a path, of 2^level points in the order in which they were reached. */
typedef struct gm__branch {
    double *first_p, *first_v, *last_p, *last_v; /* (dim): of its ends */
    double *rho;                                 /* (dim): sum of momenta */
    double *q, *g;                               /* (dim): the point chosen, and its gradient */
    double logp;
    double log_weight; /* log of the sum of exp(energy at the start - energy) */
    int level;
} gm__branch;

enum { GM__MAX_DEPTH = 20 };

typedef struct gm__chain {
    const gm_target *target;
    const gm__kernels *kernels;
    const gm_cancel *cancel;
    uint64_t seed;
    int64_t number, dim;
    int max_depth;
    double target_accept, radius;
    gm__metric metric;
    double step;
    gm__point at;                        /* where the chain stands */
    gm__point end[2];                    /* the ends of the path: backward, forward */
    gm__branch path;                     /* the whole of it */
    gm__branch stack[GM__MAX_DEPTH + 2]; /* pieces on the way */
    double *sum;                         /* (dim) of the turn test */
    /* random numbers: a function of (seed, chain, sweep, count) */
    uint64_t sweep;
    int64_t count;
    /* of the last transition */
    double accept;
    int divergent, depth_hit;
    /* of the run */
    int64_t gradients, divergences, depth_hits;
    double accept_sum;
    gm_status code; /* why it stopped */
    int callback;   /* the code is the callback's */
    int begun;      /* it has a place with a density */
} gm__chain;

double gm__chain_map(const gm__chain *c, gm__map1 which, double x);
/* A number in (0, 1), a new one each time. */
double gm__chain_uniform(gm__chain *c);
/* New momenta for point z, and its velocity. */
void gm__chain_refresh(gm__chain *c, gm__point *z);
/* The log density at z. False where the run must stop; then c->code says why. Where there is no
 * density logp is minus infinity. */
int gm__chain_ask(gm__chain *c, gm__point *z);
double gm__chain_energy(const gm__chain *c, const gm__point *z);
void gm__point_copy(gm__point *to, const gm__point *from, int64_t dim);
/* One leapfrog step of size step. */
int gm__chain_leapfrog(gm__chain *c, gm__point *z, double step);
/* One draw: c->at moves on. */
int gm__chain_transition(gm__chain *c);

/* Dual averaging of log step: Hoffman and Gelman 2014, eq. 6. */
typedef struct gm__stepper {
    double mu, error_mean, log_mean;
    int64_t count;
} gm__stepper;
void gm__stepper_start(gm__chain *c, gm__stepper *s);
void gm__stepper_learn(gm__chain *c, gm__stepper *s);
void gm__stepper_finish(gm__chain *c, const gm__stepper *s);
/* The largest power of two times the step whose first leap is accepted by about 0.8: algorithm 4
 * there. */
int gm__chain_first_step(gm__chain *c);

/* The covariance of a window: Welford 1962. */
typedef struct gm__window {
    int64_t warmup, begin, finish, width, next; /* of the iterations of the warm-up */
    int64_t count;
    double *mean, *squares, *away; /* (dim); (dim) or (dim, dim); (dim) */
} gm__window;
void gm__window_plan(gm__window *w, int64_t warmup);
/* Iteration i of the warm-up; true where a window ended and the metric is new. */
int gm__window_learn(gm__chain *c, gm__window *w, int64_t i);

/* Doubles that a chain works with. */
int gm__chain_size(int64_t dim, int kind, int max_depth, int64_t *count);
void gm__chain_place(gm__chain *c, gm__window *w, double *memory);
/* Warm-up and draws (draws, dim), logp (draws); c->code says how it went. */
void gm__chain_run(gm__chain *c, gm__window *w, const double *start, int64_t warmup, int64_t draws,
                   double *out, double *logp);

#endif
