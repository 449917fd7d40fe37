/* Optimizers against their formulas in plain double loops and against closed forms; schedules. */
#include "flow_cases.h"
#include "kernels/kernels.h"

#define N 41
#define STEPS 60

static gm_optimizer *optimizer_of(gm_context *ctx, const char *name, const char *const *settings)
{
    gm_options *bag = case_options(ctx, settings);
    gm_optimizer *o;
    test_ok(ctx, gm_optimizer_create(ctx, name, bag, &o));
    gm_options_free(bag);
    ck_assert_str_eq(gm_optimizer_name(o), name);
    return o;
}

/* ---- Formulas -------------------------------------------------------------------------------- */

/* A rule written out: the numbers of the case, and one parameter's state. */
typedef struct rule {
    double lr, decay, mu, nesterov, beta1, beta2, eps;
} rule;
typedef struct state {
    double p, m, v;
} state;

static void sgd(const rule *r, state *s, double g, double lr, int t)
{
    (void)t;
    s->p -= lr * r->decay * s->p;
    s->m = r->mu * s->m + g;
    s->p -= lr * (r->nesterov != 0 ? g + r->mu * s->m : s->m);
}

static void rmsprop(const rule *r, state *s, double g, double lr, int t)
{
    (void)t;
    s->p -= lr * r->decay * s->p;
    s->v = r->beta2 * s->v + (1 - r->beta2) * g * g;
    s->m = r->mu * s->m + g / (sqrt(s->v) + r->eps);
    s->p -= lr * s->m;
}

static void adam(const rule *r, state *s, double g, double lr, int t)
{
    s->p -= lr * r->decay * s->p;
    s->m = r->beta1 * s->m + (1 - r->beta1) * g;
    s->v = r->beta2 * s->v + (1 - r->beta2) * g * g;
    double m = s->m / (1 - pow(r->beta1, t)), v = s->v / (1 - pow(r->beta2, t));
    s->p -= lr * m / (sqrt(v) + r->eps);
}

static const struct {
    const char *name;
    const char *settings[6];
    rule rule;
    void (*step)(const rule *r, state *s, double g, double lr, int t);
} cases[] = {
    {"sgd", {"lr=0.05", NULL}, {.lr = 0.05}, sgd},
    {"sgd", {"lr=0.05", "momentum=0.9", NULL}, {.lr = 0.05, .mu = 0.9}, sgd},
    {"sgd",
     {"lr=0.02", "momentum=0.8", "nesterov=1", "weight_decay=0.1", NULL},
     {.lr = 0.02, .mu = 0.8, .nesterov = 1, .decay = 0.1},
     sgd},
    {"rmsprop", {"lr=0.01", NULL}, {.lr = 0.01, .beta2 = 0.99, .eps = 1e-8}, rmsprop},
    {"rmsprop",
     {"decay=0.9", "momentum=0.5", "eps=1e-3", "weight_decay=0.2", NULL},
     {.lr = 0.001, .beta2 = 0.9, .mu = 0.5, .eps = 1e-3, .decay = 0.2},
     rmsprop},
    {"adam", {NULL}, {.lr = 0.001, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8}, adam},
    {"adam",
     {"lr=0.03", "beta1=0.5", "beta2=0.9", "eps=0.01", NULL},
     {.lr = 0.03, .beta1 = 0.5, .beta2 = 0.9, .eps = 0.01},
     adam},
    {"adam", {"lr=0.03", "beta1=0", "beta2=0", "eps=0.01", NULL}, {.lr = 0.03, .eps = 0.01}, adam},
    {"adamw",
     {"lr=0.02", NULL},
     {.lr = 0.02, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .decay = 0.01},
     adam},
};

static double rate_at(int t)
{
    return 1 / (1 + 0.1 * t);
}

START_TEST(rule_f64)
{
    gm_context *ctx = test_context(NULL);
    gm_optimizer *o = optimizer_of(ctx, cases[_i].name, cases[_i].settings);
    uint64_t random = 4;
    double p[N], g[N];
    state s[N] = {{0}};
    for (int i = 0; i < N; i++)
        p[i] = s[i].p = test_uniform(&random, -2, 2);
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < N; i++) {
            g[i] = test_uniform(&random, -1, 1) * pow(10, i % 7 - 3);
            cases[_i].step(&cases[_i].rule, &s[i], g[i], cases[_i].rule.lr * rate_at(t), t);
        }
        test_ok(ctx, gm_optimizer_step(ctx, o, GM_F64, N, p, g, rate_at(t)));
        for (int i = 0; i < N; i++)
            must_msg(test_close(p[i], s[i].p, 1e-11, 1e-11),
                     "%s, step %d, element %d: %.17g, %.17g", cases[_i].name, t, i, p[i], s[i].p);
    }
    gm_optimizer_free(o);
    gm_context_free(ctx);
}
END_TEST

START_TEST(rule_f32)
{
    gm_context *ctx = test_context(NULL);
    gm_optimizer *o = optimizer_of(ctx, cases[_i].name, cases[_i].settings);
    uint64_t random = 5;
    float p[N], g[N];
    state s[N] = {{0}};
    for (int i = 0; i < N; i++)
        s[i].p = p[i] = (float)test_uniform(&random, -2, 2);
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < N; i++) {
            g[i] = (float)test_uniform(&random, 0.1, 1);
            cases[_i].step(&cases[_i].rule, &s[i], g[i], cases[_i].rule.lr, t);
        }
        test_ok(ctx, gm_optimizer_step(ctx, o, GM_F32, N, p, g, 1));
        for (int i = 0; i < N; i++)
            must_msg(test_close(p[i], s[i].p, 1e-4, 1e-5), "%s, step %d, element %d: %g, %g",
                     cases[_i].name, t, i, p[i], s[i].p);
    }
    gm_optimizer_free(o);
    gm_context_free(ctx);
}
END_TEST

/* ---- Closed forms ---------------------------------------------------------------------------- */

START_TEST(descent_of_a_parabola)
{
    gm_context *ctx = test_context(NULL);
    gm_optimizer *o = optimizer_of(ctx, "sgd", (const char *[]){"lr=0.25", NULL});
    double p = 3, g;
    for (int t = 1; t <= 40; t++) {
        g = p;
        test_ok(ctx, gm_optimizer_step(ctx, o, GM_F64, 1, &p, &g, 1));
        ck_assert_msg(test_close(p, 3 * pow(0.75, t), 1e-13, 0), "step %d: %g", t, p);
    }
    gm_optimizer_free(o);
    gm_context_free(ctx);
}
END_TEST

/* Under a constant gradient the velocity is g (1 - mu^t) / (1 - mu). */
START_TEST(momentum_of_a_slope)
{
    gm_context *ctx = test_context(NULL);
    gm_optimizer *o = optimizer_of(ctx, "sgd", (const char *[]){"lr=1", "momentum=0.75", NULL});
    double p = 0, g = 2, before = 0;
    for (int t = 1; t <= 40; t++) {
        test_ok(ctx, gm_optimizer_step(ctx, o, GM_F64, 1, &p, &g, 1));
        ck_assert_msg(test_close(before - p, 2 * (1 - pow(0.75, t)) / 0.25, 1e-13, 0), "step %d",
                      t);
        before = p;
    }
    gm_optimizer_free(o);
    gm_context_free(ctx);
}
END_TEST

/* Adam moves by its rate under a constant gradient, whatever its size. */
START_TEST(adam_of_a_slope)
{
    static const double slopes[] = {1e-6, -1, 1e9};
    gm_context *ctx = test_context(NULL);
    gm_optimizer *o = optimizer_of(ctx, "adam", (const char *[]){"lr=0.5", "eps=1e-16", NULL});
    double p[3] = {0};
    for (int t = 1; t <= 100; t++) {
        test_ok(ctx, gm_optimizer_step(ctx, o, GM_F64, 3, p, slopes, 1));
        for (int i = 0; i < 3; i++)
            ck_assert_msg(test_close(p[i], slopes[i] > 0 ? -0.5 * t : 0.5 * t, 1e-9, 0), "%g",
                          p[i]);
    }
    gm_optimizer_free(o);
    gm_context_free(ctx);
}
END_TEST

/* Cut among threads and by any instruction set, an update has one answer. */
START_TEST(one_update_for_all)
{
    enum { MANY = 70001 };
    static float p[2][MANY], g[MANY];
    uint64_t random = 6;
    for (int i = 0; i < MANY; i++)
        g[i] = (float)test_uniform(&random, -1, 1);
    for (int k = 0; gm__kernels_at(k); k++) {
        gm_context *ctx = test_context(NULL);
        test_ok(ctx, gm_context_set_text(ctx, "kernels", gm__kernels_at(k)->name));
        test_ok(ctx, gm_context_set_int(ctx, "threads", k + 1));
        gm_optimizer *o = optimizer_of(ctx, cases[_i].name, cases[_i].settings);
        for (int i = 0; i < MANY; i++)
            p[k > 0][i] = g[MANY - 1 - i];
        for (int t = 0; t < 3; t++)
            test_ok(ctx, gm_optimizer_step(ctx, o, GM_F32, MANY, p[k > 0], g, 1));
        ck_assert_msg(memcmp(p[0], p[k > 0], sizeof g) == 0, "%s, kernels %s", cases[_i].name,
                      gm__kernels_at(k)->name);
        gm_optimizer_free(o);
        gm_context_free(ctx);
    }
}
END_TEST

/* ---- Mistakes -------------------------------------------------------------------------------- */

START_TEST(wrong_arguments)
{
    gm_context *ctx = test_context(NULL);
    gm_optimizer *o = NULL;
    double p = 0, g = 1;
    test_fails(ctx, gm_optimizer_create(ctx, NULL, NULL, &o), GM_E_ARG, "name");
    test_fails(ctx, gm_optimizer_create(ctx, "adam", NULL, NULL), GM_E_ARG, "optimizer");
    test_fails(ctx, gm_optimizer_create(ctx, "lion", NULL, &o), GM_E_UNKNOWN, "adamw");
    ck_assert_ptr_null(o);
    test_ok(ctx, gm_optimizer_create(ctx, "adam", NULL, &o));
    test_fails(ctx, gm_optimizer_step(ctx, NULL, GM_F64, 1, &p, &g, 1), GM_E_ARG, "optimizer");
    test_fails(ctx, gm_optimizer_step(ctx, o, GM_F64, 1, NULL, &g, 1), GM_E_ARG, "param");
    test_fails(ctx, gm_optimizer_step(ctx, o, GM_F64, 1, &p, NULL, 1), GM_E_ARG, "grad");
    test_fails(ctx, gm_optimizer_step(ctx, o, GM_I32, 1, &p, &g, 1), GM_E_ARG, "dtype");
    test_fails(ctx, gm_optimizer_step(ctx, o, GM_F64, -1, &p, &g, 1), GM_E_RANGE, "negative");
    test_ok(ctx, gm_optimizer_step(ctx, o, GM_F64, 1, &p, &g, 1));
    test_fails(ctx, gm_optimizer_step(ctx, o, GM_F64, 2, &p, &g, 1), GM_E_STATE, "stay the same");
    test_fails(ctx, gm_optimizer_step(ctx, o, GM_F32, 1, &p, &g, 1), GM_E_STATE, "stay the same");
    gm_optimizer_free(o);
    gm_optimizer_free(NULL);
    ck_assert_ptr_null(gm_optimizer_name(NULL));
    ck_assert_ptr_null(gm_optimizer_name_at(-1));
    int count = 0;
    while (gm_optimizer_name_at(count))
        count++;
    ck_assert_int_eq(count, 4);
    gm_context_free(ctx);
}
END_TEST

/* One row of an owner's table, set to what it cannot be, is named. */
static void refuse_row(gm_context *ctx, const char *owner, const gm_option_info *info)
{
    static const struct {
        int32_t type;
        const char *value;
    } wrong[] = {{GM_INT, "1.5"},
                 {GM_INT, "many"},
                 {GM_REAL, "nan"},
                 {GM_REAL, "1e999"},
                 {GM_REAL, "-1"},
                 {GM_REAL, "0.1x"},
                 {GM_BOOL, "2"},
                 {GM_CHOICE, "nothing"},
                 {GM_CHOICE, ""},
                 {GM_INTS, "3,,4"},
                 {GM_INTS, "0"},
                 {GM_INTS, "8,"},
                 {GM_SEED, "-3"},
                 {GM_SEED, "1e3"},
                 {GM_INT, "-1"},
                 {GM_INT, ""},
                 {GM_INT, "99999999999999999999"}};
    gm_options *bag;
    gm_optimizer *o;
    gm_model *model;
    double rows[4] = {0, 1, 2, 3};
    gm_dataset *data;
    test_ok(ctx, gm_dataset_from_f64(ctx, rows, 4, 1, 0, &data));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (wrong[i].type != info->type)
            continue;
        test_ok(ctx, gm_options_create(ctx, &bag));
        test_ok(ctx, gm_options_set_text(ctx, bag, info->name, wrong[i].value));
        if (gm_optimizer_create(ctx, owner, NULL, &o) == GM_OK) {
            gm_optimizer_free(o);
            test_fails(ctx, gm_optimizer_create(ctx, owner, bag, &o), GM_E_RANGE, info->name);
        } else {
            test_fails(ctx, gm_fit(ctx, "flow", data, bag, &model), GM_E_RANGE, info->name);
        }
        ck_assert_msg(strstr(test_error(ctx), "must be"), "%s", test_error(ctx));
        gm_options_free(bag);
    }
    gm_dataset_free(data);
}

START_TEST(every_option_says_what_it_takes)
{
    static const char *const owners[] = {"sgd", "rmsprop", "adam", "adamw", "fit", "flow"};
    gm_context *ctx = test_context(NULL);
    int rows = 0;
    for (int k = 0; k < 6; k++) {
        gm_option_info info = {.struct_size = sizeof info};
        for (int i = 0; gm_option_at(ctx, owners[k], i, &info) == GM_OK; i++, rows++) {
            ck_assert_msg(info.help[0] && info.name[0] && info.since >= 1, "%s", info.name);
            refuse_row(ctx, owners[k], &info);
        }
        ck_assert_ptr_nonnull(strstr(test_error(ctx), owners[k]));
    }
    ck_assert_int_gt(rows, 40);
    gm_context_free(ctx);
}
END_TEST

/* ---- Schedules ------------------------------------------------------------------------------- */

#define HORIZON 50
#define PI 3.14159265358979323846

static double cosine(double u)
{
    return (1 + cos(PI * u)) / 2;
}

static double constant(double u)
{
    (void)u;
    return 1;
}

static double step_down(double u)
{
    return pow(0.5, floor(u / 0.3));
}

static double one_cycle(double u)
{
    return u < 0.3 ? 0.04 + 0.96 * (1 - cosine(u / 0.3))
                   : 1.0 / 250000 + (1 - 1.0 / 250000) * cosine((u - 0.3) / 0.7);
}

static const struct {
    const char *settings[6];
    int warmup, hold;
    double (*rate)(double u);
} schedules[] = {
    {{"schedule=constant", NULL}, 0, 0, constant},
    {{"schedule=constant", "warmup=7", NULL}, 7, 0, constant},
    {{"schedule=cosine", NULL}, 0, 0, cosine},
    {{"schedule=cosine", "hold=20", "warmup=3", NULL}, 3, 20, cosine},
    {{"schedule=step", "step_factor=0.5", "step_every=0.3", NULL}, 0, 0, step_down},
    {{"schedule=one-cycle", NULL}, 0, 0, one_cycle},
    {{"schedule=one-cycle", "hold=10", NULL}, 0, 10, one_cycle},
};
#define SCHEDULES ((int)(sizeof schedules / sizeof schedules[0]))

START_TEST(schedule)
{
    gm_context *ctx = test_context(NULL);
    double rows[40];
    gm_dataset *data;
    gm_trainer *t;
    gm_options *bag = case_options(ctx, schedules[_i].settings);
    test_ok(ctx, gm_options_set_int(ctx, bag, "seed", 1));
    test_ok(ctx, gm_options_set_int(ctx, bag, "steps", HORIZON));
    test_ok(ctx, gm_options_set_text(ctx, bag, "hidden", "4"));
    test_ok(ctx, gm_options_set_int(ctx, bag, "layers", 1));
    for (int i = 0; i < 40; i++)
        rows[i] = i;
    test_ok(ctx, gm_dataset_from_f64(ctx, rows, 20, 2, 0, &data));
    gm_optimizer *o = optimizer_of(ctx, "sgd", (const char *[]){"lr=0.004", NULL});
    gm_fit_config config = {
        .struct_size = sizeof config, .train = data, .options = bag, .optimizer = o};
    test_ok(ctx, gm_trainer_create(ctx, "flow", &config, &t));
    for (int i = 0; i < HORIZON; i++) {
        gm_progress p = {.struct_size = sizeof p};
        test_ok(ctx, gm_trainer_step(ctx, t, 1));
        test_ok(ctx, gm_trainer_progress(ctx, t, &p));
        double u = (double)(i - schedules[_i].hold) / (HORIZON - schedules[_i].hold);
        double warm = i < schedules[_i].warmup ? (i + 1.0) / (schedules[_i].warmup + 1.0) : 1;
        double expected = 0.004 * warm * schedules[_i].rate(u > 0 ? u : 0);
        ck_assert_msg(test_close(p.rate, expected, 1e-12, 0), "schedule %d, step %d: %g, not %g",
                      _i, i, p.rate, expected);
    }
    gm_trainer_free(t);
    gm_optimizer_free(o);
    gm_dataset_free(data);
    gm_options_free(bag);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("optimizer");
    TCase *t = tcase_create("optimizer");
    int count = (int)(sizeof cases / sizeof cases[0]);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, rule_f64, 0, count);
    tcase_add_loop_test(t, rule_f32, 0, count);
    tcase_add_test(t, descent_of_a_parabola);
    tcase_add_test(t, momentum_of_a_slope);
    tcase_add_test(t, adam_of_a_slope);
    tcase_add_loop_test(t, one_update_for_all, 0, count);
    tcase_add_test(t, wrong_arguments);
    tcase_add_test(t, every_option_says_what_it_takes);
    tcase_add_loop_test(t, schedule, 0, SCHEDULES);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
