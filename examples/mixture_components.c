/* How many heaps are there? A mixture of normals is fitted to three leaning heaps without being
 * told, and says by its codes which heap each row belongs to, and how surely. Run it as:
 * mixture_components out.svg */
#include <genmod/genmod.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 1500, HEAPS = 3, MOST = 64 };

static const double middle[HEAPS][2] = {{-2, 0}, {0.5, 2}, {2, -1}};
static const double lean[HEAPS] = {0.6, -0.5, 0}; /* how much the second column follows the first */
static const double share[HEAPS] = {0.5, 0.3, 0.2};

static double rows[2 * ROWS], code[ROWS * MOST];
static int heap[ROWS]; /* that each row is of: the library is not told */

static void draw_rows(void)
{
    uint64_t state = 7;
    int i;

    for (i = 0; i < ROWS; i++) {
        double u = uniform(&state), a = 0.7 * normal(&state), b = 0.3 * normal(&state);
        heap[i] = u < share[0] ? 0 : u < share[0] + share[1] ? 1 : 2;
        rows[2 * i] = round_off(middle[heap[i]][0] + a);
        rows[2 * i + 1] = round_off(middle[heap[i]][1] + lean[heap[i]] * a + b);
    }
}

static int most_likely(int row, int64_t count)
{
    const double *z = code + row * count;
    int64_t k, best = 0;

    for (k = 1; k < count; k++)
        if (z[k] > z[best])
            best = k;
    return (int)best;
}

/* Each component: its share of the rows, and which heap most of them are of. */
static void report(int64_t count)
{
    int64_t k;
    int i, right = 0, surely = 0;

    printf("%d components were found\n", (int)count);
    for (k = 0; k < count; k++) {
        int of[HEAPS] = {0}, best = 0, h;
        double weight = 0;
        for (i = 0; i < ROWS; i++) {
            weight += code[i * count + k] / ROWS;
            of[heap[i]] += most_likely(i, count) == k;
            surely += code[i * count + k] > 0.95;
        }
        for (h = 1; h < HEAPS; h++)
            best = of[h] > of[best] ? h : best;
        right += of[best];
        printf("component %d: %.2f of the rows, heap %d has %.2f\n", (int)k + 1, weight, best + 1,
               share[best]);
    }
    printf("rows put to their heap: %.3f; with more than 0.95 of the probability: %.3f\n",
           (double)right / ROWS, (double)surely / ROWS);
}

static int draw(const char *path, int64_t count)
{
    static const char *const colours[] = {BLUE, ORANGE, GREEN, GREY};
    static double part[2 * ROWS];
    plot p;
    int64_t k;

    if (plot_begin(&p, path, 480, 400))
        return 1;
    plot_panel(&p, 60, 34, 390, 310, -5, 5, -4, 4);
    plot_title(&p, "rows, by the component that they most likely belong to");
    for (k = 0; k < count; k++) {
        int i, n = 0;
        for (i = 0; i < ROWS; i++)
            if (most_likely(i, count) == k) {
                part[2 * n] = rows[2 * i];
                part[2 * n++ + 1] = rows[2 * i + 1];
            }
        plot_points(&p, n, part, 1.3, colours[k < 3 ? k : 3]);
    }
    plot_axes(&p, "x1", "x2");
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *data = NULL;
    gm_options *how = NULL;
    gm_model *mixture = NULL;
    gm_array x, z;
    char why[512];
    int failed;

    if (argc != 2) {
        fputs("Usage: mixture_components out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    draw_rows();
    failed = gm_dataset_from_f64(ctx, rows, ROWS, 2, 0, &data) || gm_options_create(ctx, &how) ||
             gm_options_set_int(ctx, how, "seed", 1) ||
             gm_options_set_int(ctx, how, "max_components", MOST) ||
             gm_fit(ctx, "mixture", data, how, &mixture);
    if (!failed) {
        gm_array_init(&x, GM_F64, rows, ROWS, 2);
        gm_array_init(&z, GM_F64, code, ROWS, gm_model_code_count(mixture));
        failed = gm_model_encode(ctx, mixture, &x, NULL, NULL, &z);
    }
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        report(gm_model_code_count(mixture));
        failed = draw(argv[1], gm_model_code_count(mixture));
    }
    gm_model_free(mixture);
    gm_options_free(how);
    gm_dataset_free(data);
    gm_context_free(ctx);
    return failed;
}
