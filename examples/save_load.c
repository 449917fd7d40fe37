/* A model goes to a file, to memory and through hooks of the program's own, and comes back with the
 * same bits; a file with one bit turned is refused. Run it as: save_load moons.model drawn.csv
 * (the drawn rows are what "genmod sample moons.model -n 20 --seed 7" draws) */
#include <genmod/genmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toy.h"

enum { ROWS = 1000, ASKED = 50 };

/* Bytes that a writer fills and a reader takes out again, here a few at a time as a socket would.
 */
typedef struct bytes {
    char *data;
    int64_t size, at;
} bytes;

static int32_t put(void *user, const void *from, int64_t size)
{
    bytes *b = user;
    char *data = realloc(b->data, (size_t)(b->size + size));

    if (!data)
        return -1;
    memcpy(data + b->size, from, (size_t)size);
    b->data = data;
    b->size += size;
    return 0;
}

static int64_t get(void *user, void *to, int64_t size)
{
    bytes *b = user;

    size = size < 100 ? size : 100;
    size = size < b->size - b->at ? size : b->size - b->at;
    memcpy(to, b->data + b->at, (size_t)size);
    b->at += size;
    return size;
}

/* Scores rows by the model that came back by `way`, and frees it. */
static gm_status compare(gm_context *ctx, const char *way, gm_model *back, const double *x,
                         const double *expected)
{
    double logp[ASKED];
    gm_status status = gm_model_log_prob_f64(ctx, back, x, ASKED, 0, NULL, logp);

    if (!status)
        printf("%-24s %s\n", way, memcmp(logp, expected, sizeof logp) ? "OTHER BITS" : "same bits");
    gm_model_free(back);
    return status;
}

static gm_status round_trips(gm_context *ctx, gm_model *flow, const char *path, const double *x)
{
    double logp[ASKED];
    bytes b = {0};
    gm_writer writer = {.struct_size = sizeof writer, .user = &b, .write = put};
    gm_reader reader = {.struct_size = sizeof reader, .user = &b, .read = get};
    gm_model *back = NULL;
    gm_status status = gm_model_log_prob_f64(ctx, flow, x, ASKED, 0, NULL, logp);

    if (!status && !(status = gm_model_save(ctx, flow, path)) &&
        !(status = gm_model_load(ctx, path, &back)))
        status = compare(ctx, "file", back, x, logp);
    if (!status && !(status = gm_model_write(ctx, flow, &writer)) &&
        !(status = gm_model_read(ctx, &reader, "socket", &back)))
        status = compare(ctx, "writer and reader", back, x, logp);
    if (!status && !(status = gm_model_load_memory(ctx, b.data, b.size, &back)))
        status = compare(ctx, "memory", back, x, logp);
    if (!status) {
        b.data[b.size - 9] ^= 1;
        printf("%-24s %s\n", "memory, one bit turned",
               gm_status_text(gm_model_load_memory(ctx, b.data, b.size, &back)));
    }
    free(b.data);
    return status;
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL, *drawn = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    double x[2 * ROWS];
    char why[512];

    if (argc != 3) {
        fputs("Usage: save_load moons.model drawn.csv\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    two_moons(ROWS, 1, x);
    int failed = gm_dataset_from_f64(ctx, x, ROWS, 2, 0, &rows) || gm_options_create(ctx, &how) ||
                 gm_options_set_int(ctx, how, "seed", 7) ||
                 gm_options_set_int(ctx, how, "steps", 100) ||
                 gm_fit(ctx, "flow", rows, how, &flow) || round_trips(ctx, flow, argv[1], x) ||
                 gm_model_sample_rows(ctx, flow, 20, NULL, how, &drawn) ||
                 gm_dataset_save(ctx, drawn, argv[2]);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    gm_dataset_free(drawn);
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
