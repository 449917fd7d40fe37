/* The ladder of gm_fit_auto: what is tried, with what sizes, and what came of it. */
#ifndef GM__AUTO_H
#define GM__AUTO_H
#include "genmod/auto.h"
#include "base/options.h"

/* What sizes are chosen by. */
typedef struct gm__auto_data {
    int64_t rows;     /* to learn from */
    int64_t held;     /* to score */
    int64_t columns;  /* features */
    int64_t measured; /* of them real or circular */
    int64_t whole;    /* integer or ordered */
    double seconds;   /* the budget in all */
} gm__auto_data;

enum { GM__AUTO_TEXT = 320 };

typedef struct gm__auto_plan {
    const char *rung, *family;
    const char *skip;  /* why it is recorded, but not tried; NULL: it is */
    int64_t most_rows; /* to learn from, drawn; 0: all */
    double weight;     /* share of the time that fits by steps have; 0: it needs no budget */
    char options[GM__AUTO_TEXT]; /* apart by blanks */
} gm__auto_plan;

/* The i-th rung for such data; 0 past the end. A rung that makes no sense for it has no family. */
int gm__auto_rung(int i, const gm__auto_data *data, gm__auto_plan *plan);

/* A tried model, with room for its texts. */
typedef struct gm__auto_try {
    gm_auto_row row;
    gm_model *model;
    double *logp;       /* (held-out rows); NULL where there is no model */
    double fit_seconds; /* without the score */
    char options[GM__AUTO_TEXT], why[512], rung[32], family[32], refit_why[128];
} gm__auto_try;

enum { GM__AUTO_MOST = 16 };

struct gm_auto_report {
    gm_allocator allocator;
    int64_t count;
    gm__auto_try tries[GM__AUTO_MOST];
};

typedef struct gm__auto_job {
    gm_context *ctx;
    gm_auto_config config;
    gm__values *values;
    const gm_dataset *train, *held;
    gm_dataset *parts[2]; /* those, where they are split off */
    int64_t held_rows;
    gm__auto_data data;
    gm_auto_report *report;
    double began;
} gm__auto_job;

/* "name=value name=value" into the bag, but for what is called `without` (NULL: nothing). */
gm_status gm__auto_words(gm_context *ctx, gm_options *bag, const char *words, const char *without);
/* log p of the rows held out. */
gm_status gm__auto_score(const gm__auto_job *j, const gm_model *model, double *logp);
/* Seconds that are left. */
double gm__auto_left(const gm__auto_job *j);
/* What it would take to fit it again to all rows, and to look at that; 0 where nothing is held out
 * of the rows, or that is not wanted. */
double gm__auto_refit_seconds(const gm__auto_job *j, const gm__auto_try *t);
/* The chosen one again, from all rows; its row tells whether. */
gm_status gm__auto_refit(gm__auto_job *j, gm__auto_try *best);

#endif
