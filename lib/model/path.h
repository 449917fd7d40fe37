/* The walks of a diffusion between data and noise. */
#ifndef GM__PATH_H
#define GM__PATH_H
#include "model/model.h"

/* A place on the way: angle 0 (level 0) is data. */
typedef struct gm__place {
    double level, angle, signal, sigma;
} gm__place;
gm__place gm__place_at_level(gm_context *ctx, const gm__structure *s, double level);
gm__place gm__place_at_angle(gm_context *ctx, const gm__structure *s, double angle);

/* One call's walks, up to `capacity` rows at a time. Rows are (n, width) doubles; the network
 * computes in the call's precision. */
typedef struct gm__path {
    const gm__structure *s;
    gm__program *program; /* GM__VELOCITY or GM__DIVERGENCE */
    gm__program *front;   /* where there are discrete columns to enter: GM__ROW_DRAW or _MIDDLE */
    int64_t capacity;
    int64_t steps;
    int64_t sampler, stop_at; /* of sampling: stop behind step number stop_at */
    double temperature;
    int64_t probes;    /* of densities; 0: the trace is exact */
    int64_t integrals; /* of the divergence, carried along at once: probes, or 1; else 0 */
    int several;       /* of densities: rows are drawn, and their spread holds the probes' */
    const void *given; /* conditions of the rows at hand, in the program's precision; or NULL */
    /* Buffers, of one block. */
    gm_allocator allocator;
    void *block;
    size_t bytes;
    double *x, *start, *from, *v, *sum; /* (capacity, width) */
    double *probe;                      /* (capacity, width) in the program's precision */
    void *narrow_x, *narrow_v;          /* (capacity, width) as float */
    uint32_t *words;                    /* (capacity, width) */
    double *one, *coarse, *front_log;   /* (capacity) */
    double *turned, *integral;          /* (integrals, rows): divergences at a place, their sum */
} gm__path;

/* The place behind k of a number of even steps in the level, from noise to data. The angle of such
 * a step is small where the schedule is slow: with a linear one near noise, where a velocity that
 * comes of predicted noise is least sure (that steps even in the angle would do as well elsewhere
 * was measured). */
gm__place gm__path_place(gm_context *ctx, const gm__path *path, int64_t k, int64_t steps);
/* A walk for this call, by its options. Sets *path, to be freed by gm__path_free, also after a
 * failure. */
gm_status gm__path_create(gm_context *ctx, const gm_model *model, gm__task task,
                          const gm__values *values, int64_t rows, gm__path *path);
void gm__path_free(gm__path *path);

/* Conditions of rows [first, first + n) for the velocities to come. */
gm_status gm__path_given(gm_context *ctx, gm__path *path, gm__given *given, int64_t first,
                         int64_t n);
/* The velocity at path->x into path->v; with GM__DIVERGENCE also divergence (n), by a probe (n,
 * width) in the program's precision. */
gm_status gm__path_velocity(gm_context *ctx, gm__path *path, const gm__place *at, const void *probe,
                            int64_t n, double *divergence);

/* Rows [row0, row0 + n) drawn into path->x. */
gm_status gm__path_sample(gm_context *ctx, gm__path *path, uint64_t seed, int64_t row0, int64_t n);
/* path->x, to noise and back, along the probability flow. */
gm_status gm__path_encode(gm_context *ctx, gm__path *path, int64_t n);
gm_status gm__path_decode(gm_context *ctx, gm__path *path, int64_t n);
/* Rows that a call entered: reals (n, reals) and, with discrete columns, the run's inputs of the
 * front, into path->x; *log_density (n) is what the front adds to log p, NULL where there is none.
 */
gm_status gm__path_enter(gm_context *ctx, gm__path *path, const gm__run *run, const double *reals,
                         const double **log_density);
/* log p of path->x, which is lost. error (n; may be NULL): of the steps and, unless path->several,
 * of the probes. run says the rows, and seed and step of the probes. */
gm_status gm__path_log_prob(gm_context *ctx, gm__path *path, const gm__run *run, double *logp,
                            double *error);

#endif
