/* Which families there are, what they can do, and every options table by its owner's name. */
#include "model/direct.h"
#include "data/data.h"

#include <string.h>

typedef struct gm__registry {
    int64_t count;
    const gm_family *families[64];
} gm__registry;

static const gm_family *family_at(const gm_context *ctx, int32_t i)
{
    int32_t built_in = 0;
    while (gm__builtin_families[built_in])
        built_in++;
    if (i < 0)
        return NULL;
    if (i < built_in)
        return gm__builtin_families[i];
    const gm__registry *r = ctx->registry;
    return r && i - built_in < r->count ? r->families[i - built_in] : NULL;
}

static int32_t direct_capabilities(const gm_direct *d)
{
    int32_t can = 0;
    if (d->sample)
        can |= GM_CAN_SAMPLE;
    if (d->log_prob)
        can |= GM_CAN_LOG_PROB | GM_CAN_GRADIENT;
    if (d->encode)
        can |= GM_CAN_ENCODE;
    if (d->decode)
        can |= GM_CAN_DECODE;
    if (d->encode && d->decode)
        can |= GM_CAN_RECONSTRUCT;
    if (d->law)
        can |= GM_CAN_CONDITIONAL;
    return can;
}

int32_t gm__family_capabilities(const gm_family *f)
{
    int32_t can = 0;
    if (f->direct)
        return direct_capabilities(f->direct);
    if ((f->base && f->decode) || f->sequence)
        can |= GM_CAN_SAMPLE;
    if (f->log_prob)
        can |= GM_CAN_LOG_PROB | GM_CAN_GRADIENT;
    if (f->encode)
        can |= GM_CAN_ENCODE;
    if (f->decode)
        can |= GM_CAN_DECODE;
    if (f->encode && f->decode)
        can |= GM_CAN_RECONSTRUCT;
    if (f->conditionals)
        can |= GM_CAN_CONDITIONAL;
    if (f->diffusion)
        can = GM_CAN_SAMPLE | GM_CAN_LOG_PROB | GM_CAN_ENCODE | GM_CAN_DECODE | GM_CAN_RECONSTRUCT;
    return can;
}

int32_t gm__family_kind(const gm_family *f)
{
    int has = f->log_prob || (f->direct && f->direct->log_prob);
    return f->diffusion ? GM_ESTIMATE : has ? f->log_prob_kind : GM_NO_LOG_PROB;
}

const char *gm__families_that(gm_context *ctx, int32_t capability, char *buffer, int64_t size)
{
    int64_t at = 0;
    buffer[0] = 0;
    for (int32_t i = 0; family_at(ctx, i); i++)
        if ((gm__family_capabilities(family_at(ctx, i)) & capability) == capability &&
            at < size - 1)
            at += gm__format(buffer + at, size - at, at ? ", %s" : "%s", family_at(ctx, i)->name);
    return buffer;
}

const char *gm__families_with(gm_context *ctx, int32_t flags, char *buffer, int64_t size)
{
    int64_t at = 0;
    buffer[0] = 0;
    for (int32_t i = 0; family_at(ctx, i); i++)
        if ((family_at(ctx, i)->flags & flags) == flags && at < size - 1)
            at += gm__format(buffer + at, size - at, at ? ", %s" : "%s", family_at(ctx, i)->name);
    return buffer;
}

gm_status gm__family_find(gm_context *ctx, const char *name, const gm_family **family)
{
    if (!name)
        return gm__fail(ctx, GM_E_ARG, "family is NULL");
    for (int32_t i = 0; family_at(ctx, i); i++)
        if (strcmp(family_at(ctx, i)->name, name) == 0) {
            *family = family_at(ctx, i);
            return GM_OK;
        }
    char names[512];
    return gm__fail(ctx, GM_E_UNKNOWN, "there is no family '%.*s'; there are: %s", 60, name,
                    gm__families_that(ctx, 0, names, sizeof names));
}

static void fill_info(const gm_family *f, gm_family_info *info)
{
    gm_family_info full = {.struct_size = info->struct_size,
                           .version = f->version,
                           .name = f->name,
                           .summary = f->summary,
                           .direct = f->direct != NULL,
                           .capabilities = gm__family_capabilities(f),
                           .log_prob_kind = gm__family_kind(f)};
    memcpy(info, &full, info->struct_size < sizeof full ? info->struct_size : sizeof full);
}

static gm_status check_info(gm_context *ctx, const gm_family_info *info)
{
    if (!info || info->struct_size < sizeof info->struct_size)
        return gm__fail(ctx, GM_E_ARG,
                        "gm_family_info: info is NULL or its struct_size is not set");
    return GM_OK;
}

gm_status gm_family_at(gm_context *ctx, int32_t i, gm_family_info *info)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = check_info(ctx, info);
    if (!code && !family_at(ctx, i))
        code = gm__fail(ctx, GM_E_RANGE, "gm_family_at: there is no family number %d", (int)i);
    if (!code)
        fill_info(family_at(ctx, i), info);
    return gm__leave(ctx, &entry, code);
}

gm_status gm_family_find(gm_context *ctx, const char *name, gm_family_info *info)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    const gm_family *f = NULL;
    gm_status code = check_info(ctx, info);
    if (!code)
        code = gm__family_find(ctx, name, &f);
    if (!code)
        fill_info(f, info);
    return gm__leave(ctx, &entry, code);
}

/* ---- Registering ----------------------------------------------------------------------------- */

static void registry_free(gm_context *ctx, void *registry)
{
    gm__free(&ctx->allocator, registry, sizeof(gm__registry));
}

static gm_status check_diffusion(gm_context *ctx, const gm_family *f)
{
    const gm_diffusion *d = f->diffusion;
    if (d->struct_size < sizeof *d || !d->levels || !d->schedule || !d->velocity)
        return gm__fail(
            ctx, GM_E_ARG,
            "gm_family_register: %s: diffusion needs levels, schedule and velocity, and "
            "struct_size sizeof(gm_diffusion)",
            f->name);
    if (!f->loss)
        return gm__fail(ctx, GM_E_ARG, "gm_family_register: %s: a diffusion needs a loss", f->name);
    if (f->log_prob || f->encode || f->decode || f->base || f->draw || f->code)
        return gm__fail(
            ctx, GM_E_ARG,
            "gm_family_register: %s: a diffusion has no log_prob, encode, decode, base, "
            "draw or code of its own: they follow from its velocity",
            f->name);
    if (f->flags & ~GM_FAMILY_CONDITIONS)
        return gm__fail(ctx, GM_E_ARG,
                        "gm_family_register: %s: a diffusion is of real columns, and its loss not "
                        "in nats: it can have no flags but that of conditions",
                        f->name);
    return GM_OK;
}

static gm_status check_direct(gm_context *ctx, const gm_family *f)
{
    const gm_direct *d = f->direct;
    if (d->struct_size < sizeof *d || !d->fit || !d->open || !d->close ||
        (!d->log_prob && !d->sample))
        return gm__fail(ctx, GM_E_ARG,
                        "gm_family_register: %s: a direct family needs fit, open, close, and "
                        "log_prob or sample, and struct_size sizeof(gm_direct)",
                        f->name);
    if (f->loss || f->log_prob || f->encode || f->decode || f->base || f->draw || f->code ||
        f->diffusion || f->phases)
        return gm__fail(ctx, GM_E_ARG,
                        "gm_family_register: %s: a direct family has no functions that build "
                        "graphs",
                        f->name);
    return GM_OK;
}

static gm_status check_conditionals(gm_context *ctx, const gm_family *f)
{
    const gm_conditionals *c = f->conditionals;
    if (c->struct_size < sizeof *c || !c->order || (!c->at && (!c->raw || !c->likelihood)))
        return gm__fail(ctx, GM_E_ARG,
                        "gm_family_register: %s: conditionals need order, and raw with likelihood "
                        "or at, and struct_size sizeof(gm_conditionals)",
                        f->name);
    if (c->at && (f->flags & GM_FAMILY_DISCRETE))
        return gm__fail(ctx, GM_E_ARG,
                        "gm_family_register: %s: conditionals by at are of real columns; a family "
                        "that takes discrete columns as they are gives raw",
                        f->name);
    return GM_OK;
}

static gm_status check_family(gm_context *ctx, const gm_family *f)
{
    if (!f || f->struct_size < sizeof *f)
        return gm__fail(
            ctx, GM_E_ARG,
            "gm_family_register: family is NULL or its struct_size is not sizeof(gm_family)");
    if (!f->name || !f->name[0] || !f->summary || f->version < 1)
        return gm__fail(
            ctx, GM_E_ARG,
            "gm_family_register: a family needs a name, a summary and a version from 1 on");
    if (f->direct)
        GM_TRY(check_direct(ctx, f));
    if (!f->loss && !f->log_prob && !f->direct)
        return gm__fail(ctx, GM_E_ARG, "gm_family_register: %s: a family needs loss or log_prob",
                        f->name);
    if ((f->log_prob || (f->direct && f->direct->log_prob)) &&
        (f->log_prob_kind < GM_EXACT || f->log_prob_kind > GM_ESTIMATE))
        return gm__fail(ctx, GM_E_ARG,
                        "gm_family_register: %s: log_prob_kind must say what log_prob gives",
                        f->name);
    if (f->sequence && (f->base || f->sequence->struct_size < sizeof *f->sequence ||
                        !f->sequence->steps || !f->sequence->next))
        return gm__fail(ctx, GM_E_ARG,
                        "gm_family_register: %s: a sequence needs steps and next, and struct_size "
                        "sizeof(gm_sequence); its family has no base",
                        f->name);
    if (f->base && !f->decode)
        return gm__fail(ctx, GM_E_ARG, "gm_family_register: %s: base is of use with decode only",
                        f->name);
    if (f->diffusion)
        GM_TRY(check_diffusion(ctx, f));
    if (f->conditionals)
        GM_TRY(check_conditionals(ctx, f));
    for (int32_t i = 0; family_at(ctx, i); i++)
        if (strcmp(family_at(ctx, i)->name, f->name) == 0)
            return gm__fail(ctx, GM_E_ARG, "gm_family_register: there is a family '%s' already",
                            f->name);
    return GM_OK;
}

static gm_status add_family(gm_context *ctx, const gm_family *f)
{
    GM_TRY(check_family(ctx, f));
    gm__registry *r = ctx->registry;
    if (!r) {
        r = gm__alloc(&ctx->allocator, sizeof *r);
        if (!r)
            return gm__no_memory(ctx);
        ctx->registry = r;
        ctx->registry_free = registry_free;
    }
    if (r->count == (int64_t)(sizeof r->families / sizeof r->families[0]))
        return gm__fail(ctx, GM_E_STATE, "gm_family_register: a context holds at most %d families",
                        (int)r->count);
    r->families[r->count++] = f;
    return GM_OK;
}

gm_status gm_family_register(gm_context *ctx, const gm_family *family)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, add_family(ctx, family));
}

/* ---- Options by owner ------------------------------------------------------------------------ */

#define SEED_ROW                                                                                   \
    {                                                                                              \
        "seed", GM_STAGE_CALL, GM_SEED, "", "", 1,                                                 \
            "random numbers are a function of it; required where the call draws"                   \
    }
#define PRECISION(initial)                                                                         \
    {                                                                                              \
        "precision", GM_STAGE_CALL, GM_CHOICE, initial, "model|f32|f64", 1,                        \
            "arithmetic of this call; model: as it was fitted"                                     \
    }
#define KIND_ROW                                                                                   \
    {                                                                                              \
        "kind", GM_STAGE_CALL, GM_CHOICE, "bound", "bound|estimate", 1,                            \
            "where the answer is not exact: the mean of the draws' log weights, a lower bound, "   \
            "or the log of their mean weight, which is closer the more draws there are"            \
    }
#define DRAWS_ROW                                                                                  \
    {                                                                                              \
        "draws", GM_STAGE_CALL, GM_INT, "8", "1..1000000", 1,                                      \
            "draws averaged where the answer is a bound or an estimate; 2 by default of a "        \
            "diffusion"                                                                            \
    }
#define TEMPERATURE_ROW                                                                            \
    {                                                                                              \
        "temperature", GM_STAGE_CALL, GM_REAL, "1", "0..1000", 1,                                  \
            "scales the draw of the base: below 1 more typical rows, above 1 more varied"          \
    }
static const gm_option_row log_prob_options[] = {
    SEED_ROW, KIND_ROW, DRAWS_ROW, PRECISION("model"), {0},
};
static const gm_option_row sample_options[] = {
    SEED_ROW,
    TEMPERATURE_ROW,
    PRECISION("model"),
    {0},
};
static const gm_option_row code_options[] = {PRECISION("f64"), {0}};

/* What the same calls take of a diffusion besides. */
#define ODE_STEPS(initial, cost)                                                                   \
    {                                                                                              \
        "ode_steps", GM_STAGE_CALL, GM_INT, initial, "1..1000000", 1,                              \
            "diffusion: steps of the probability flow between data and noise, of fourth order; "   \
            "a row takes " cost " evaluations of the network"                                      \
    }
static const gm_option_row path_log_prob_options[] = {
    ODE_STEPS("50", "draws x ode_steps x 4 x probes (or columns, where trace is exact)"),
    {"trace", GM_STAGE_CALL, GM_CHOICE, "auto", "auto|exact|hutchinson", 1,
     "diffusion: the divergence of its flow, column by column or estimated from random probes; "
     "auto is exact up to 16 columns"},
    {"probes", GM_STAGE_CALL, GM_INT, "2", "1..10000", 1, "diffusion: probes of trace=hutchinson"},
    {0},
};
/* In place of the row above: each draw goes all the way to noise. */
static const gm_option_row path_draws_options[] = {
    {"draws", GM_STAGE_CALL, GM_INT, "2", "1..1000000", 1,
     "draws averaged where whole numbers and categories are drawn as real ones"},
    {0},
};
static const gm_option_row path_sample_options[] = {
    {"sampler", GM_STAGE_CALL, GM_CHOICE, "heun", "heun|ddim|ancestral", 1,
     "diffusion: steps of second or first order along its flow, or random ones"},
    {"sampler_steps", GM_STAGE_CALL, GM_INT, "50", "1..1000000", 1,
     "diffusion: steps from noise to data; the random ones of ancestral should be hundreds"},
    {"stop", GM_STAGE_CALL, GM_REAL, "0", "0..1", 1,
     "diffusion: part of the way that is not gone: 1 gives the noise, 0 data"},
    {0},
};
static const gm_option_row path_code_options[] = {ODE_STEPS("100", "ode_steps x 4"), {0}};

/* The same calls of a direct family, which computes in double. */
static const gm_option_row direct_log_prob_options[] = {SEED_ROW, KIND_ROW, DRAWS_ROW, {0}};
static const gm_option_row direct_sample_options[] = {
    SEED_ROW,
    TEMPERATURE_ROW,
    {0},
};
static const gm_option_row no_options[] = {{0}};

/* Calls on columns given others: their own options, and of families that build graphs these. */
static const gm_option_row impute_options[] = {
    SEED_ROW,
    {"how", GM_STAGE_CALL, GM_CHOICE, "draw", "draw|mean|median|mode", 1,
     "missing cells get a draw given the known ones (all of a row together), or each its mean, "
     "median or most probable value; categories have no mean: the most probable stands for it"},
    {"draws", GM_STAGE_CALL, GM_INT, "128", "1..1000000", 1,
     "where a family knows columns in one order only: completed rows drawn, weighed by how well "
     "they explain the known cells behind missing ones; where it knows one column given all "
     "others: sweeps that count for mean, median and mode"},
    {"sweeps", GM_STAGE_CALL, GM_INT, "100", "1..1000000", 1,
     "where a family knows one column given all others: times that each of a row's missing cells "
     "is drawn anew, given the rest, until they count as drawn together (Gibbs sampling)"},
    {0},
};
static const gm_option_row range_options[] = {
    SEED_ROW,
    {"draws", GM_STAGE_CALL, GM_INT, "1000", "1..1000000", 1,
     "rows drawn, column by column within the ranges, whose probabilities are averaged"},
    {0},
};
static const gm_option_row given_precision[] = {PRECISION("model"), {0}};

/* And of a family that draws a row given its code. */
static const gm_option_row draw_sample_options[] = {
    {"noise", GM_STAGE_CALL, GM_BOOL, "true", "", 1,
     "vae: rows are drawn given their codes; false gives their means instead"},
    {0},
};

static int direct_tables(const char *call, const gm_direct *d, const gm_option_row *tables[3])
{
    int score = strcmp(call, "log_prob") == 0, draw = strcmp(call, "sample") == 0, count = 0;
    const gm_option_row *own = score ? d->log_prob_options : draw ? d->sample_options : NULL;
    if (own)
        tables[count++] = own; /* the first that has a name counts */
    tables[count++] = score ? direct_log_prob_options : draw ? direct_sample_options : no_options;
    return count;
}

int gm__call_tables(const char *call, const gm_family *family, const gm_option_row *tables[3])
{
    static const struct {
        const char *call;
        const gm_option_row *any, *path, *draw;
        int given; /* a call on columns given others */
    } calls[] = {{"log_prob", log_prob_options, path_log_prob_options, NULL, 0},
                 {"sample", sample_options, path_sample_options, draw_sample_options, 0},
                 {"encode", code_options, path_code_options, NULL, 0},
                 {"decode", code_options, path_code_options, NULL, 0},
                 {"reconstruct", code_options, path_code_options, NULL, 0},
                 {"conditional", no_options, NULL, NULL, 1},
                 {"impute", impute_options, NULL, NULL, 1},
                 {"range_prob", range_options, NULL, NULL, 1}};
    int count = 0;
    for (int i = 0; i < (int)(sizeof calls / sizeof calls[0]); i++) {
        if (strcmp(call, calls[i].call) != 0)
            continue;
        if (family && family->direct && !calls[i].given)
            return direct_tables(call, family->direct, tables);
        if (family && family->diffusion && calls[i].any == log_prob_options)
            tables[count++] = path_draws_options; /* the first that has a name counts */
        tables[count++] = calls[i].any;
        if (calls[i].given && (!family || !family->direct))
            tables[count++] = given_precision;
        if (calls[i].path && (!family || family->diffusion))
            tables[count++] = calls[i].path;
        if (calls[i].draw && (!family || family->draw))
            tables[count++] = calls[i].draw;
    }
    return count;
}

/* Of an owner like "vae.sample" or "mixture.fit", a call or a fit as one family takes it. */
static int call_of_family(gm_context *ctx, const char *owner, const gm_option_row *tables[3])
{
    const char *dot = strrchr(owner, '.');
    for (int32_t i = 0; dot && family_at(ctx, i); i++) {
        const char *name = family_at(ctx, i)->name;
        if (strlen(name) != (size_t)(dot - owner) || memcmp(name, owner, strlen(name)) != 0)
            continue;
        if (strcmp(dot + 1, "fit") == 0) {
            tables[0] = family_at(ctx, i)->direct ? gm__direct_fit_options : gm__fit_options;
            tables[1] = gm__transform_options;
            return 2;
        }
        return gm__call_tables(dot + 1, family_at(ctx, i), tables);
    }
    return 0;
}

static const gm_option_row *use_options(const char *owner)
{
    for (const gm__use *use = gm__uses; use->owner; use++)
        if (strcmp(use->owner, owner) == 0)
            return use->options;
    return NULL;
}

/* The tables of an owner, one after the other; returns how many. */
static int owner_tables(gm_context *ctx, const char *owner, const gm_option_row *tables[3])
{
    static const gm_option_row none[] = {{0}};
    int count = gm__call_tables(owner, NULL, tables);
    if (!count)
        count = call_of_family(ctx, owner, tables);
    if (count)
        return count;
    if (strcmp(owner, "context") == 0)
        tables[0] = gm__context_options;
    else if (strcmp(owner, "csv") == 0)
        tables[0] = gm__csv_options;
    else if (strcmp(owner, "fit") == 0) {
        tables[0] = gm__fit_options;
        tables[1] = gm__transform_options;
        return 2;
    } else if (!(tables[0] = gm__optimizer_options(owner)) && !(tables[0] = use_options(owner)))
        for (int32_t i = 0; family_at(ctx, i); i++)
            if (strcmp(family_at(ctx, i)->name, owner) == 0)
                tables[0] = family_at(ctx, i)->options ? family_at(ctx, i)->options : none;
    return tables[0] != NULL;
}

/* Whether one of the tables before has a row of that name, which is the one that acts. */
static int overruled(const gm_option_row *const *tables, int before, const char *name)
{
    for (int t = 0; t < before; t++)
        if (gm__option_find(tables[t], name))
            return 1;
    return 0;
}

static gm_status option_at(gm_context *ctx, const char *owner, int32_t i, gm_option_info *info)
{
    const gm_option_row *tables[3];
    if (!owner || !info || info->struct_size < sizeof info->struct_size)
        return gm__fail(ctx, GM_E_ARG,
                        "gm_option_at: owner or info is NULL, or struct_size is not set");
    int count = owner_tables(ctx, owner, tables);
    if (count == 0)
        return gm__fail(ctx, GM_E_UNKNOWN,
                        "gm_option_at: nothing named '%.*s' has options; a family, an optimizer, "
                        "context, fit, anomaly, auto, csv, compare, nuts or a call (sample, or "
                        "vae.sample) has",
                        60, owner);
    int32_t at = i;
    for (int t = 0; t < count && at >= 0; t++)
        for (const gm_option_row *row = tables[t]; row->name; row++)
            if (!overruled(tables, t, row->name) && at-- == 0) {
                gm__option_info_fill(row, info);
                return GM_OK;
            }
    return gm__fail(ctx, GM_E_RANGE, "gm_option_at: '%s' has no option number %d", owner, (int)i);
}

gm_status gm_option_at(gm_context *ctx, const char *owner, int32_t i, gm_option_info *info)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, option_at(ctx, owner, i, info));
}
