/* Same bits of the families that learn densities and of what is asked of them besides: one case has
 * one hash, frozen, whatever kernels and threads compute it, before a file and after. Its archive
 * is part of it: what one machine packs, another unpacks. */
#include "bits_cases.h"
#include "genmod/compress.h"
#include "genmod/conditional.h"
#include "genmod/posterior.h"

#define MOST 8 /* columns of a case */
#define FIT 240
#define ASK 30
#define FEW 5

/* ---- Cases ----------------------------------------------------------------------------------- */

/* Columns: r real, v one of seven values, s one of seven on no grid of decimals or parts, i whole,
 * b binary, c category, o ordered, @ an angle; g real and given, w weight. Hashes change with the
 * revision of the arithmetic only. */
static const struct {
    const char *family, *columns;
    const char *const settings[16];
    const char *hash;
} cases[] = {
    {"mixture",
     "rrr",
     {"seed=1", "components=4", NULL},
     "712e674ee7f75a72838f5750f27484a455feee91f48a61c774f251814193f7a5"},
    {"mixture",
     "rrr",
     {"seed=1", "components=auto", "max_components=6", "covariance=tied", "restarts=2", NULL},
     "2643401e850482bdc97abc4446d9103a96610eeca3031b14b567ec1f64e5660a"},
    {"mixture",
     "ribc",
     {"seed=2", "components=3", "covariance=diagonal", NULL},
     "bec0289d2a4ed54300d0981df72e18247dd17c099cd3ad83e59588166957a965"},
    {"mixture",
     "rvw",
     {"seed=3", "components=3", "covariance=spherical", "criterion=valid", NULL},
     "fc214ca41800bb5cf9ce42a9c5f531a4e5a626be8dcd36070a3eb6f348285ef3"},
    {"mixture",
     "rcw",
     {"seed=4", "components=2", NULL},
     "950a51a2ca907ffe1756dc6a19c4953bc0230994e8ccb87b87e1ccb053c8e179"},
    {"copula",
     "rrr",
     {"seed=1", NULL},
     "83a8722608c63ba9f2d438bd2d3cdc1c013bdc567edc2a5658b69cdc5b2c6e5f"},
    {"copula",
     "rrv",
     {"seed=1", "marginals=mixture", NULL},
     "4237921b1a0ed2162426c178bc60fbc3069ad28db7f918f2920ff35b3541baba"},
    {"copula",
     "rir",
     {"seed=1", "marginals=kde", NULL},
     "f7e37214e7fda33a405936ae9247d25a673213b1bfe554266a8275035f81c314"},
    {"copula",
     "rrw",
     {"seed=1", "marginals=normal", "shrinkage=0.1", NULL},
     "3cedf19c031e61829dfe9999127936de49fcd5f7fbc5043f0063a28d2762a4ef"},
    {"kde",
     "rrr",
     {"seed=1", NULL},
     "94da2d5ba0a3a38651b8679666c9e31ba447832e0c757349cddd81232e823869"},
    {"kde",
     "rr",
     {"seed=1", "kernel=epanechnikov", "bandwidth=likelihood", NULL},
     "696e83cd37b8822372b491c413d33f806cbd90123c8d84fc2343b67d75b20e2e"},
    {"kde",
     "rrr",
     {"seed=1", "radial=1", "kernel=tricube", "bandwidth=lscv", NULL},
     "63fd79231b01db80c2fb7f5e84463dc9064dafeadaeb612d6ff479f49d1aac68"},
    {"kde",
     "rrr",
     {"seed=1", "matrix=1", "adaptive=1", NULL},
     "4bd009b9bf0f02447045c42b4c66a40c43c0f44a8e49b57f8a5ad4c5a0581380"},
    {"kde",
     "r",
     {"seed=1", "bandwidth=isj", "kernel=cosine", NULL},
     "b635657f32055c7c98e14ba6a052577af71e7829781d0b7995d1f103dee665ed"},
    {"kde",
     "rb@ic",
     {"seed=1", "adaptive=1", "rtol=1e-3", NULL},
     "5088c6ddfba4d18981071a63dfffe5f53bdc84942d102bd3bf7cfb5592deb978"},
    {"kde",
     "rvow",
     {"seed=1", "boundary=beta", "bandwidth=likelihood", NULL},
     "eb5d4bb26f897528337367cc3527e0f90699ccf30b9b4ace262bd3f1c4751f21"},
    {"kde",
     "rr",
     {"seed=1", "boundary=reflect", "kernel=linear", "transform=standard", NULL},
     "d2d213020b25fa66126f6b58f8a0603f55ce8e0d11f1fe30ab42316880e2798d"},
    {"autoregressive",
     "rvibc",
     {"seed=2", "steps=12", "batch=60", "hidden=33,33", "residual=1", "components=3", "table=5",
      NULL},
     "fa1171dbb05aa52359755beae2d374066e4fb2b5613a853bf34e235e804dd836"},
    {"autoregressive",
     "roi",
     {"seed=3", "steps=12", "batch=60", "hidden=17", "precision=f64", "orders=3", "order=random",
      "components=2", NULL},
     "42ca2db2db081ace8f34761e86cf9995b2b0d2e9ebb546186b1810c63b9149d2"},
    {"autoregressive",
     "rvib",
     {"seed=4", "steps=12", "batch=60", "hidden=21", "any_order=1", "orders=2", "components=2",
      NULL},
     "111af9849429b8ff7e637b8a5a41b456dfc3e622a5d086e8505955d578179cda"},
    {"autoregressive",
     "rgiw",
     {"seed=5", "steps=12", "batch=60", "hidden=21", "orders=2", "components=2", NULL},
     "869de0ce6616c0cc96abb972e04e20bc9091de89556476bf549b5914df4fc4b5"},
    {"flow",
     "rrr",
     {"seed=2", "steps=12", "batch=60", "hidden=17", "layers=2", "structure=autoregressive",
      "coupling=realnvp", "mixing=none", NULL},
     "d66b2654ad112078cc73b3f3703314681f4ac6f4398d2bdcb65965a7ba807e50"},
    {"flow",
     "rvr",
     {"seed=2", "steps=12", "batch=60", "hidden=17", "layers=2", "structure=autoregressive",
      "coupling=nsf", "mixing=none", NULL},
     "b0bfbfcc91ad2476e3f760c907e6d0f2d4830b03f8dccff28c2aa64d1f320cf2"},
    {"flow",
     "rrr",
     {"seed=3", "steps=12", "batch=60", "hidden=17", "layers=2", "structure=inverse",
      "coupling=nsf", NULL},
     "4061dd47fab0744ecb377fd659c03b716cfed862bbe6bc0bfb19aac58054a109"},
    {"flow",
     "rrr",
     {"seed=4", "steps=12", "batch=60", "hidden=17", "layers=2", "coupling=nice", "base=mixture",
      "components=3", NULL},
     "02d0ec99cfc48159070350e1dfe5fd681ab7c11693a8607ed6a3d5d5356e8f3a"},
    {"flow",
     "rr",
     {"seed=5", "steps=12", "batch=60", "hidden=17", "layers=2", "structure=continuous", NULL},
     "306078ccbdd9dd705ae596a7121c93bbfdd364f7ee1f8e8b7cdab4a76326be23"},
    {"flow",
     "r@r",
     {"seed=6", "steps=12", "batch=60", "hidden=17", "layers=2", NULL},
     "c4449e7f72ebd7e296baebdb451a8bca194842e15796beb96726cf8f9427568c"},
    {"flow",
     "rrgw",
     {"seed=7", "steps=12", "batch=60", "hidden=17", "layers=2", "structure=autoregressive", NULL},
     "1a3c86478653accef485b27a2afec6512912c36b6b638ef51379b7181bd6e179"},
    {"mixture",
     "rss",
     {"seed=8", "components=2", "repeated=bins", NULL},
     "6aea1075b6ec9f411457b7ca5a31b4575f1e036cdcb2a0faad755526790ffed0"},
    {"autoregressive",
     "rs",
     {"seed=9", "steps=12", "batch=60", "hidden=21", "components=2", "repeated=bins", NULL},
     "70941514956d1520c2d2a00d6dfa8680118a4c3bae82b635b39a7a332315ee82"},
};
#define CASES ((int)(sizeof cases / sizeof cases[0]))

static double cell(char kind, const double *row, int64_t real)
{
    double a = row[0], b = row[1];
    switch (kind) {
    case 'v':
        return (fmin(3, fmax(-3, floor(2 * b))) + 4) / 3;
    case 's':
        return (fmin(3, fmax(-3, floor(2 * b))) - 0.137) / 1.391;
    case 'i':
        return fmin(63, fmax(0, floor(8 * row[2]) + 30));
    case 'b':
        return a > 0.25;
    case 'c':
        return (a > -0.5) + (a > 0.5) + (b > 1);
    case 'o':
        return (a > -1) + (b > 0) + (b > 0.5);
    case '@':
        return fmin(359, fmax(0, floor(64 * row[4]) + 180));
    case 'w':
        return 1 + (a > 0);
    default:
        return row[real % D];
    }
}

static gm_dataset *retyped(gm_context *ctx, gm_dataset *rows, int64_t j, char kind)
{
    static const char letters[] = "rvsibco@gw";
    static const int32_t types[] = {GM_COLUMN_REAL,    GM_COLUMN_REAL,     GM_COLUMN_REAL,
                                    GM_COLUMN_INTEGER, GM_COLUMN_BINARY,   GM_COLUMN_CATEGORY,
                                    GM_COLUMN_ORDERED, GM_COLUMN_CIRCULAR, GM_COLUMN_REAL,
                                    GM_COLUMN_REAL};
    gm_dataset *next;
    int32_t type = types[strchr(letters, kind) - letters];
    test_ok(ctx, gm_dataset_with_type(ctx, rows, j, type, kind == '@' ? 360 : 0, &next));
    gm_dataset_free(rows);
    if (kind != 'g' && kind != 'w')
        return next;
    rows = next;
    test_ok(ctx, gm_dataset_with_role(ctx, rows, j,
                                      kind == 'g' ? GM_ROLE_CONDITION : GM_ROLE_WEIGHT, &next));
    gm_dataset_free(rows);
    return next;
}

static gm_dataset *case_rows(gm_context *ctx, const char *columns, int64_t n)
{
    static double from[ROWS * D], x[FIT * MOST];
    int64_t d = (int64_t)strlen(columns);
    gm_dataset *rows;
    exact_rows(from);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0, real = 0; j < d; j++) {
            x[i * d + j] = cell(columns[j], from + i * D, real);
            real += columns[j] == 'r' || columns[j] == 'g';
        }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    for (int64_t j = 0; j < d; j++)
        rows = retyped(ctx, rows, j, columns[j]);
    return rows;
}

/* ---- What is asked --------------------------------------------------------------------------- */

typedef struct asked {
    gm_context *ctx;
    const gm_model *model;
    const gm_dataset *rows; /* ASK of them */
    const gm_options *how;
    const gm_array *cond;
    const double *x; /* (ASK, d) */
    int64_t d;
    int parallel;
    gm__sha256 sum;
} asked;

static void ask_scores(asked *a)
{
    double logp[ASK], low[ASK], high[ASK], grad[ASK * MOST];
    gm_array x = case_array(GM_F64, (double *)a->x, ASK, a->d),
             g = case_array(GM_F64, grad, ASK, a->d);
    test_ok(a->ctx, gm_model_log_prob(a->ctx, a->model, &x, a->cond, a->how, logp, NULL));
    add_bits(&a->sum, logp, ASK, 8);
    if (gm_model_log_prob_kind(a->model) == GM_EXACT) {
        test_ok(a->ctx,
                gm_model_log_prob_bounds(a->ctx, a->model, &x, a->cond, a->how, logp, low, high));
        add_bits(&a->sum, low, ASK, 8);
        add_bits(&a->sum, high, ASK, 8);
    }
    if (!(gm_model_capabilities(a->model) & GM_CAN_GRADIENT))
        return;
    test_ok(a->ctx, gm_model_log_prob_gradient(a->ctx, a->model, &x, a->cond, a->how, logp, &g));
    add_bits(&a->sum, grad, ASK * a->d, 8);
}

static void ask_rows(asked *a)
{
    double y[ASK * MOST], z[ASK * MOST];
    gm_array rows = case_array(GM_F64, (double *)a->x, ASK, a->d),
             out = case_array(GM_F64, y, ASK, a->d),
             code = case_array(GM_F64, z, ASK, gm_model_code_count(a->model));
    test_ok(a->ctx, gm_model_sample(a->ctx, a->model, ASK, a->cond, a->how, &out, NULL));
    add_bits(&a->sum, y, ASK * a->d, 8);
    if (!(gm_model_capabilities(a->model) & GM_CAN_ENCODE))
        return;
    ck_assert_int_le(gm_model_code_count(a->model), MOST);
    test_ok(a->ctx, gm_model_encode(a->ctx, a->model, &rows, a->cond, a->how, &code));
    add_bits(&a->sum, z, ASK * gm_model_code_count(a->model), 8);
    if (!(gm_model_capabilities(a->model) & GM_CAN_DECODE))
        return;
    test_ok(a->ctx, gm_model_decode(a->ctx, a->model, &code, a->cond, a->how, &out));
    add_bits(&a->sum, y, ASK * a->d, 8);
}

/* Every third cell missing: filled by draws and by medians. */
static void ask_impute(asked *a)
{
    double y[ASK * MOST], holes[ASK * MOST];
    static const char *const hows[] = {"how=draw", "how=median"};
    gm_array in = case_array(GM_F64, holes, ASK, a->d), out = case_array(GM_F64, y, ASK, a->d);
    for (int64_t i = 0; i < ASK * a->d; i++)
        holes[i] = i % 3 == 1 ? NAN : a->x[i];
    for (int k = 0; k < 2; k++) {
        gm_options *how =
            case_options(a->ctx, (const char *[]){"seed=8", "draws=5", hows[k], NULL});
        test_ok(a->ctx, gm_model_impute(a->ctx, a->model, &in, a->cond, how, &out));
        add_bits(&a->sum, y, ASK * a->d, 8);
        gm_options_free(how);
    }
}

/* A column alone. */
static void ask_column(asked *a, int64_t column)
{
    double u[ASK], at[ASK], below[ASK], above[ASK];
    for (int64_t i = 0; i < ASK; i++)
        u[i] = (double)(2 * i + 1) / (2 * ASK);
    test_ok(a->ctx,
            gm_model_quantile(a->ctx, a->model, column, ASK, NULL, NULL, a->cond, NULL, u, at));
    add_bits(&a->sum, at, ASK, 8);
    test_ok(a->ctx, gm_model_cdf(a->ctx, a->model, column, ASK, NULL, NULL, a->cond, NULL, at,
                                 below, above));
    add_bits(&a->sum, below, ASK, 8);
    add_bits(&a->sum, above, ASK, 8);
}

/* The later half of the columns given the first; a box about the row; a column alone. */
static void ask_given(asked *a, const int64_t *order)
{
    double logp[ASK], p[ASK], error[ASK], low[ASK * MOST], high[ASK * MOST];
    unsigned char known[MOST] = {0};
    gm_array x = case_array(GM_F64, (double *)a->x, ASK, a->d),
             from = case_array(GM_F64, low, FEW, a->d), to = case_array(GM_F64, high, FEW, a->d);
    gm_array some = a->cond ? case_array(GM_F64, a->cond->data, FEW, a->cond->shape[1]) : x;
    gm_options *how = case_options(a->ctx, (const char *[]){"seed=8", "draws=3", NULL});
    for (int64_t j = 0; j < a->d / 2; j++)
        known[order[j]] = 1;
    test_ok(a->ctx, gm_model_log_prob_given(a->ctx, a->model, &x, known, a->cond, NULL, logp));
    for (int64_t i = 0; i < FEW * a->d; i++)
        low[i] = a->x[i] - (double)(i % 2), high[i] = i % 5 ? a->x[i] + 1 : INFINITY;
    test_ok(a->ctx, gm_model_range_prob(a->ctx, a->model, &from, &to, a->cond ? &some : NULL, how,
                                        p, error));
    add_bits(&a->sum, logp, ASK, 8);
    add_bits(&a->sum, p, FEW, 8);
    add_bits(&a->sum, error, FEW, 8);
    ask_column(a, order[0]);
    gm_options_free(how);
}

static void ask_archive(asked *a)
{
    double back[ASK * MOST];
    gm_compression told = {.struct_size = sizeof told};
    test_sink file = {0};
    gm_writer writer = test_sink_writer(&file);
    gm_dataset *rows;
    test_ok(a->ctx, gm_compress(a->ctx, a->model, a->rows, NULL, &writer, &told));
    gm__sha256_add(&a->sum, file.data, (size_t)file.size);
    test_ok(a->ctx, gm_decompress_memory(a->ctx, a->model, file.data, file.size, NULL, &rows));
    test_ok(a->ctx, gm_dataset_read_f64(a->ctx, rows, 0, ASK, back, 0));
    for (int64_t i = 0; i < ASK * a->d; i++)
        must_msg(memcmp(back + i, a->x + i, sizeof *back) == 0, "cell %d: %.17g, not %.17g", (int)i,
                 back[i], a->x[i]);
    gm_dataset_free(rows);
    test_sink_clear(&file);
}

static void ask_nuts(asked *a)
{
    double draws[2 * 9 * MOST], step[2];
    gm_density *density;
    gm_options *how =
        case_options(a->ctx, (const char *[]){"seed=8", "warmup=12", "max_depth=3",
                                              a->parallel ? "parallel=1" : "parallel=0", NULL});
    gm_nuts_result result = {.struct_size = sizeof result, .draws = draws, .step_size = step};
    test_ok(a->ctx, gm_density_create(a->ctx, a->model, NULL, NULL, &density));
    gm_target target = {.struct_size = sizeof target,
                        .user = density,
                        .dim = gm_density_dim(density),
                        .log_density = gm_density_log_prob};
    test_ok(a->ctx, gm_nuts(a->ctx, &target, NULL, how, 2, 9, &result));
    add_bits(&a->sum, draws, 2 * 9 * a->d, 8);
    add_bits(&a->sum, step, 2, 8);
    gm_density_free(density);
    gm_options_free(how);
}

static int set_to(int which, const char *setting)
{
    for (int i = 0; cases[which].settings[i]; i++)
        if (strcmp(cases[which].settings[i], setting) == 0)
            return 1;
    return 0;
}

/* Radial kernels have no laws of columns but the Gaussian's. */
static int lawful(const gm_model *model, int which)
{
    return !set_to(which, "radial=1") && (gm_model_capabilities(model) & GM_CAN_CONDITIONAL);
}

/* The values that columns of no grid keep as lists, with repeated=bins, and no others. */
static void add_lists(gm__sha256 *s, const gm_model *model, int which)
{
    const char *columns = cases[which].columns;
    int bins = 0;
    for (int i = 0; cases[which].settings[i]; i++)
        bins |= strcmp(cases[which].settings[i], "repeated=bins") == 0;
    for (int64_t j = 0; j < gm_model_column_count(model); j++) {
        int64_t count = 0;
        const double *list = gm_model_column_values(model, j, &count);
        ck_assert_int_eq(list != NULL, bins && columns[j] == 's');
        if (list)
            add_bits(s, list, count, 8);
    }
}

static void hash_asked(gm_context *ctx, const gm_model *model, const gm_options *how, int which,
                       int parallel, char text[65])
{
    const char *columns = cases[which].columns;
    double x[ASK * MOST], given[ASK * MOST];
    gm_dataset *rows = case_rows(ctx, columns, ASK);
    int64_t d = gm_model_column_count(model), c = gm_model_condition_count(model), wide,
            order[MOST];
    gm_array ac = case_array(GM_F64, given, ASK, c);
    asked a = {.ctx = ctx,
               .model = model,
               .rows = rows,
               .how = how,
               .x = x,
               .d = d,
               .cond = c ? &ac : NULL,
               .parallel = parallel};
    unsigned char digest[32];
    double all[ASK * MOST];
    wide = gm_dataset_column_count(rows);
    if (c)
        test_ok(ctx, gm_model_conditions(ctx, model, rows, &ac));
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, ASK, all, 0));
    for (int64_t i = 0, at = 0; i < ASK * wide; i++) /* the features alone */
        if (columns[i % wide] != 'g' && columns[i % wide] != 'w')
            x[at++] = all[i];
    gm__sha256_begin(&a.sum);
    add_weights(&a.sum, model);
    add_lists(&a.sum, model, which);
    ask_scores(&a);
    ask_rows(&a);
    if (lawful(model, which)) {
        gm_conditional *law;
        test_ok(ctx, gm_conditional_create(ctx, model, NULL, &law));
        gm_conditional_order(law, order);
        gm_conditional_free(law);
        if (set_to(which, "boundary=beta")) { /* they take long */
            ask_column(&a, order[0]);
        } else {
            ask_impute(&a);
            ask_given(&a, order);
            if (!c)
                ask_archive(&a);
        }
    }
    if (!strpbrk(columns, "vsibcog") && (gm_model_capabilities(model) & GM_CAN_GRADIENT))
        ask_nuts(&a);
    gm__sha256_end(&a.sum, digest);
    gm__sha256_text(digest, text);
    gm_dataset_free(rows);
}

/* ---- One hash -------------------------------------------------------------------------------- */

static void check_case(int which, const machine *m, int before_file)
{
    char text[65];
    gm_context *ctx = machine_context(m);
    gm_dataset *rows = case_rows(ctx, cases[which].columns, FIT);
    gm_options *how = case_options(ctx, cases[which].settings);
    test_sink file = {0};
    gm_writer writer = test_sink_writer(&file);
    gm_model *model, *loaded;
    test_ok(ctx, gm_fit(ctx, cases[which].family, rows, how, &model));
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    test_ok(ctx, gm_model_load_memory(ctx, file.data, file.size, &loaded));
    for (int k = before_file ? 0 : 1; k < 2; k++) {
        hash_asked(ctx, k ? loaded : model, how, which, m->threads > 1, text);
        ck_assert_msg(strcmp(text, cases[which].hash) == 0,
                      "case %d (%s), kernels %s, %d threads, %s: the hash is %s, not %s", which,
                      cases[which].family, m->kernels, m->threads, k ? "loaded" : "fitted", text,
                      cases[which].hash);
    }
    test_sink_clear(&file);
    gm_model_free(model);
    gm_model_free(loaded);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}

/* Quick: each instruction set with another number of threads. */
START_TEST(one_hash)
{
    for (int k = 0; gm__kernels_at(k); k++)
        for (int threads = 1; threads <= 3; threads++)
            if (!test_quick() || threads == 1 + k % 3)
                check_case(_i, &(machine){gm__kernels_at(k)->name, threads, threads != 2}, k == 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bits of densities");
    TCase *t = tcase_create("bits");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, one_hash, 0, CASES);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
