/* From a family's name and data to a trainer, and in one call to a model. */
#include "model/bits.h"
#include "model/fit.h"
#include "model/condition.h"
#include "model/direct.h"
#include "model/init.h"

#include <math.h>
#include <string.h>

/* ---- Data ------------------------------------------------------------------------------------ */

/* The range of a column without values is 0 to 0. */
static int is_empty(const gm__column *c, int64_t rows)
{
    return c->missing_count >= rows && c->categories == 0 && c->low == 0 && c->high == 0;
}

static gm_status refuse_missing(gm_context *ctx, const gm_family *f, const gm_dataset *data,
                                int64_t i)
{
    const gm__schema *s = gm__dataset_schema(data);
    const gm__column *c = &s->columns[i];
    gm__label label;
    gm__column_label(&label, s, i);
    if (is_empty(c, gm_dataset_row_count(data)))
        return gm__fail(ctx, GM_E_DATA, "%s: %s is empty in every row: leave it out", f->name,
                        label.text);
    return gm__fail(ctx, GM_E_DATA,
                    "%s: %s has %lld missing values; it needs whole rows (read the file with "
                    "on_missing=drop)",
                    f->name, label.text, (long long)c->missing_count);
}

/* Of all columns of the data, so that texts count as the caller does. */
static gm_status check_columns(gm_context *ctx, const gm_family *f, const gm_dataset *data)
{
    const gm__schema *s = gm__dataset_schema(data);
    gm__label label;
    for (int64_t i = 0; i < s->count; i++) {
        if (s->columns[i].role != GM_ROLE_FEATURE)
            continue;
        if (s->columns[i].type == GM_COLUMN_CIRCULAR && !(f->flags & GM_FAMILY_CIRCULAR))
            return gm__fail(ctx, GM_E_UNSUPPORTED,
                            "%s: %s is circular; it takes real, integer, ordered, binary and "
                            "category columns: declare it real, or leave it out",
                            f->name, gm__column_label(&label, s, i));
        if (s->columns[i].missing_count > 0)
            return refuse_missing(ctx, f, data, i);
    }
    return GM_OK;
}

#define MOST_CATEGORIES 1024 /* each becomes a column that the network sees */

/* Columns that can be learned, but seldom to any good: an error for identifiers, a warning for
 * constants. */
static gm_status check_values(gm_context *ctx, const gm_family *f, const gm_dataset *data)
{
    const gm__schema *s = gm__dataset_schema(data);
    gm__label label;
    for (int64_t i = 0; i < s->count; i++) {
        const gm__column *c = &s->columns[i];
        if (c->role != GM_ROLE_FEATURE)
            continue;
        if (c->categories > MOST_CATEGORIES)
            return gm__fail(ctx, GM_E_DATA,
                            "%s: %s has %lld categories in %lld rows, at most %d can be learned: "
                            "leave it out, or make it the label",
                            f->name, gm__column_label(&label, s, i), (long long)c->categories,
                            (long long)gm_dataset_row_count(data), MOST_CATEGORIES);
        if (c->type == GM_COLUMN_REAL && c->low == c->high)
            gm__log(ctx, 1, "%s: %s is %g in every row: a density cannot describe it; leave it out",
                    f->name, gm__column_label(&label, s, i), c->low);
    }
    return GM_OK;
}

/* Everything a fit is made from. */
typedef struct gm__fit_parts {
    gm_fit_config config;
    const gm_family *family;
    gm_options *bag; /* all options that were said, and those that a model hands on */
    gm__values *values;
    gm_dataset *features, *train, *valid; /* valid NULL: none */
    gm_optimizer *optimizer;
    gm__structure *structure;
} gm__fit_parts;

static void clear_parts(gm__fit_parts *p)
{
    gm_options_free(p->bag);
    gm__values_free(p->values);
    gm_dataset_free(p->features);
    gm_dataset_free(p->train);
    gm_dataset_free(p->valid);
    gm_optimizer_free(p->optimizer);
    gm__structure_release(p->structure);
}

/* Training and validation rows: those given, or a fraction split off by the seed. */
static gm_status split_rows(gm_context *ctx, gm__fit_parts *p, const gm_dataset *valid,
                            uint64_t seed)
{
    int64_t rows = gm_dataset_row_count(p->features);
    double fraction = gm__value_real(p->values, "valid");
    if (rows < 1)
        return gm__fail(ctx, GM_E_DATA, "fit: the data has no rows");
    if (valid)
        p->valid = gm__dataset_retain(valid);
    if (valid || !(fraction > 0) || rows < 10) {
        p->train = gm__dataset_retain(p->features);
        return GM_OK;
    }
    return gm__dataset_split(ctx, p->features, fraction, seed, &p->train, &p->valid);
}

/* The bag's entries that are of the fit, and what a model hands on. */
static gm_status collect_options(gm_context *ctx, gm__fit_parts *p,
                                 const gm_option_row *const *tables, int count)
{
    const gm_options *options = p->config.options;
    const char *name, *text;
    GM_TRY(gm__options_new(ctx, &p->bag));
    for (int i = 0; options && (name = gm__options_at(options, i, &text)); i++)
        for (int t = 0; t < count; t++)
            if (gm__option_find(tables[t], name)) {
                GM_TRY(gm__options_put(ctx, p->bag, name, text));
                break;
            }
    return p->config.init ? gm__init_options(ctx, p->config.init, p->bag) : GM_OK;
}

static gm_status read_values(gm_context *ctx, gm__fit_parts *p)
{
    const int32_t all_stages = GM_STAGE_BUILD | GM_STAGE_FIT | GM_STAGE_CALL;
    const gm_option_row *tables[12];
    int own = gm__structure_tables(p->family, tables), count = own;
    count += gm__call_tables("log_prob", p->family, tables + count);
    count += gm__call_tables("sample", p->family, tables + count);
    /* the calls' options may be in the bag: they are checked here and act later */
    gm__values *all;
    GM_TRY(gm__values_create(ctx, p->family->name, tables, count, all_stages, p->config.options,
                             &all));
    gm__values_free(all);
    GM_TRY(collect_options(ctx, p, tables, own));
    GM_TRY(gm__values_create(ctx, p->family->name, tables, own, all_stages, p->bag, &p->values));
    if (!gm__value_given(p->values, "seed"))
        return gm__fail(ctx, GM_E_SEED,
                        "fit draws random numbers: set the option 'seed' to any whole number");
    return p->config.init ? gm__init_agree(ctx, p->config.init, p->values) : GM_OK;
}

/* Grey values give way to bits, of which the model will be. */
static gm_status take_bits(gm_context *ctx, gm__fit_parts *p, double high)
{
    gm_dataset *bits;
    if (p->family->direct || !(p->family->flags & GM_FAMILY_DISCRETE))
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "%s: binarize is for networks that take bits as they are: autoregressive, "
                        "vae",
                        p->family->name);
    GM_TRY(gm__bits_of(ctx, p->train, high, &bits));
    gm_dataset_free(p->features);
    p->features = bits;
    return GM_OK;
}

static gm_status make_structure(gm_context *ctx, gm__fit_parts *p)
{
    if (p->config.init)
        return gm__init_structure(ctx, p->config.init, p->bag, &p->structure);
    gm__transform *transform;
    double high = gm__value_real(p->values, "binarize");
    if (high > 0)
        GM_TRY(take_bits(ctx, p, high));
    const gm_dataset *rows = high > 0 ? p->features : p->train;
    int discrete = (p->family->flags & GM_FAMILY_DISCRETE) != 0;
    int asks = discrete && gm__value_known(p->values, "levels");
    gm__counting counting = {.levels = asks ? gm__value_int(p->values, "levels") : 0};
    GM_TRY(gm__transform_fit(ctx, rows, p->features, p->values, discrete ? &counting : NULL,
                             &transform));
    gm__schema *schema;
    gm_status code = GM_OK;
    if (gm__value_int(p->values, "repeated")) /* validation rows too: all that the fit knew */
        code = gm__transform_list(ctx, transform, p->features);
    if (!code)
        code = gm__fit_schema(ctx, p->features, &schema);
    if (!code)
        return gm__structure_create(ctx, p->family, p->values, schema, transform, 0, &p->structure);
    gm__transform_release(transform);
    return code;
}

static gm_status make_optimizer(gm_context *ctx, gm__fit_parts *p, const gm_optimizer *given)
{
    if (given) {
        p->optimizer = gm__optimizer_retain(given);
        return GM_OK;
    }
    return gm__optimizer_create(ctx, "adam", NULL, &p->optimizer);
}

/* Direct families have no loop for a host to own. */
static gm_status check_direct(gm_context *ctx, const gm_family *f, const gm_fit_config *config)
{
    if (f->direct && config->optimizer)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "%s: learns without an optimizer: leave config->optimizer NULL", f->name);
    return GM_OK;
}

/* What the caller's struct has room for; a caller of an earlier version knows no `init`. */
static gm_status take_config(gm_context *ctx, const char *family, const gm_fit_config *config,
                             gm__fit_parts *p)
{
    if (!config || config->struct_size < offsetof(gm_fit_config, init))
        return gm__fail(ctx, GM_E_ARG,
                        "fit: config is NULL or its struct_size is not sizeof(gm_fit_config)");
    size_t size = sizeof p->config < config->struct_size ? sizeof p->config : config->struct_size;
    memcpy(&p->config, config, size);
    if (!config->train)
        return gm__fail(ctx, GM_E_ARG, "fit: there is no training data");
    GM_TRY(gm__family_find(ctx, family, &p->family));
    if (p->config.init && p->config.init->structure->family != p->family)
        return gm__fail(ctx, GM_E_ARG, "fit: the model to go on from is of the family %s, not %s",
                        gm_model_family(p->config.init), p->family->name);
    return check_direct(ctx, p->family, &p->config);
}

/* The columns of the training data that are used, checked. */
static gm_status take_columns(gm_context *ctx, gm__fit_parts *p)
{
    const gm_dataset *train = p->config.train;
    if (p->config.init) {
        GM_TRY(gm__init_columns(ctx, p->config.init, train, &p->features));
        return gm__init_rows(ctx, p->config.init, p->features);
    }
    GM_TRY(gm__fit_columns(ctx, p->family, train, &p->features));
    GM_TRY(check_columns(ctx, p->family, train));
    return check_values(ctx, p->family, train);
}

static gm_status make_parts(gm_context *ctx, const char *family, const gm_fit_config *config,
                            gm__fit_parts *p)
{
    GM_TRY(take_config(ctx, family, config, p));
    GM_TRY(read_values(ctx, p));
    GM_TRY(take_columns(ctx, p));
    GM_TRY(split_rows(ctx, p, p->config.valid, (uint64_t)gm__value_int(p->values, "seed")));
    GM_TRY(make_structure(ctx, p));
    return p->family->direct ? GM_OK : make_optimizer(ctx, p, p->config.optimizer);
}

/* ---- Fingerprint ----------------------------------------------------------------------------- */

static void add_text(gm__sha256 *s, const char *text)
{
    gm__sha256_add(s, text, strlen(text) + 1);
}

/* Where and how often a checkpoint is written does not change the fit. */
static void add_values(gm__sha256 *s, const gm__values *values)
{
    const gm_option_row *row;
    const char *text;
    for (int i = 0; (row = gm__value_at(values, i, &text)); i++)
        if (strncmp(row->name, "checkpoint", 10) != 0) {
            add_text(s, row->name);
            add_text(s, text);
        }
}

static gm_status add_rows(gm_context *ctx, gm__sha256 *s, const gm_dataset *data)
{
    const int64_t piece = 256;
    int64_t rows = gm_dataset_row_count(data), d = gm_dataset_column_count(data);
    double *cells = gm__alloc_array(&ctx->allocator, piece * d, sizeof *cells);
    if (!cells)
        return gm__no_memory(ctx);
    gm_status code = GM_OK;
    for (int64_t first = 0; first < rows && !(code = gm__check_cancel(ctx)); first += piece) {
        int64_t n = rows - first < piece ? rows - first : piece;
        gm__dataset_rows(data, NULL, first, n, cells);
        gm__sha256_add(s, cells, (size_t)(n * d) * sizeof *cells);
    }
    gm__free(&ctx->allocator, cells, (size_t)(piece * d) * sizeof *cells);
    return code;
}

/* Roles other than a feature's: of features alone the hash is that of their cells. */
static void add_roles(gm__sha256 *s, const gm_dataset *data)
{
    const gm__schema *schema = gm__dataset_schema(data);
    for (int64_t i = 0; i < schema->count; i++)
        if (schema->columns[i].role != GM_ROLE_FEATURE)
            gm__sha256_add(s, &schema->columns[i].role, sizeof schema->columns[i].role);
}

static void end_text(gm__sha256 *s, char text[65])
{
    unsigned char digest[32];
    gm__sha256_end(s, digest);
    gm__sha256_text(digest, text);
}

static gm_status fingerprint(gm_context *ctx, const gm__fit_parts *p, gm__objective *o)
{
    gm__sha256 s;
    gm__sha256_begin(&s);
    add_text(&s, p->family->name);
    gm__sha256_add(&s, &p->family->version, sizeof p->family->version);
    end_text(&s, o->parts[GM__OF_FAMILY]);
    gm__sha256_begin(&s);
    add_values(&s, p->values);
    end_text(&s, o->parts[GM__OF_OPTIONS]);
    gm__sha256_begin(&s);
    add_text(&s, gm_optimizer_name(p->optimizer));
    add_values(&s, p->optimizer->values);
    end_text(&s, o->parts[GM__OF_OPTIMIZER]);
    gm__sha256_begin(&s);
    if (p->config.init)
        gm__init_hash(&s, p->config.init);
    add_roles(&s, p->train);
    GM_TRY(add_rows(ctx, &s, p->train));
    if (p->valid)
        GM_TRY(add_rows(ctx, &s, p->valid));
    end_text(&s, o->parts[GM__OF_DATA]);
    gm__sha256_begin(&s);
    for (int i = 0; i < GM__PARTS; i++)
        add_text(&s, o->parts[i]);
    end_text(&s, o->fingerprint);
    return GM_OK;
}

/* ---- Trainer --------------------------------------------------------------------------------- */

/* Takes the objective over. */
static gm_status start_trainer(gm_context *ctx, const gm__fit_parts *p, gm__objective *objective,
                               gm_trainer **trainer)
{
    gm_trainer *t;
    const gm_model *init = p->config.init;
    if (init)
        objective->start = NULL; /* what it would set has been learned */
    objective->continued = init != NULL;
    GM_TRY(gm__trainer_create(ctx, objective, p->values, p->optimizer, p->config.progress,
                              p->config.progress_user, &t));
    gm_status code = init ? gm__init_weights(ctx, init, t) : GM_OK;
    if (code)
        gm_trainer_free(t);
    else
        *trainer = t;
    return code;
}

static gm_status make_trainer(gm_context *ctx, const char *family, const gm_fit_config *config,
                              gm_trainer **trainer)
{
    gm__fit_parts p = {0};
    gm__objective objective;
    gm_status code = make_parts(ctx, family, config, &p);
    if (!code && p.family->direct)
        code = gm__fail(ctx, GM_E_UNSUPPORTED,
                        "gm_trainer_create: the family %s learns in one piece, it has no steps: "
                        "gm_fit and gm_fit_with fit it",
                        p.family->name);
    if (!code)
        code = gm__objective_create(ctx, p.structure, p.train, p.valid, &objective);
    if (!code) {
        code = fingerprint(ctx, &p, &objective);
        if (code)
            objective.free(objective.user);
        else
            code = start_trainer(ctx, &p, &objective, trainer);
    }
    clear_parts(&p);
    return code;
}

gm_status gm_trainer_create(gm_context *ctx, const char *family, const gm_fit_config *config,
                            gm_trainer **trainer)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!trainer)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "gm_trainer_create: trainer is NULL"));
    *trainer = NULL;
    return gm__leave(ctx, &entry, make_trainer(ctx, family, config, trainer));
}

static gm_status resume(gm_context *ctx, const char *family, const gm_fit_config *config,
                        const gm_reader *reader, const char *name, gm_trainer **out)
{
    gm_trainer *t = NULL;
    GM_TRY(make_trainer(ctx, family, config, &t));
    gm_status code = gm__trainer_restore(ctx, t, reader, name);
    if (code)
        gm_trainer_free(t);
    else
        *out = t;
    return code;
}

gm_status gm_trainer_resume(gm_context *ctx, const char *family, const gm_fit_config *config,
                            const char *path, gm_trainer **trainer)
{
    gm__entry entry;
    gm_reader reader;
    GM_TRY(gm__enter(ctx, &entry));
    if (!trainer || !path)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "gm_trainer_resume: trainer or path is NULL"));
    *trainer = NULL;
    gm_status code = gm__file_reader(ctx, path, &reader);
    if (!code) {
        code = resume(ctx, family, config, &reader, path, trainer);
        gm__file_reader_close(&reader);
    }
    return gm__leave(ctx, &entry, code);
}

gm_status gm_trainer_resume_read(gm_context *ctx, const char *family, const gm_fit_config *config,
                                 const gm_reader *reader, const char *name, gm_trainer **trainer)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = trainer ? gm__reader_check(ctx, reader)
                             : gm__fail(ctx, GM_E_ARG, "gm_trainer_resume_read: trainer is NULL");
    if (trainer)
        *trainer = NULL;
    if (!code)
        code = resume(ctx, family, config, reader, name ? name : "checkpoint", trainer);
    return gm__leave(ctx, &entry, code);
}

/* ---- In one call ----------------------------------------------------------------------------- */

static gm_status fit_direct(gm_context *ctx, const char *family, const gm_fit_config *config,
                            gm_model **model)
{
    gm__fit_parts p = {0};
    gm_status code = make_parts(ctx, family, config, &p);
    if (!code)
        code = gm__direct_fit(ctx, p.structure, p.train, p.valid, p.config.init, p.config.options,
                              model);
    clear_parts(&p);
    return code;
}

static gm_status fit(gm_context *ctx, const char *family, const gm_fit_config *config,
                     gm_model **model)
{
    gm_trainer *t;
    const gm_family *f;
    GM_TRY(gm__family_find(ctx, family, &f));
    if (f->direct)
        return fit_direct(ctx, family, config, model);
    GM_TRY(make_trainer(ctx, family, config, &t));
    gm_status code = gm__trainer_run(ctx, t, 0);
    if (!code)
        code = t->objective.model(t->objective.user, ctx, gm__trainer_weights(t), t, model);
    gm_trainer_free(t);
    return code;
}

gm_status gm_fit_with(gm_context *ctx, const char *family, const gm_fit_config *config,
                      gm_model **model)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!model)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "gm_fit: model is NULL"));
    *model = NULL;
    return gm__leave(ctx, &entry, fit(ctx, family, config, model));
}

gm_status gm_fit(gm_context *ctx, const char *family, const gm_dataset *rows,
                 const gm_options *opts, gm_model **model)
{
    gm_fit_config config = {.struct_size = sizeof config, .train = rows, .options = opts};
    return gm_fit_with(ctx, family, &config, model);
}

/* ---- Record ---------------------------------------------------------------------------------- */

void gm__fit_record(const gm_trainer *t, int64_t train_rows, int64_t valid_rows, gm__buffer *out)
{
    const gm__counters *at = &t->at;
    const struct {
        const char *name;
        double value;
    } reals[] = {{"loss", at->loss},
                 {"valid", at->valid},
                 {"best", at->best},
                 {"seconds", at->seconds},
                 {"lr", gm__optimizer_rate(t->optimizer)}};
    gm__buffer_format(out,
                      "{\"rows\":%lld,\"valid_rows\":%lld,\"batch\":%lld,\"steps\":%lld,"
                      "\"horizon\":%lld,\"hold\":%lld,\"best_step\":%lld",
                      (long long)train_rows, (long long)valid_rows, (long long)t->batch,
                      (long long)at->step, (long long)at->horizon, (long long)at->hold,
                      (long long)at->best_step);
    if (t->objective.continued)
        gm__buffer_format(out, ",\"init\":true,\"seed\":\"%s\"", gm__value_text(t->values, "seed"));
    if (t->objective.weighted)
        gm__buffer_text(out, ",\"weighted\":true");
    gm__buffer_format(out, ",\"recoveries\":%lld,\"optimizer\":\"%s\",\"matmul\":\"%s\"",
                      (long long)at->recoveries, gm_optimizer_name(t->optimizer),
                      at->foreign ? "cblas" : "own");
    for (int i = 0; i < (int)(sizeof reals / sizeof reals[0]); i++) {
        gm__buffer_format(out, ",\"%s\":", reals[i].name);
        gm__json_write_real(out, reals[i].value);
    }
    gm__buffer_format(out, ",\"library\":\"%s\",\"fingerprint\":\"%s\"}", gm_version(),
                      t->objective.fingerprint);
}
