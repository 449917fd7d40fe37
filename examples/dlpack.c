/* Arrays that change hands without a copy, by DLPack, as NumPy, PyTorch and others take and give
 * them. Here the other side is ours: it reads a tensor that the library made, and gives one of its
 * own, lying column by column, which is scored in place. Run it as: dlpack */
#include <genmod/genmod.h>
#include <stdio.h>
#include <stdlib.h>

#include "toy.h"

enum { ROWS = 1000, ASKED = 5, KIND_FLOAT = 2, ON_CPU = 1 };

/* What DLPack says of its managed tensor, version 1. */
typedef struct tensor {
    uint32_t major, minor;
    void *owner;
    void (*deleter)(struct tensor *self);
    uint64_t flags;
    void *data;
    int32_t device, device_number;
    int32_t ndim;
    uint8_t kind, bits;
    uint16_t lanes;
    int64_t *shape, *strides;
    uint64_t offset; /* bytes */
} tensor;

static void release(void *user)
{
    printf("the library's tensor was given back: %s is free again\n", (const char *)user);
}

static void give_back(tensor *self)
{
    printf("our tensor was given back too\n");
    free(self->data);
    free(self);
}

/* Rows as columns: (ASKED, 2) with strides 1 and ASKED. */
static tensor *make(const double *x)
{
    static int64_t shape[2] = {ASKED, 2}, strides[2] = {1, ASKED};
    tensor *t = calloc(1, sizeof *t);
    double *data = malloc(2 * ASKED * sizeof *data);
    int i;

    if (!t || !data)
        exit(2);
    for (i = 0; i < 2 * ASKED; i++)
        data[i % 2 * ASKED + i / 2] = x[i];
    *t = (tensor){.major = 1,
                  .deleter = give_back,
                  .data = data,
                  .device = ON_CPU,
                  .ndim = 2,
                  .kind = KIND_FLOAT,
                  .bits = 64,
                  .lanes = 1,
                  .shape = shape,
                  .strides = strides};
    return t;
}

static void show(const tensor *t)
{
    const double *x = (const double *)((const char *)t->data + t->offset);
    int64_t i;

    printf("a tensor of %d-bit floats, %lld by %lld:\n", t->bits, (long long)t->shape[0],
           (long long)t->shape[1]);
    for (i = 0; i < t->shape[0]; i++)
        printf("    %8.4f %8.4f\n", x[i * t->strides[0]], x[i * t->strides[0] + t->strides[1]]);
}

int main(void)
{
    static double x[2 * ROWS], drawn[2 * ASKED], here[ASKED], there[ASKED];
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    gm_array array, theirs = {0};
    void *managed = NULL;
    tensor *ours;
    char why[512], name[] = "the array of draws";
    int i, same = 1;

    if (gm_context_create(NULL, &ctx))
        return 2;
    two_moons(ROWS, 1, x);
    gm_array_init(&array, GM_F64, drawn, ASKED, 2);
    int failed = gm_dataset_from_f64(ctx, x, ROWS, 2, 0, &rows) || gm_options_create(ctx, &how) ||
                 gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 100) ||
                 gm_fit(ctx, "flow", rows, how, &flow) ||
                 gm_model_sample(ctx, flow, ASKED, NULL, how, &array, here) ||
                 gm_array_to_dlpack(ctx, &array, release, name, &managed);
    if (!failed) {
        show(managed);
        ((tensor *)managed)->deleter(managed);
        ours = make(drawn);
        failed = gm_array_from_dlpack(ctx, ours, &theirs) ||
                 gm_model_log_prob(ctx, flow, &theirs, NULL, NULL, there, NULL);
        gm_array_release_dlpack(ours);
    }
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    for (i = 0; i < ASKED; i++)
        same &= here[i] == there[i];
    printf("log p of our tensor and of the library's: %s\n", same ? "the same" : "NOT THE SAME");
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed || !same;
}
