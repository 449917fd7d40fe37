/* Models of direct families: those that no graph fits (genmod/extend.h). */
#ifndef GM__DIRECT_H
#define GM__DIRECT_H
#include "model/model.h"

struct gm_frame {
    const gm__structure *structure;
    const gm__values *values;
    int going_on;           /* from a model, which handed its options on: */
    const gm_options *said; /* what the fit's own are (NULL: none) */
};

typedef struct gm__named {
    char *name;
    int32_t ndim;
    int64_t shape[8];
    int64_t count; /* elements */
    double *data;
} gm__named;
struct gm_tensors {
    gm_allocator allocator;
    int64_t count, room;
    gm__named *list;
};

/* What fits of direct families take besides the transforms' options; ended by a row of zeros. */
extern const gm_option_row gm__direct_fit_options[];

gm_status gm__tensors_create(gm_context *ctx, gm_tensors **t);
void gm__tensors_free(gm_tensors *t);
/* NULL where all numbers are finite, else the name of an array that holds another. */
const char *gm__tensors_unsound(const gm_tensors *t);

/* A model of what was learned. Takes the tensors over, also on failure; retains the structure,
 * copies the text. GM_E_FORMAT where the family cannot be opened with them. */
gm_status gm__direct_model(gm_context *ctx, gm__structure *s, gm_tensors *t, const char *record,
                           gm_model **model);
/* Closes what gm__direct_model opened. */
void gm__direct_clear(gm_model *model);

/* Learns from the rows of train, and of valid (may be NULL). start: a model to go on from, or NULL;
 * said: what was set for the fit besides what that model hands on (may be NULL). */
gm_status gm__direct_fit(gm_context *ctx, gm__structure *s, const gm_dataset *train,
                         const gm_dataset *valid, const gm_model *start, const gm_options *said,
                         gm_model **model);

/* x (n, width) of the transform's outputs: reals as they lie where there are no categories, else
 * copied into `wide` with the numbers of the categories behind them. */
const double *gm__direct_x(const gm__structure *s, const double *reals, const int32_t *index,
                           int64_t n, double *wide);
/* And back: categories rounded into their range. */
void gm__direct_back(const gm__structure *s, const double *x, int64_t n, double *reals,
                     int32_t *index);
/* Rows at a time of a call. */
int64_t gm__direct_capacity(const gm__structure *s, int64_t rows);

/* Tensors of a model's file but the one named `besides`. GM_E_FORMAT. */
gm_status gm__direct_read(gm_context *ctx, const gm__tensor_file *f, const char *file,
                          const char *besides, gm_tensors **t);

#endif
