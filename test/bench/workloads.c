/* The networks of the reference workloads, through the library's own trainer and calls. */
#include "bench.h"
#include "genmod/genmod.h"
#include "model/model.h"
#include "model/objective.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct workload {
    const char *name, *family, *settings; /* "name=value ..." */
    int64_t d, batch;
    int binary;  /* rows of 0 and 1 */
    int64_t per; /* the reference's loss is ours over this */
} workload;

/* As the reference builds them. Flows: halves that swap roles, standard normal base, no mixing, no
 * start. Diffusion: the noise as target, 1,000 steps of the linear schedule. */
#define PLAIN "mixing=swap unconditional=0 identity=0 activation=relu layers=10 "
static const workload workloads[] = {
    {"vae-784-400-20.b128", "vae", "hidden=400 code=20", 784, 128, 1, 1},
    {"made-784-500.b100", "autoregressive", "hidden=500 direct=0", 784, 100, 1, 784},
    {"realnvp10-d63-h100x2.b100", "flow", PLAIN "coupling=realnvp hidden=100,100 max_log_scale=1",
     63, 100, 0, 1},
    {"nsf10-d8-h256x2.b512", "flow", PLAIN "coupling=nsf hidden=256,256 bins=8 bound=3", 8, 512, 0,
     1},
    {"nsf10-d43-h64x2.b128", "flow", PLAIN "coupling=nsf hidden=64,64 bins=8 bound=3", 43, 128, 0,
     1},
    {"maf5-d43-h512x2.b100", "flow",
     "structure=autoregressive coupling=realnvp mixing=swap identity=0 activation=relu layers=5 "
     "hidden=512,512 max_log_scale=1",
     43, 100, 0, 1},
    {"ddpm-d64-h512x3.b256", "diffusion",
     "target=eps noise_schedule=linear levels=1000 embedding=64 hidden=512,512,512", 64, 256, 0, 1},
};
#define COUNT ((int)(sizeof workloads / sizeof workloads[0]))

#define ROWS 12000
#define TRAINED 10000

static void must(gm_context *ctx, gm_status status)
{
    char text[512];
    if (!status)
        return;
    gm_context_error(ctx, text, sizeof text, NULL);
    fprintf(stderr, "bench: %s\n", text);
    exit(1);
}

static gm_options *options_of(gm_context *ctx, const workload *w, int64_t seed)
{
    gm_options *bag;
    char text[512], *save = NULL;
    must(ctx, gm_options_create(ctx, &bag));
    snprintf(text, sizeof text,
             "%s schedule=constant clip=0 average=0 valid=0 transform=none steps=1000000000",
             w->settings);
    for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value++ = 0;
        must(ctx, gm_options_set_text(ctx, bag, word, value));
    }
    must(ctx, gm_options_set_int(ctx, bag, "batch", w->batch));
    must(ctx, gm_options_set_int(ctx, bag, "seed", seed));
    return bag;
}

/* The reference's rows (12,000: the last 2,000 are fresh), or a sheet of our own of the same kind.
 */
static gm_dataset *read_reals(gm_context *ctx, const workload *w, const bench_arguments *a)
{
    gm_dataset *rows;
    char path[1024];
    if (a->data) {
        snprintf(path, sizeof path, "%s/%s.npy", a->data, w->name);
        must(ctx, gm_dataset_from_npy(ctx, path, &rows));
        return rows;
    }
    float *x = malloc((size_t)(ROWS * w->d) * sizeof *x),
          *map = malloc((size_t)(8 * w->d) * sizeof *map);
    uint64_t state = 1234 + (uint64_t)w->d;
    for (int64_t i = 0; i < 8 * w->d; i++)
        map[i] = (float)bench_normal(&state);
    for (int64_t i = 0; i < ROWS; i++) {
        double z[8];
        for (int k = 0; k < 8; k++)
            z[k] = bench_normal(&state);
        for (int64_t j = 0; j < w->d; j++) {
            double sum = 0;
            for (int k = 0; k < 8; k++)
                sum += z[k] * map[k * w->d + j];
            sum = tanh(0.5 * sum) + 0.1 * bench_normal(&state);
            x[i * w->d + j] = w->binary ? sum > 0 : (float)sum;
        }
    }
    must(ctx, gm_dataset_from_f32(ctx, x, ROWS, w->d, 0, &rows));
    free(x);
    free(map);
    return rows;
}

static gm_dataset *read_rows(gm_context *ctx, const workload *w, const bench_arguments *a)
{
    gm_dataset *rows = read_reals(ctx, w, a), *typed;
    for (int64_t j = 0; w->binary && j < w->d; j++) {
        must(ctx, gm_dataset_with_type(ctx, rows, j, GM_COLUMN_BINARY, 0, &typed));
        gm_dataset_free(rows);
        rows = typed;
    }
    return rows;
}

static void cut(gm_context *ctx, const gm_dataset *all, gm_dataset **train, gm_dataset **fresh)
{
    int64_t n = gm_dataset_row_count(all), trained = n * 5 / 6;
    int64_t *index = malloc((size_t)n * sizeof *index);
    for (int64_t i = 0; i < n; i++)
        index[i] = i;
    must(ctx, gm_dataset_take(ctx, all, index, trained, train));
    must(ctx, gm_dataset_take(ctx, all, index + trained, n - trained, fresh));
    free(index);
}

static double operations(gm_context *ctx, const gm_trainer *t, int64_t batch)
{
    (void)ctx;
    return gm__objective_operations(t->objective.user, batch);
}

/* ms a step (the median of blocks), items a second, losses before and after 200 steps, GFLOP/s and
 * share of peak. */
static void run_workload(gm_context *ctx, const workload *w, const bench_arguments *a)
{
    gm_dataset *all = read_rows(ctx, w, a), *train, *fresh;
    gm_options *how = options_of(ctx, w, a->seed);
    gm_trainer *t;
    double loss0, loss200;
    cut(ctx, all, &train, &fresh);
    gm_fit_config config = {.struct_size = sizeof config, .train = train, .options = how};
    must(ctx, gm_trainer_create(ctx, w->family, &config, &t));
    must(ctx, gm_trainer_evaluate(ctx, t, fresh, &loss0, NULL));
    must(ctx, gm_trainer_step(ctx, t, 200));
    must(ctx, gm_trainer_evaluate(ctx, t, fresh, &loss200, NULL));
    loss0 /= (double)w->per;
    loss200 /= (double)w->per;
    bench_blocks b = bench_begin(a);
    int64_t steps = 0;
    for (double begin = bench_clock(); bench_clock() - begin < 0.3 * a->secs; steps += 5)
        must(ctx, gm_trainer_step(ctx, t, 5));
    steps = (int64_t)((double)steps / 0.3) + 1;
    while (bench_more(&b)) {
        double begin = bench_clock();
        must(ctx, gm_trainer_step(ctx, t, steps));
        bench_add(&b, (bench_clock() - begin) / (double)steps);
    }
    double s = bench_median(&b), flops = operations(ctx, t, w->batch) / s;
    printf(
        "%-32s %9.3f ms %12.0f items/s  loss0 %.4f loss200 %.4f  %7.1f GFLOP/s %5.1f %% of peak\n",
        w->name, s * 1e3, (double)w->batch / s, loss0, loss200, flops * 1e-9,
        100 * flops / bench_peak(a->threads));
    fflush(stdout);
    gm_trainer_free(t);
    gm_options_free(how);
    gm_dataset_free(train);
    gm_dataset_free(fresh);
    gm_dataset_free(all);
}

/* One row at a time through a model of the size of a workload's. */
static void run_latency(gm_context *ctx, const bench_arguments *a)
{
    workload w = workloads[3];
    gm_dataset *all = read_rows(ctx, &w, a), *train, *fresh;
    gm_options *how = options_of(ctx, &w, a->seed);
    gm_trainer *t;
    gm_model *model;
    double x[64], logp;
    cut(ctx, all, &train, &fresh);
    gm_fit_config config = {.struct_size = sizeof config, .train = train, .options = how};
    must(ctx, gm_trainer_create(ctx, w.family, &config, &t));
    must(ctx, gm_trainer_step(ctx, t, 20));
    must(ctx, gm_trainer_model(ctx, t, &model));
    must(ctx, gm_dataset_read_f64(ctx, fresh, 0, 1, x, 0));
    bench_blocks b = bench_begin(a);
    while (bench_more(&b)) {
        int64_t n = 0;
        double begin = bench_clock();
        for (; bench_clock() - begin < a->secs; n++)
            must(ctx, gm_model_log_prob_f64(ctx, model, x, 1, 0, NULL, &logp));
        bench_add(&b, (bench_clock() - begin) / (double)n);
    }
    double s = bench_median(&b);
    printf("%-32s %9.3f ms %12.0f items/s\n", "latency1.logprob.nsf10-d8-h256x2", s * 1e3, 1 / s);
    fflush(stdout);
    gm_model_free(model);
    gm_trainer_free(t);
    gm_options_free(how);
    gm_dataset_free(train);
    gm_dataset_free(fresh);
    gm_dataset_free(all);
}

void bench_workloads(const bench_arguments *a)
{
    gm_context *ctx;
    must(NULL, gm_context_create(NULL, &ctx));
    must(ctx, gm_context_set_int(ctx, "threads", a->threads));
    for (int i = 0; i < COUNT; i++)
        if (bench_wanted(a, workloads[i].name))
            run_workload(ctx, &workloads[i], a);
    if (bench_wanted(a, "latency1"))
        run_latency(ctx, a);
    gm_context_free(ctx);
}

void bench_list_workloads(void)
{
    for (int i = 0; i < COUNT; i++)
        puts(workloads[i].name);
    puts("latency1");
}
