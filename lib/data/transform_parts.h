/* What the files of the transform share. */
#ifndef GM__TRANSFORM_PARTS_H
#define GM__TRANSFORM_PARTS_H
#include "data/transform.h"
#include "kernels/kernels.h"

#define GM__TWO_PI 6.28318530717958647692

enum { GM__BY_STANDARD, GM__BY_QUANTILE, GM__BY_LOGIT, GM__BY_NONE, GM__BY_INDEX };

/* One column's map. All its numbers lie at p: shift and scale, then
 *   logit:    low, high
 *   counted:  low, high: its least and greatest value (by standard or none)
 *   quantile: x[knots], z[knots], slope[knots] */
typedef struct gm__way {
    int32_t type, by;
    int dequantised, counted;
    int64_t place;      /* among the real or the index outputs */
    int64_t draw;       /* among the dequantised columns */
    int64_t categories; /* of BINARY, CATEGORY and ORDERED */
    double period;      /* of CIRCULAR */
    double unit;        /* of REAL columns taken as bins: it counts in steps of it; else 0 */
    int64_t listed;     /* values that a REAL column has, at list; 0: no list */
    const double *list;
    int64_t knots;
    int64_t at; /* p = numbers + at */
    const double *p;
} gm__way;

/* A column that is given: the numbers that it becomes lie at `at`, `width` of them. */
typedef struct gm__condition {
    int32_t type;
    int64_t categories, at, width;
    double period, mean, deviation;
} gm__condition;

struct gm__transform {
    gm_allocator allocator;
    int32_t owners; /* atomic */
    int64_t d, r, c;
    int64_t draws;  /* dequantised columns */
    int64_t logits; /* columns by logit */
    int whiten;
    gm__way *ways; /* (d) */
    double *numbers;
    int64_t count, room;         /* the columns' numbers, the whitening, the columns' lists */
    const double *mean, *factor; /* (r), (r, r) of the whitening */
    double constant;             /* the part of log_det that no row changes */
    const gm__kernels *kernels;
    gm__condition *given; /* (conditions); NULL: none */
    int64_t conditions, given_width;
};

#define GM__MOST_LISTED 65536
/* The value of bin number k: that of the list in it, else the middle; and the value of the list
 * nearest to it, where there is a list. */
double gm__way_bin(const gm__way *w, double k);
double gm__way_shown(const gm__way *w, double k);
int gm__way_list_sound(const gm__way *w); /* it rises */

/* Whether its values, in steps of the unit where it has one, are whole numbers. */
int gm__way_whole(const gm__way *w);
/* What the schema says of a column. */
void gm__way_describe(gm__way *w, const gm__column *c);
/* The conditions of a schema into a transform that has none: room for them; learned from data, x
 * (rows) being scratch; written as a member of its JSON, and read from it. */
gm_status gm__conditions_begin(gm_context *ctx, gm__transform *t, const gm__schema *schema);
gm_status gm__conditions_fit(gm_context *ctx, gm__transform *t, const gm_dataset *data,
                             const double *weights, double *x);
void gm__conditions_write(const gm__transform *t, gm__buffer *json);
gm_status gm__conditions_parse(gm_context *ctx, gm__transform *t, const gm__json *json,
                               const gm__schema *schema);
/* Of n values, weights (n; NULL: all 1) having the mean 1. */
void gm__mean_and_deviation(const double *x, const double *weights, int64_t n, double *mean,
                            double *deviation);

/* Numbers of one column by its knots, and of the whole. */
int64_t gm__way_size(const gm__way *w);
/* Whether the numbers p of a column are finite and make its map increasing, so that no later call
 * meets a surprise. */
int gm__way_sound(const gm__way *w, const double *p);
/* The next double above x (up 1) or below it (up 0), by its bits; x is finite. */
double gm__neighbour(double x, int up);
/* Takes pointers into numbers, counts and the constant once everything is in place. */
void gm__transform_finish(gm__transform *t);
/* Computes with the context's kernels from then on; NULL when memory is short. */
gm__transform *gm__transform_create(const gm_context *ctx, int64_t d);

/* A monotone rational-quadratic spline through knots (x, z) with slopes: Gregory and Delbourgo
 * 1982; outside, z = sqrt(z_end^2 + 2 z_end slope (x - x_end)), so that the density of x falls
 * exponentially where z is normal. */
typedef struct gm__curve {
    double value, slope; /* z and dz/dx, or x and dz/dx */
    double bend;         /* d log(dz/dx) / dx */
} gm__curve;
gm__curve gm__quantile_forward(const gm__way *w, double x);
gm__curve gm__quantile_inverse(const gm__way *w, double z);
#define GM__MAX_KNOTS 128
/* Knots of n sorted values into x, z and slope (GM__MAX_KNOTS each); returns how many, 0 where the
 * values are too few. */
int64_t gm__quantile_knots(const gm__kernels *k, const double *sorted, int64_t n, double deviation,
                           double *x, double *z, double *slope);
#endif
