/* Bags of named values, as the caller fills them; what they may hold is checked where they are
 * used. */
#include "base/options.h"

#include <string.h>

typedef struct pair {
    char *name, *text;
} pair;

struct gm_options {
    gm_allocator allocator;
    pair *entries;
    int64_t count, capacity;
};

/* ---- Entries ---- */

static pair *find(const gm_options *bag, const char *name)
{
    for (int64_t i = 0; i < bag->count; i++)
        if (strcmp(bag->entries[i].name, name) == 0)
            return &bag->entries[i];
    return NULL;
}

static int reserve(gm_options *bag)
{
    if (bag->count < bag->capacity)
        return 1;
    int64_t want = 2 * bag->capacity + 8;
    pair *grown = gm__resize(&bag->allocator, bag->entries, (size_t)bag->capacity * sizeof *grown,
                             (size_t)want * sizeof *grown);
    if (!grown)
        return 0;
    bag->entries = grown;
    bag->capacity = want;
    return 1;
}

/* Sets an entry; the bag is as before where memory is short. */
static gm_status put(gm_context *ctx, gm_options *bag, const char *name, const char *text)
{
    pair *e = find(bag, name);
    char *copy = gm__copy_text(&bag->allocator, text);
    if (!copy)
        return gm__no_memory(ctx);
    if (e) {
        gm__free_text(&bag->allocator, e->text);
        e->text = copy;
        return GM_OK;
    }
    char *key = reserve(bag) ? gm__copy_text(&bag->allocator, name) : NULL;
    if (!key) {
        gm__free_text(&bag->allocator, copy);
        return gm__no_memory(ctx);
    }
    bag->entries[bag->count++] = (pair){key, copy};
    return GM_OK;
}

static gm_status checked_put(gm_context *ctx, gm_options *bag, const char *name, const char *text)
{
    if (!bag || !name || !*name || !text)
        return gm__fail(ctx, GM_E_ARG, "an option needs a bag, a name and a value");
    return put(ctx, bag, name, text);
}

static void clear_entry(gm_options *bag, pair *e)
{
    gm__free_text(&bag->allocator, e->name);
    gm__free_text(&bag->allocator, e->text);
}

/* ---- Life ---- */

gm_status gm__options_new(gm_context *ctx, gm_options **bag)
{
    *bag = gm__alloc(&ctx->allocator, sizeof **bag);
    if (!*bag)
        return gm__no_memory(ctx);
    (*bag)->allocator = ctx->allocator;
    return GM_OK;
}

gm_status gm__options_put(gm_context *ctx, gm_options *bag, const char *name, const char *text)
{
    return checked_put(ctx, bag, name, text);
}

gm_status gm_options_create(gm_context *ctx, gm_options **options)
{
    gm__entry entry;
    if (options)
        *options = NULL;
    GM_TRY(gm__enter(ctx, &entry));
    if (!options)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "no place for the options"));
    return gm__leave(ctx, &entry, gm__options_new(ctx, options));
}

void gm_options_free(gm_options *options)
{
    if (!options)
        return;
    for (int64_t i = 0; i < options->count; i++)
        clear_entry(options, &options->entries[i]);
    gm_allocator a = options->allocator;
    gm__free(&a, options->entries, (size_t)options->capacity * sizeof *options->entries);
    gm__free(&a, options, sizeof *options);
}

/* ---- Setting ---- */

gm_status gm_options_set_text(gm_context *ctx, gm_options *options, const char *name,
                              const char *value)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, checked_put(ctx, options, name, value));
}

gm_status gm_options_set_int(gm_context *ctx, gm_options *options, const char *name, int64_t value)
{
    char text[24];
    gm__write_int(text, value);
    return gm_options_set_text(ctx, options, name, text);
}

gm_status gm_options_set_real(gm_context *ctx, gm_options *options, const char *name, double value)
{
    gm__entry entry;
    char text[32];
    GM_TRY(gm__enter(ctx, &entry));
    gm__write_real(text, value, 0);
    return gm__leave(ctx, &entry, checked_put(ctx, options, name, text));
}

static gm_status set_ints(gm_context *ctx, gm_options *bag, const char *name, const int64_t *values,
                          int64_t count)
{
    if (count < 0 || (count && !values))
        return gm__fail(ctx, GM_E_ARG, "option '%s' needs values", name ? name : "");
    gm__buffer b = {.allocator = ctx->allocator};
    gm__buffer_text(&b, "");
    for (int64_t i = 0; i < count; i++)
        gm__buffer_format(&b, "%s%lld", i ? "," : "", (long long)values[i]);
    gm_status code = b.failed ? gm__no_memory(ctx) : checked_put(ctx, bag, name, b.data);
    gm__buffer_clear(&b);
    return code;
}

gm_status gm_options_set_ints(gm_context *ctx, gm_options *options, const char *name,
                              const int64_t *values, int64_t count)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, set_ints(ctx, options, name, values, count));
}

static void unset(gm_options *bag, const char *name)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < bag->count; i++) {
        if (!name || strcmp(bag->entries[i].name, name) == 0)
            clear_entry(bag, &bag->entries[i]);
        else
            bag->entries[kept++] = bag->entries[i];
    }
    bag->count = kept;
}

gm_status gm_options_unset(gm_context *ctx, gm_options *options, const char *name)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!options)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "no options to forget from"));
    unset(options, name);
    return gm__leave(ctx, &entry, GM_OK);
}

gm_status gm__options_merge(gm_context *ctx, gm_options *to, const gm_options *from)
{
    for (int64_t i = 0; from && i < from->count; i++)
        GM_TRY(put(ctx, to, from->entries[i].name, from->entries[i].text));
    return GM_OK;
}

/* ---- Reading ---- */

const char *gm__options_at(const gm_options *bag, int i, const char **text)
{
    if (!bag || i < 0 || i >= bag->count)
        return NULL;
    if (text)
        *text = bag->entries[i].text;
    return bag->entries[i].name;
}

const char *gm__options_find(const gm_options *bag, const char *name)
{
    const pair *e = bag ? find(bag, name) : NULL;
    return e ? e->text : NULL;
}

static gm_status get(gm_context *ctx, const gm_options *bag, const char *name, char *buffer,
                     int64_t size, int64_t *length)
{
    if (!bag || !name || size < 0 || (size && !buffer))
        return gm__fail(ctx, GM_E_ARG, "reading an option needs options, a name and a buffer");
    const char *text = gm__options_find(bag, name);
    if (!text)
        return gm__fail(ctx, GM_E_UNKNOWN, "option '%.100s' was not set", name);
    int64_t whole = gm__format(buffer, size, "%s", text);
    if (length)
        *length = whole;
    return GM_OK;
}

gm_status gm_options_get(gm_context *ctx, const gm_options *options, const char *name, char *buffer,
                         int64_t size, int64_t *length)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, get(ctx, options, name, buffer, size, length));
}
