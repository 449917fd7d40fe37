/* genmod/model.h: fitted models and the calls that one answers. */
#ifndef GENMOD_MODEL_H
#define GENMOD_MODEL_H

#include "genmod/base.h"
#include "genmod/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A fitted model: immutable, counted, complete with schema and transforms. Rows go in and come out
 * in the user's units and categories. Any number of threads may ask one model, each with a context
 * of its own.
 *
 * The calls have one shape: gm_model_<call>(ctx, model, inputs, cond, opts, outputs).
 *
 * - Inputs are rows (n, d): d columns in the order of the model's feature columns, any dtype and
 *   strides; categories by their numbers. Plain _f64 and _f32 forms take a pointer, n, and the
 *   distance of rows in elements (0: packed); _rows forms take a dataset, whose columns are found
 *   by name (GM_E_UNKNOWN where one is missing).
 * - cond: the conditioning columns given, (n, c) or (1, c) for all rows, in the user's units,
 *   categories by their numbers; NULL where the model has none. A conditional model needs them
 * (else GM_E_ARG): _rows forms without cond find them by name in the dataset, forms that take no
 * cond do not serve it. One that is missing, or a category never seen, is GM_E_DATA.
 * - opts: the options of this call, genmod-calls(7); may be NULL. Options of the family and of the
 *   fit may be among them, if they say what the model has (else GM_E_STAGE).
 * - Outputs are memory of the caller's, of the shape that is said (arrays: F32 or F64), or a new
 *   dataset that the caller frees.
 * - An answer for a row depends on the row, the model, the options, the seed and the row's number:
 *   not on the batch that it came in, the number of threads, or the processor.
 * - Every call may return GM_E_ARG, GM_E_SHAPE, GM_E_DATA (a malformed value, with its row and
 *   column), GM_E_UNSUPPORTED (the text names families that do answer), GM_E_UNKNOWN and GM_E_RANGE
 *   (an option), GM_E_STAGE, GM_E_SEED, GM_E_MEMORY, GM_E_CANCELLED, GM_E_BUSY. */
typedef struct gm_model gm_model;

/* ---- Families: kinds of model, and what each can answer -------------------------------------- */

/* What a model can answer; added up. */
enum {
    GM_CAN_SAMPLE = 1,
    GM_CAN_LOG_PROB = 2,
    GM_CAN_GRADIENT = 4,
    GM_CAN_ENCODE = 8,
    GM_CAN_DECODE = 16,
    GM_CAN_RECONSTRUCT = 32,
    GM_CAN_CONDITIONAL = 64 /* genmod/conditional.h: one column given others */
};

/* A family, as gm_family_at fills it; static text, or text of the table that was registered. */
typedef struct gm_family_info {
    uint32_t struct_size;
    int32_t version;
    int32_t capabilities;  /* GM_CAN_ */
    int32_t log_prob_kind; /* 0 none, 1 exact, 2 lower bound, 3 estimate; of real columns */
    const char *name;
    const char *summary; /* one line */
    int32_t direct; /* 1: it learns in one piece, by gm_fit or gm_fit_with, without a trainer */
} gm_family_info;

/* The i-th family known in this context; GM_E_RANGE past the end. */
GM_API gm_status gm_family_at(gm_context *ctx, int32_t i, gm_family_info *info);
/* The family of that name; GM_E_UNKNOWN with the names that there are. */
GM_API gm_status gm_family_find(gm_context *ctx, const char *name, gm_family_info *info);

/* ---- Life: fit, share, save and load a model ------------------------------------------------- */

/* Fits a family ("flow") to the FEATURE columns of rows, given its CONDITION columns where it has
 * any, each row counting by its WEIGHT where there is one: gm_trainer in one call, by adam. opts
 * holds options of the family and of "fit", genmod-fit(7) (a seed is required); those of the calls
 * to come may be among them: they are checked, and left alone. Another optimizer, its options and a
 * progress callback: gm_fit_with. GM_E_UNKNOWN and GM_E_RANGE for a family or an option, GM_E_SEED
 * without a seed, GM_E_DATA and GM_E_UNSUPPORTED for rows that the family cannot learn,
 * GM_E_NONFINITE where the loss does not stay finite, GM_E_CANCELLED, GM_E_IO for a checkpoint. */
GM_API gm_status gm_fit(gm_context *ctx, const char *family, const gm_dataset *rows,
                        const gm_options *opts, gm_model **model);
/* Gives up one owner's share. Any thread may. */
GM_API void gm_model_free(gm_model *model);
/* Another owner of the same model; each frees once. NULL for NULL. Any thread may. */
GM_API gm_model *gm_model_retain(gm_model *model);

/* Saves as a safetensors file (doc/FORMAT.md), replacing it atomically, or through a writer.
 * GM_E_IO. */
GM_API gm_status gm_model_save(gm_context *ctx, const gm_model *model, const char *path);
GM_API gm_status gm_model_write(gm_context *ctx, const gm_model *model, const gm_writer *writer);
/* Loads, from a file, a reader or memory (which is copied). name (may be NULL) stands for the path
 * in error texts. A loader believes nothing: GM_E_FORMAT, GM_E_VERSION, GM_E_CHECKSUM or
 * GM_E_UNKNOWN (a family that is not registered) with what was found and expected; GM_E_IO where
 * the file cannot be read. */
GM_API gm_status gm_model_load(gm_context *ctx, const char *path, gm_model **model);
GM_API gm_status gm_model_read(gm_context *ctx, const gm_reader *reader, const char *name,
                               gm_model **model);
GM_API gm_status gm_model_load_memory(gm_context *ctx, const void *bytes, int64_t size,
                                      gm_model **model);

/* ---- Introspection: what a model says of itself ---------------------------------------------- */

/* The name of its family; NULL for NULL. Texts, here and below, belong to the model. */
GM_API const char *gm_model_family(const gm_model *model);
/* What it can answer, a sum of GM_CAN_ values; 0 for NULL. */
GM_API int32_t gm_model_capabilities(const gm_model *model);
/* Exact, lower bound or estimate (1, 2, 3), for this model's columns; 0: no log_prob. */
GM_API int32_t gm_model_log_prob_kind(const gm_model *model);
/* How many features (d of its rows), conditions (c of cond) and columns of a code (k of codes (n,
 * k)) it has, and numbers that were fitted; 0 for NULL. */
GM_API int64_t gm_model_column_count(const gm_model *model);
GM_API int64_t gm_model_condition_count(const gm_model *model);
GM_API int64_t gm_model_code_count(const gm_model *model);
GM_API int64_t gm_model_parameter_count(const gm_model *model);
/* The i-th feature column (then the conditions) as the model knows it, with column->struct_size set
 * before. GM_E_RANGE past the end. */
GM_API gm_status gm_model_column(gm_context *ctx, const gm_model *model, int64_t i,
                                 gm_column *column);
/* The name of a category of a column; NULL out of range. */
GM_API const char *gm_model_category(const gm_model *model, int64_t column, int64_t category);
/* The values of a feature column that the model was fitted to with repeated=bins, where they are on
 * no decimal grid but come again (whole numbers, say, that someone centred and scaled): rising, of
 * the bit patterns of the rows (0 for -0); *count of them. Rows that the model gives (sample,
 * decode, reconstruct, impute) have no other values where the column is taken as bins, and archives
 * of the rows that it was fitted to need not tell them. Of a bin only the value that comes most is
 * kept; of a column at most 65536, else none. NULL, and *count (may be NULL) 0, where there is no
 * such list. The values belong to the model. Any thread may. */
GM_API const double *gm_model_column_values(const gm_model *model, int64_t column, int64_t *count);
/* The shape of a row where the training data had one (28, 28), else (d): as
 * gm_dataset_row_shape. */
GM_API gm_status gm_model_row_shape(gm_context *ctx, const gm_model *model, int32_t *ndim,
                                    int64_t shape[8]);
/* The i-th option that it was built and fitted with, but those that say where checkpoints went:
 * name, and value as text. GM_E_RANGE past the end. */
GM_API gm_status gm_model_option_at(gm_context *ctx, const gm_model *model, int32_t i,
                                    const char **name, const char **value);
/* All of it as one JSON text: family, options, schema, sizes, training record. Copied into buffer
 * as by gm_context_get. */
GM_API gm_status gm_model_describe(gm_context *ctx, const gm_model *model, char *buffer,
                                   int64_t size, int64_t *length);

/* The conditioning columns of a dataset, found by name, as the calls take them: into cond (rows,
 * c), F32 or F64, categories by the model's numbers. GM_E_ARG where the model has none. */
GM_API gm_status gm_model_conditions(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                                     gm_array *cond);

/* ---- Density: tell how probable rows are ----------------------------------------------------- */

/* log p of each row in nats, into logp[n]. A value outside the support, or a category never seen,
 * scores minus infinity. A model that is not exact draws: it needs the option "seed"; "draws" says
 * how many log weights log p(x, u) - log q(u | x) are averaged, u being what is drawn (a code, the
 * noise that makes whole numbers real). Of a model of kind lower bound, "kind" says how: "bound"
 * is their mean, a lower bound on log p in expectation for any number of draws; "estimate" is the
 * log of the mean of their exponentials, which tends to log p as draws grows (and on the way lies
 * below it in expectation). A model of kind estimate gives the latter. error (may be NULL): the
 * standard error of each mean over its draws, of an estimate to first order; NaN for a single draw,
 * 0 for exact models and where log p is minus infinity.
 *
 * log p of a diffusion is that of the density which its ODE sampler draws from ("sampler" heun or
 * ddim, in the limit of many steps), not of the random one; it comes of solving the ODE in
 * "ode_steps" steps. It draws, and needs the seed, only where discrete columns or "trace"
 * hutchinson do: a diffusion of real columns with the exact trace needs none. Its error is, in
 * quadrature, the gap between two step sizes (an indication of how far the steps are off, no bound)
 * and the standard error over probes and draws: NaN for a single step, a single draw, and without
 * draws a single probe. With "trace" hutchinson exp(log p) is too large on average: where the
 * probes' standard error is s, the log of its mean lies about s^2 / 2 above log p. */
GM_API gm_status gm_model_log_prob(gm_context *ctx, const gm_model *model, const gm_array *x,
                                   const gm_array *cond, const gm_options *opts, double *logp,
                                   double *error);
GM_API gm_status gm_model_log_prob_f64(gm_context *ctx, const gm_model *model, const double *x,
                                       int64_t n, int64_t row_stride, const gm_options *opts,
                                       double *logp);
GM_API gm_status gm_model_log_prob_f32(gm_context *ctx, const gm_model *model, const float *x,
                                       int64_t n, int64_t row_stride, const gm_options *opts,
                                       double *logp);
GM_API gm_status gm_model_log_prob_rows(gm_context *ctx, const gm_model *model,
                                        const gm_dataset *rows, const gm_array *cond,
                                        const gm_options *opts, double *logp, double *error);
/* log p of rows x (n, d) into logp[n], and bounds between which it surely lies into lower[n] and
 * upper[n]: as far apart as the precision that was asked of the call allows, and equal for models
 * that compute log p to the last bits. GM_E_UNSUPPORTED for models that draw to answer. */
GM_API gm_status gm_model_log_prob_bounds(gm_context *ctx, const gm_model *model, const gm_array *x,
                                          const gm_array *cond, const gm_options *opts,
                                          double *logp, double *lower, double *upper);
GM_API gm_status gm_model_log_prob_bounds_rows(gm_context *ctx, const gm_model *model,
                                               const gm_dataset *rows, const gm_array *cond,
                                               const gm_options *opts, double *logp, double *lower,
                                               double *upper);
/* log p into logp[n] (may be NULL) and its gradient in x into grad (n, d), zero for columns that
 * count, and where log p is minus infinity. Of a model that is not exact both are of the bound or
 * the estimate, over the same draws.
 */
GM_API gm_status gm_model_log_prob_gradient(gm_context *ctx, const gm_model *model,
                                            const gm_array *x, const gm_array *cond,
                                            const gm_options *opts, double *logp, gm_array *grad);

/* ---- Generation: draw new rows --------------------------------------------------------------- */

/* n rows drawn into x (n, d), in the units and categories of the training data, whole numbers
 * within the range seen there (or that of a vae's "levels"); the option "seed" is required. logp[n]
 * (may be NULL): log p of each as it is given, for models that answer gm_model_log_prob. Row i is
 * the same whatever n is. The plain forms fill x row-major, packed. */
GM_API gm_status gm_model_sample(gm_context *ctx, const gm_model *model, int64_t n,
                                 const gm_array *cond, const gm_options *opts, gm_array *x,
                                 double *logp);
GM_API gm_status gm_model_sample_f64(gm_context *ctx, const gm_model *model, int64_t n,
                                     const gm_array *cond, const gm_options *opts, double *x);
GM_API gm_status gm_model_sample_f32(gm_context *ctx, const gm_model *model, int64_t n,
                                     const gm_array *cond, const gm_options *opts, float *x);
/* As a dataset with the model's columns, ready for gm_dataset_save. */
GM_API gm_status gm_model_sample_rows(gm_context *ctx, const gm_model *model, int64_t n,
                                      const gm_array *cond, const gm_options *opts,
                                      gm_dataset **rows);

/* ---- Representation: turn rows into codes, and back ------------------------------------------ */

/* Codes of rows x (n, d) into z (n, k), k being gm_model_code_count. Discrete columns that a family
 * takes as real ones are encoded from the middle of what stands for them, so that decode(encode(x))
 * is x where the family's codes are exact. GM_E_DATA for a row of which the model can know nothing
 * (a category never seen, a number out of range), here and in reconstruct; log_prob scores it minus
 * infinity. */
GM_API gm_status gm_model_encode(gm_context *ctx, const gm_model *model, const gm_array *x,
                                 const gm_array *cond, const gm_options *opts, gm_array *z);
GM_API gm_status gm_model_encode_rows(gm_context *ctx, const gm_model *model,
                                      const gm_dataset *rows, const gm_array *cond,
                                      const gm_options *opts, gm_array *z);
/* Rows of codes z (n, k), into x (n, d) or a dataset with the model's columns. */
GM_API gm_status gm_model_decode(gm_context *ctx, const gm_model *model, const gm_array *z,
                                 const gm_array *cond, const gm_options *opts, gm_array *x);
GM_API gm_status gm_model_decode_rows(gm_context *ctx, const gm_model *model, const gm_array *z,
                                      const gm_array *cond, const gm_options *opts,
                                      gm_dataset **rows);
/* decode(encode(x)), into y (n, d) or a dataset with the model's columns. */
GM_API gm_status gm_model_reconstruct(gm_context *ctx, const gm_model *model, const gm_array *x,
                                      const gm_array *cond, const gm_options *opts, gm_array *y);
GM_API gm_status gm_model_reconstruct_rows(gm_context *ctx, const gm_model *model,
                                           const gm_dataset *rows, const gm_array *cond,
                                           const gm_options *opts, gm_dataset **out);

#ifdef __cplusplus
}
#endif
#endif
