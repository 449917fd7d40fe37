/* A family's loss over a dataset, as a trainer sees it. */
#ifndef GM__OBJECTIVE_H
#define GM__OBJECTIVE_H
#include "model/model.h"

/* Rows of a dataset in the form that plans take. Transforms that do not draw are applied once,
 * here. */
typedef struct gm__feed {
    const gm__structure *structure;
    gm_dataset *data; /* counted; in the model's order */
    gm__match *match;
    int64_t count;
    void *reals;     /* (count, reals) in the plan's precision; NULL where each batch draws */
    double *log_det; /* (count); with reals */
    int32_t *index;  /* (count, indices); with reals */
    unsigned char *support; /* (count), 0 where a row lies outside; with reals */
    double greys;           /* reals are probabilities of bits: of values up to this; 0: they are
                               what they are */
    void *given;            /* (count, given) in the plan's precision; NULL: no conditions */
    double *weight;         /* (count) of the mean 1; NULL: rows count alike */
} gm__feed;
gm_status gm__feed_create(gm_context *ctx, const gm__structure *s, const gm_dataset *data,
                          gm__feed *feed);
void gm__feed_clear(gm__feed *feed, const gm_allocator *allocator);

/* Buffers that carry one batch to a plan. */
typedef struct gm__tray {
    int64_t capacity;
    double *x, *wide, *log_det;
    double *weight; /* (capacity), 1 where rows count alike; for a plan in its precision: */
    void *told_weight;
    void *given; /* (capacity, given) in the plan's precision */
    void *reals;
    int32_t *index, *columns;
    unsigned char *support;
    const void **inputs;
    size_t bytes;
    void *block;
} gm__tray;
gm_status gm__tray_create(gm_context *ctx, const gm__structure *s, int64_t capacity,
                          gm__tray *tray);
void gm__tray_clear(gm__tray *tray, const gm_allocator *allocator);
/* Rows named by row (NULL: first, first + 1 ...) onto the tray, as the plan's inputs. support[i] 0
 * marks a row outside. */
void gm__feed_load(gm_context *ctx, const gm__feed *feed, const int64_t *row, int64_t first,
                   int64_t count, const gm__noise *noise, const gm__plan *plan, gm__tray *tray);

/* Floating-point operations of one step, all phases. user is gm__objective.user. */
double gm__objective_operations(const void *user, int64_t batch);

#endif
