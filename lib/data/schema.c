#include "data/schema.h"
#include "base/size.h"

#include <string.h>

static const char *const type_names[] = {NULL,       "real",    "integer", "binary",
                                         "category", "ordered", "circular"};

int gm__type_is_category(int32_t type)
{
    return type == GM_COLUMN_BINARY || type == GM_COLUMN_CATEGORY || type == GM_COLUMN_ORDERED;
}

const char *gm__type_name(int32_t type)
{
    return type >= GM_COLUMN_REAL && type <= GM_COLUMN_CIRCULAR ? type_names[type] : NULL;
}

int32_t gm__type_find(const char *name, int64_t length)
{
    for (int32_t type = GM_COLUMN_REAL; type <= GM_COLUMN_CIRCULAR; type++)
        if ((int64_t)strlen(type_names[type]) == length &&
            !memcmp(type_names[type], name, (size_t)length))
            return type;
    return 0;
}

/* ---- Life ------------------------------------------------------------------------------------ */

gm__schema *gm__schema_create(const gm_allocator *a, int64_t count)
{
    gm__schema *s = gm__alloc(a, sizeof *s);
    if (!s)
        return NULL;
    s->allocator = *a;
    s->owners = 1;
    s->columns = gm__alloc_array(a, count, sizeof *s->columns);
    if (count > 0 && !s->columns) {
        gm__free(a, s, sizeof *s);
        return NULL;
    }
    s->count = count;
    for (int64_t i = 0; i < count; i++) {
        s->columns[i].type = GM_COLUMN_REAL;
        s->columns[i].role = GM_ROLE_FEATURE;
    }
    return s;
}

gm__schema *gm__schema_retain(const gm__schema *s)
{
    gm__schema *shared = (gm__schema *)(uintptr_t)s;
    if (shared)
        __atomic_add_fetch(&shared->owners, 1, __ATOMIC_RELAXED);
    return shared;
}

static void clear_categories(const gm_allocator *a, gm__column *c)
{
    for (int64_t k = 0; c->category && k < c->categories; k++)
        gm__free_text(a, c->category[k]);
    gm__free(a, c->category, (size_t)c->categories * sizeof *c->category);
    c->category = NULL;
    c->categories = 0;
}

void gm__schema_release(gm__schema *s)
{
    if (!s || __atomic_sub_fetch(&s->owners, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    gm_allocator a = s->allocator;
    for (int64_t i = 0; i < s->count; i++) {
        gm__free_text(&a, s->columns[i].name);
        clear_categories(&a, &s->columns[i]);
    }
    gm__free(&a, s->columns, (size_t)s->count * sizeof *s->columns);
    gm__free(&a, s, sizeof *s);
}

gm_status gm__schema_set_categories(gm__schema *s, int64_t column, int64_t count)
{
    gm__column *c = &s->columns[column];
    clear_categories(&s->allocator, c);
    if (count == 0)
        return GM_OK;
    c->category = gm__alloc_array(&s->allocator, count, sizeof *c->category);
    if (!c->category)
        return GM_E_MEMORY;
    c->categories = count;
    return GM_OK;
}

gm_status gm__schema_set_text(gm__schema *s, char **place, const char *text, int64_t length)
{
    char *copy = gm__alloc(&s->allocator, (size_t)length + 1);
    if (!copy)
        return GM_E_MEMORY;
    if (length > 0)
        memcpy(copy, text, (size_t)length);
    gm__free_text(&s->allocator, *place);
    *place = copy;
    return GM_OK;
}

static gm_status copy_column(gm__schema *to, int64_t i, const gm__column *from)
{
    gm__column *c = &to->columns[i];
    *c = *from;
    c->name = NULL;
    c->category = NULL;
    c->categories = 0;
    if (from->name && !(c->name = gm__copy_text(&to->allocator, from->name)))
        return GM_E_MEMORY;
    GM_TRY(gm__schema_set_categories(to, i, from->categories));
    for (int64_t k = 0; k < from->categories; k++)
        if (!(c->category[k] = gm__copy_text(&to->allocator, from->category[k])))
            return GM_E_MEMORY;
    return GM_OK;
}

gm__schema *gm__schema_select(const gm_allocator *a, const gm__schema *from, const int64_t *columns,
                              int64_t count)
{
    gm__schema *s = gm__schema_create(a, count);
    if (!s)
        return NULL;
    int same = count == from->count;
    for (int64_t i = 0; i < count; i++) {
        int64_t j = columns ? columns[i] : i;
        same = same && j == i;
        if (copy_column(s, i, &from->columns[j])) {
            gm__schema_release(s);
            return NULL;
        }
    }
    if (same) {
        s->row_ndim = from->row_ndim;
        memcpy(s->row_shape, from->row_shape, sizeof s->row_shape);
    }
    return s;
}

/* ---- Questions ------------------------------------------------------------------------------- */

const char *gm__column_label(gm__label *label, const gm__schema *s, int64_t column)
{
    const char *name = s->columns[column].name;
    if (name && *name)
        gm__format(label->text, sizeof label->text, "column '%.*s'", 72, name);
    else
        gm__format(label->text, sizeof label->text, "column %lld", (long long)column + 1);
    return label->text;
}

int64_t gm__schema_find(const gm__schema *s, const char *name, int64_t length)
{
    for (int64_t i = 0; i < s->count; i++) {
        const char *has = s->columns[i].name;
        if (has && !strncmp(has, name, (size_t)length) && !has[length])
            return i;
    }
    return -1;
}

int gm__schema_named(const gm__schema *s)
{
    return s->count > 0 && s->columns[0].name && s->columns[0].name[0];
}
