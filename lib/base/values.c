/* The values in force for some tables: a bag's, checked, and the defaults. */
#include "base/option_value.h"

#include <string.h>

typedef struct held {
    const gm_option_row *row;
    char *text;
    int64_t whole;
    double real;
    int64_t *ints;
    int64_t count;
    int given;
} held;

struct gm__values {
    gm__arena arena; /* everything but this */
    int32_t owners;  /* atomic */
    int count;
    held *held;
};

/* ---- Tables ---- */

const gm_option_row *gm__option_find(const gm_option_row *table, const char *name)
{
    for (; table && table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

/* The first row of that name that acts in the stage; else the first of that name. */
static const gm_option_row *find_row(const gm_option_row *const *tables, int count, int32_t stage,
                                     const char *name)
{
    const gm_option_row *found = NULL;
    for (int t = 0; t < count; t++) {
        const gm_option_row *row = gm__option_find(tables[t], name);
        if (row && (row->stage & stage))
            return row;
        if (!found)
            found = row;
    }
    return found;
}

void gm__option_info_fill(const gm_option_row *row, gm_option_info *info)
{
    gm_option_info full = {.struct_size = info->struct_size,
                           .type = row->type,
                           .stage = row->stage,
                           .since = row->since,
                           .name = row->name,
                           .default_value = row->initial,
                           .range = row->range,
                           .help = row->help};
    memcpy(info, &full, info->struct_size < sizeof full ? info->struct_size : sizeof full);
}

gm_status gm__option_check(gm_context *ctx, const char *owner, const gm_option_row *row,
                           const char *text)
{
    gm__option_value value;
    return gm__option_read(ctx, owner, row, text, &value);
}

/* ---- Names that do not fit ---- */

static void list_names(gm__buffer *b, const gm_option_row *const *tables, int count, int32_t stage)
{
    int any = 0;
    for (int t = 0; t < count; t++)
        for (const gm_option_row *row = tables[t]; row && row->name; row++)
            if ((row->stage & stage) && find_row(tables, count, stage, row->name) == row)
                gm__buffer_format(b, "%s%s", any++ ? ", " : "", row->name);
}

static const char *nearest_name(const gm_option_row *const *tables, int count, int32_t stage,
                                const char *name)
{
    const char *nearest = NULL;
    int least = strlen(name) < 5 ? 2 : 3; /* what is further off was not meant */
    for (int t = 0; t < count; t++)
        for (const gm_option_row *row = tables[t]; row && row->name; row++) {
            int d = row->stage & stage ? gm__edit_distance(name, row->name, least) : least;
            if (d < least) {
                least = d;
                nearest = row->name;
            }
        }
    return nearest;
}

static gm_status unknown_name(gm_context *ctx, const char *owner,
                              const gm_option_row *const *tables, int count, int32_t stage,
                              const char *name)
{
    gm__buffer names = {.allocator = ctx->allocator};
    const char *near = nearest_name(tables, count, stage, name);
    list_names(&names, tables, count, stage);
    const char *list = names.failed || !names.size ? "none" : names.data;
    gm_status code = near ? gm__fail(ctx, GM_E_UNKNOWN,
                                     "%s: no option '%.100s'; did you mean '%s'? There are: %s",
                                     owner, name, near, list)
                          : gm__fail(ctx, GM_E_UNKNOWN, "%s: no option '%.100s'; there are: %s",
                                     owner, name, list);
    gm__buffer_clear(&names);
    return code;
}

static const char *stage_text(int32_t stage)
{
    return stage & GM_STAGE_BUILD ? "when a model is built"
           : stage & GM_STAGE_FIT ? "while a model is fitted"
                                  : "in a call on a model";
}

static gm_status check_names(gm_context *ctx, const char *owner, const gm_option_row *const *tables,
                             int count, int32_t stage, const gm_options *bag)
{
    const char *name;
    for (int i = 0; (name = gm__options_at(bag, i, NULL)); i++) {
        const gm_option_row *row = find_row(tables, count, stage, name);
        if (!row)
            return unknown_name(ctx, owner, tables, count, stage, name);
        if (!(row->stage & stage))
            return gm__fail(ctx, GM_E_STAGE, "%s: option '%s' acts %s, it cannot be given here",
                            owner, name, stage_text(row->stage));
    }
    return GM_OK;
}

/* ---- Making ---- */

/* Keeps one row's value; text is the bag's, or the default. */
static gm_status hold(gm_context *ctx, gm__values *v, held *h, const char *owner, const char *text)
{
    gm__option_value value = {0};
    gm__buffer canonical = {.allocator = v->arena.allocator};
    int none = !h->given && !*text && h->row->type != GM_INTS;
    if (!none)
        GM_TRY(gm__option_read(ctx, owner, h->row, text, &value));
    if (none)
        gm__buffer_text(&canonical, "");
    else
        gm__option_write(&canonical, h->row, &value, text);
    h->text = canonical.failed ? NULL : gm__arena_text(&v->arena, canonical.data);
    gm__buffer_clear(&canonical);
    h->whole = value.whole;
    h->real = value.real;
    h->count = value.count;
    if (value.count) {
        h->ints = gm__arena_array(&v->arena, value.count, sizeof *h->ints);
        if (h->ints)
            memcpy(h->ints, value.ints, (size_t)value.count * sizeof *h->ints);
    }
    return h->text && (!value.count || h->ints) ? GM_OK : gm__no_memory(ctx);
}

static gm_status hold_all(gm_context *ctx, gm__values *v, const char *owner,
                          const gm_option_row *const *tables, int count, int32_t stage,
                          const gm_options *bag)
{
    int64_t rows = 0;
    for (int t = 0; t < count; t++)
        for (const gm_option_row *row = tables[t]; row && row->name; row++)
            rows++;
    v->held = gm__arena_array(&v->arena, rows, sizeof *v->held);
    if (rows && !v->held)
        return gm__no_memory(ctx);
    for (int t = 0; t < count; t++)
        for (const gm_option_row *row = tables[t]; row && row->name; row++) {
            if (find_row(tables, count, stage, row->name) != row)
                continue;
            const char *text = gm__options_find(bag, row->name);
            held *h = &v->held[v->count++];
            h->row = row;
            h->given = text != NULL;
            GM_TRY(hold(ctx, v, h, owner, text ? text : row->initial ? row->initial : ""));
        }
    return GM_OK;
}

gm_status gm__values_create(gm_context *ctx, const char *owner, const gm_option_row *const *tables,
                            int count, int32_t stage, const gm_options *bag, gm__values **values)
{
    *values = NULL;
    GM_TRY(check_names(ctx, owner, tables, count, stage, bag));
    gm__values *v = gm__alloc(&ctx->allocator, sizeof *v);
    if (!v)
        return gm__no_memory(ctx);
    v->arena.allocator = ctx->allocator;
    v->owners = 1;
    gm_status code = hold_all(ctx, v, owner, tables, count, stage, bag);
    if (code)
        gm__values_free(v);
    else
        *values = v;
    return code;
}

gm__values *gm__values_retain(gm__values *values)
{
    if (values)
        __atomic_fetch_add(&values->owners, 1, __ATOMIC_RELAXED);
    return values;
}

void gm__values_free(gm__values *values)
{
    if (!values || __atomic_sub_fetch(&values->owners, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    gm_allocator a = values->arena.allocator;
    gm__arena_clear(&values->arena);
    gm__free(&a, values, sizeof *values);
}

/* ---- Reading ---- */

static const held *get(const gm__values *v, const char *name)
{
    for (int i = 0; v && i < v->count; i++)
        if (strcmp(v->held[i].row->name, name) == 0)
            return &v->held[i];
    return NULL;
}

int64_t gm__value_int(const gm__values *v, const char *name)
{
    const held *h = get(v, name);
    return h ? h->whole : 0;
}

double gm__value_real(const gm__values *v, const char *name)
{
    const held *h = get(v, name);
    return h ? h->real : 0;
}

const char *gm__value_text(const gm__values *v, const char *name)
{
    const held *h = get(v, name);
    return h ? h->text : "";
}

int64_t gm__value_ints(const gm__values *v, const char *name, const int64_t **values)
{
    const held *h = get(v, name);
    *values = h ? h->ints : NULL;
    return h ? h->count : 0;
}

int gm__value_known(const gm__values *v, const char *name)
{
    return get(v, name) != NULL;
}

int gm__value_given(const gm__values *v, const char *name)
{
    const held *h = get(v, name);
    return h && h->given;
}

const gm_option_row *gm__value_at(const gm__values *v, int i, const char **text)
{
    if (!v || i < 0 || i >= v->count)
        return NULL;
    if (text)
        *text = v->held[i].text;
    return v->held[i].row;
}
