/* Transforms fitted, and sent through their file. */
#ifndef TEST_TRANSFORM_CASES_H
#define TEST_TRANSFORM_CASES_H
#include "support.h"
#include "data/table.h"
#include "data/transform.h"
#include "kernels/kernels.h"
#include "genmod/dataset.h"

static const char *const ways[] = {"standard", "quantile", "logit", "none"};
static const char *const yes_no[] = {"false", "true"};

static inline gm__values *settings(gm_context *ctx, const char *by, const char *whiten)
{
    const gm_option_row *tables[] = {gm__transform_options};
    gm_options *bag;
    gm__values *v;
    test_ok(ctx, gm_options_create(ctx, &bag));
    test_ok(ctx, gm_options_set_text(ctx, bag, "transform", by));
    test_ok(ctx, gm_options_set_text(ctx, bag, "whiten", whiten));
    test_ok(ctx, gm__values_create(ctx, "fit", tables, 1, GM_STAGE_FIT, bag, &v));
    gm_options_free(bag);
    return v;
}

static inline gm__transform *fitted(gm_context *ctx, const gm_dataset *data, const char *by,
                                    const char *whiten)
{
    gm__values *v = settings(ctx, by, whiten);
    gm__transform *t;
    test_ok(ctx, gm__transform_fit(ctx, data, NULL, v, NULL, &t));
    gm__values_free(v);
    return t;
}

static inline gm_status reparse(gm_context *ctx, const gm__transform *t, const gm__schema *schema,
                                int64_t flip, double with, gm__transform **u)
{
    gm__buffer json = {.allocator = ctx->allocator};
    gm__arena arena = {.allocator = ctx->allocator};
    const gm__json *root;
    const double *numbers;
    int64_t count;
    gm__transform_write(t, &json, &numbers, &count);
    double *copy = gm__alloc_array(&ctx->allocator, count, sizeof *copy);
    gm_status code = json.failed || !copy ? gm__no_memory(ctx) : GM_OK;
    if (!code)
        code = gm__json_parse(ctx, "test", json.data, (int64_t)json.size, &arena, &root);
    if (!code) {
        memcpy(copy, numbers, (size_t)count * sizeof *copy);
        if (flip >= 0)
            copy[flip % count] = with;
        code = gm__transform_parse(ctx, root, copy, count - (flip < -1), schema, u);
    }
    gm__free(&ctx->allocator, copy, (size_t)count * sizeof *copy);
    gm__buffer_clear(&json);
    gm__arena_clear(&arena);
    return code;
}

#endif
