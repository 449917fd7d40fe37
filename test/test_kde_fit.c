/* Bandwidths, draws, conditions, gradients and modes of kernel density estimates. */
#include "support.h"
#include "kde_cases.h"

/* ---- Bandwidths ---- */

static void botev_rows(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double t = ((double)i + 0.5) / (double)n, z = log(t / (1 - t));
        x[i] = i % 2 == 0 ? -2 + 0.5 * z : 1 + 0.3 * z;
    }
}

START_TEST(rules_of_thumb)
{
    gm_context *ctx = test_context(NULL);
    double x[] = {1, 2, 3, 4, 10}, w[] = {1, 1, 1, 1, 1}, h[2];
    gm__kde_rows_of r = {x, 5, 1, 1, NULL};
    double sigma = sqrt(12.5), factor = pow(5, -0.2);
    test_ok(ctx, gm__kde_rule_of_thumb(ctx, GM__KDE_SCOTT, &r, h));
    must(test_close(h[0], sigma * factor, 1e-13, 0));
    /* Quartiles halfway in the rows' own weights: 1.75 and 5.5. */
    test_ok(ctx, gm__kde_rule_of_thumb(ctx, GM__KDE_SILVERMAN, &r, h));
    must_msg(test_close(h[0], 0.9 * factor * 3.75 / 1.349, 1e-13, 0), "%.17g", h[0]);
    /* A row twice is a row with weight 2. */
    double twice[] = {1, 2, 3, 4, 10, 10}, single, weighted;
    w[4] = 2;
    r.weights = w;
    test_ok(ctx, gm__kde_rule_of_thumb(ctx, GM__KDE_SCOTT, &r, &weighted));
    double mean = 30 / 6.0, s2 = 0, m = 36 / 8.0;
    for (int i = 0; i < 6; i++)
        s2 += (twice[i] - mean) * (twice[i] - mean) / 6;
    single = sqrt(s2 / (1 - 1 / m)) * pow(m, -0.2);
    must(test_close(weighted, single, 1e-13, 0));
    double same[] = {7, 7, 7};
    r = (gm__kde_rows_of){same, 3, 1, 1, NULL};
    test_ok(ctx, gm__kde_rule_of_thumb(ctx, GM__KDE_SILVERMAN, &r, h));
    must(h[0] > 0 && h[0] < 1);
    gm_context_free(ctx);
}
END_TEST

START_TEST(improved_sheather_jones)
{
    gm_context *ctx = test_context(NULL);
    static const int64_t sizes[] = {500, 4000};
    static const double want[] = {0.2322684783578014, 0.13645869580256684};
    static double x[4000];
    for (int i = 0; i < 2; i++) {
        double h;
        gm__kde_rows_of r = {x, sizes[i], 1, 1, NULL};
        botev_rows(x, sizes[i]);
        test_ok(ctx, gm__kde_sheather_jones(ctx, &r, &h));
        must_msg(test_close(h, want[i], 1e-6, 0), "%.12g not %.12g", h, want[i]);
    }
    gm_context_free(ctx);
}
END_TEST

/* The criteria by their definitions, one bandwidth a column or a covariance's inverse p. */
static double criterion(const double *x, int64_t n, int64_t d, const double *p, double log_det,
                        int least_squares)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double others = 0, all = 0;
        for (int64_t j = 0; j < n; j++) {
            double far = 0, c = exp(0.5 * log_det) / pow(2 * acos(-1), 0.5 * (double)d);
            for (int64_t r = 0; r < d; r++)
                for (int64_t s = 0; s < d; s++)
                    far += (x[i * d + r] - x[j * d + r]) * p[r * d + s] *
                           (x[i * d + s] - x[j * d + s]);
            others += i == j ? 0 : c * exp(-0.5 * far);
            all += c * pow(2, -0.5 * (double)d) * exp(-0.25 * far);
        }
        sum += least_squares ? all / (double)(n * n) - 2 * others / (double)(n * (n - 1))
                             : -log(others / (double)(n - 1)) / (double)n;
    }
    return sum;
}

static double at_diagonal(const double *x, int64_t n, const double *h, int least_squares)
{
    double p[4] = {1 / (h[0] * h[0]), 0, 0, 1 / (h[1] * h[1])};
    return criterion(x, n, 2, p, -2 * log(h[0] * h[1]), least_squares);
}

static double at_matrix(const double *x, int64_t n, const double *m, int least_squares)
{
    double det = m[0] * m[3] - m[1] * m[2];
    double p[4] = {m[3] / det, -m[1] / det, -m[2] / det, m[0] / det};
    return criterion(x, n, 2, p, -log(det), least_squares);
}

/* The result is a minimum of the criterion by its definition: steps in every direction raise it. */
START_TEST(cross_validation_finds_minima)
{
    gm_context *ctx = test_context(NULL);
    enum { N = 150 };
    double x[2 * N];
    uint64_t seed = 9;
    for (int i = 0; i < N; i++) {
        double a = 0, b = 0;
        for (int s = 0; s < 12; s++) {
            a += test_uniform(&seed, -0.5, 0.5);
            b += test_uniform(&seed, -0.5, 0.5);
        }
        x[2 * i] = a + (i % 2 ? 4 : 0);
        x[2 * i + 1] = 10 * (0.8 * a + 0.6 * b);
    }
    gm__kde_rows_of r = {x, N, 2, 2, NULL};
    for (int least = 0; least < 2; least++) {
        double h[2], m[4];
        gm__kde_criterion c = least ? GM__KDE_LEAST_SQUARES : GM__KDE_LIKELIHOOD;
        test_ok(ctx, gm__kde_cross_validate(ctx, c, &r, 0, 1, h, NULL));
        double best = at_diagonal(x, N, h, least);
        for (int j = 0; j < 4; j++) {
            double near[2] = {h[0], h[1]};
            near[j / 2] *= j % 2 ? 1.01 : 0.99;
            must(at_diagonal(x, N, near, least) > best);
        }
        test_ok(ctx, gm__kde_cross_validate(ctx, c, &r, 0, 1, h, m));
        double whole = at_matrix(x, N, m, least);
        must(whole < best && m[1] == m[2]);
        for (int j = 0; j < 6; j++) {
            double near[4] = {m[0], m[1], m[2], m[3]}, by = j % 2 ? 0.01 : -0.01;
            if (j / 2 == 1)
                near[1] = near[2] = m[1] + by * sqrt(m[0] * m[3]);
            else
                near[j / 2 ? 3 : 0] *= 1 + by;
            must_msg(at_matrix(x, N, near, least) > whole, "direction %d", j);
        }
    }
    gm_context_free(ctx);
}
END_TEST

START_TEST(abramson_factors)
{
    gm_context *ctx = test_context(NULL);
    kde_case k;
    kde_case_clusters(&k, 200, 2, 0.4);
    gm__kde *kde;
    gm__kde_rows_of r = {k.x, 200, 2, 2, NULL};
    double mean = 0, f[200];
    test_ok(ctx, gm__kde_create(ctx, &k.config, &kde));
    test_ok(ctx, gm__kde_abramson(ctx, kde, &r, f));
    for (int i = 0; i < 200; i++)
        mean += (double)logl(kde_direct(&k, k.x + 2 * i)) / 200;
    for (int i = 0; i < 200; i++) {
        double want = exp(-0.5 * ((double)logl(kde_direct(&k, k.x + 2 * i)) - mean));
        must(test_close(f[i], want, 1e-5, 0));
    }
    gm__kde_free(kde);
    kde_case_clear(&k);
    gm_context_free(ctx);
}
END_TEST

/* ---- Draws ---- */

enum { DRAWS = 20000, CELLS = 40, PIECES = 100 };

/* Draws of one column fall into the cells as the density's integrals say: chi-square. */
static void check_line(gm_context *ctx, gm__kde_column column, int adaptive)
{
    double x[5], factor[5] = {0.5, 1, 2, 1, 1.5}, *out = malloc(DRAWS * sizeof *out);
    double low = kde_span(&column, 0), high = kde_span(&column, 1);
    for (int i = 0; i < 5; i++)
        x[i] = kde_inside(&column, i / 4.0);
    gm__kde_config c = {.n = 5,
                        .d = 1,
                        .stride = 1,
                        .x = x,
                        .columns = &column,
                        .factors = adaptive ? factor : NULL};
    gm__kde *kde;
    test_ok(ctx, gm__kde_create(ctx, &c, &kde));
    test_ok(ctx, gm__kde_sample(ctx, kde, 1, 5, 0, 0, DRAWS, out));
    double count[CELLS + 1] = {0}, share[CELLS + 1] = {0}, chi = 0;
    gm__kde_promise promise = {1e-6, 0};
    share[CELLS] = 1;
    double *q = malloc(2 * CELLS * PIECES * sizeof *q), *y = q + CELLS * PIECES;
    for (int i = 0; i < CELLS * PIECES; i++)
        q[i] = low + (high - low) * (i + 0.5) / (CELLS * PIECES);
    test_ok(ctx, gm__kde_log_density(ctx, kde, q, CELLS * PIECES, 1, &promise, y, NULL, NULL));
    for (int i = 0; i < CELLS * PIECES; i++)
        share[i / PIECES] += exp(y[i]) * (high - low) / (CELLS * PIECES);
    free(q);
    for (int i = 0; i < CELLS; i++)
        share[CELLS] -= share[i];
    for (int i = 0; i < DRAWS; i++) {
        double at = floor((out[i] - low) / (high - low) * CELLS);
        must(column.kind == GM__KDE_REAL || (out[i] >= column.low && out[i] <= column.high));
        count[at >= 0 && at < CELLS ? (int)at : CELLS]++;
    }
    for (int i = 0; i <= CELLS; i++) {
        double want = share[i] * DRAWS;
        if (want > 3)
            chi += (count[i] - want) * (count[i] - want) / want;
        else
            must_msg(count[i] <= want + 20, "cell %d: %g, %g expected", i, count[i], want);
    }
    must_msg(chi < 90, "kind %d kernel %d h %g: chi-square %g", column.kind, column.kernel,
             column.bandwidth, chi); /* 40 cells: 99.999 % under 86 */
    gm__kde_free(kde);
    free(out);
}

START_TEST(draws_follow_the_density)
{
    gm_context *ctx = test_context(NULL);
    for (int c = 0; c < kde_line_count(); c++)
        check_line(ctx, kde_line(c), 0);
    check_line(ctx, kde_real(GM__KERNEL_GAUSSIAN, 0.3), 1);
    gm_context_free(ctx);
}
END_TEST

START_TEST(discrete_draws_follow)
{
    gm_context *ctx = test_context(NULL);
    gm__kde_column column[2] = {{GM__KDE_CATEGORY, 0, 0.3, 0, 3}, {GM__KDE_ORDERED, 0, 0.5, -2, 4}};
    double x[] = {0, -2, 3, 1, 1, 4}, *out = malloc(2 * DRAWS * sizeof *out), chi = 0;
    gm__kde_config c = {.n = 3, .d = 2, .stride = 2, .x = x, .columns = column};
    gm__kde_promise promise = {0, 0};
    gm__kde *kde;
    test_ok(ctx, gm__kde_create(ctx, &c, &kde));
    test_ok(ctx, gm__kde_sample(ctx, kde, 1, 5, 0, 0, DRAWS, out));
    for (int i = 0; i < 4; i++)
        for (int j = -2; j <= 4; j++) {
            double q[2] = {i, j}, y, count = 0;
            test_ok(ctx, gm__kde_log_density(ctx, kde, q, 1, 2, &promise, &y, NULL, NULL));
            for (int r = 0; r < DRAWS; r++)
                count += out[2 * r] == i && out[2 * r + 1] == j;
            chi += pow(count - DRAWS * exp(y), 2) / (DRAWS * exp(y));
        }
    must_msg(chi < 70, "chi-square %g", chi);
    gm__kde_free(kde);
    free(out);
    gm_context_free(ctx);
}
END_TEST

/* A temperature scales how far draws lie from their row, of fine columns too. */
START_TEST(temperature_scales_deviations)
{
    gm_context *ctx = test_context(NULL);
    gm__kde_column column = {GM__KDE_ORDERED, 0, 0.999, -50000, 50000};
    double x = 0, *out = malloc(DRAWS * sizeof *out), want = sqrt(0.999 * 1.999) / 0.001;
    gm__kde_config c = {.n = 1, .d = 1, .stride = 1, .x = &x, .columns = &column};
    gm__kde *kde;
    test_ok(ctx, gm__kde_create(ctx, &c, &kde));
    for (double t = 0.5; t < 2.5; t += 0.5) {
        double squares = 0;
        test_ok(ctx, gm__kde_sample(ctx, kde, t, 5, 0, 0, DRAWS, out));
        for (int r = 0; r < DRAWS; r++)
            squares += out[r] * out[r] / DRAWS;
        must_msg(test_close(sqrt(squares), t * want, 0.05, 0), "%g: %g", t, sqrt(squares));
    }
    gm__kde_free(kde);
    free(out);
    gm_context_free(ctx);
}
END_TEST

/* Radial kernels and a matrix in two dimensions: mass of quadrants and of rings about one row. */
START_TEST(draws_in_the_plane)
{
    gm_context *ctx = test_context(NULL);
    double *out = malloc(2 * DRAWS * sizeof *out), x[2] = {1, -2}, matrix[4] = {2, 1.2, 1.2, 1};
    for (int kernel = 0; kernel <= GM__KERNEL_COUNT; kernel++) {
        int whole = kernel == GM__KERNEL_COUNT;
        gm__kde_column column[2] = {kde_real(whole ? 0 : kernel, 0.5),
                                    kde_real(whole ? 0 : kernel, 2)};
        gm__kde_config c = {.n = 1,
                            .d = 2,
                            .stride = 2,
                            .x = x,
                            .columns = column,
                            .radial = !whole,
                            .matrix = whole ? matrix : NULL};
        gm__kde *kde;
        test_ok(ctx, gm__kde_create(ctx, &c, &kde));
        test_ok(ctx, gm__kde_sample(ctx, kde, 1, 3, 1, 0, DRAWS, out));
        double count[8] = {0}, share[8] = {0}, total = 0;
        gm__kde_promise promise = {1e-6, 0};
        for (int i = 0; i < 400 * 400; i++) { /* polar: r in [0, 14], by cells of equal angle */
            double r = 14.0 * (i / 400 + 0.5) / 400, t = 2 * acos(-1) * (i % 400 + 0.5) / 400, y;
            double q[2] = {1 + 0.5 * r * cos(t), -2 + 2 * r * sin(t)};
            test_ok(ctx, gm__kde_log_density(ctx, kde, q, 1, 2, &promise, &y, NULL, NULL));
            int at = (i % 400) / 100 + 4 * (r > 0.7);
            share[at] += exp(y) * r;
            total += exp(y) * r;
        }
        for (int i = 0; i < DRAWS; i++) {
            double u = (out[2 * i] - 1) / 0.5, v = (out[2 * i + 1] + 2) / 2, t = atan2(v, u);
            int at = (int)((t < 0 ? t + 2 * acos(-1) : t) / (2 * acos(-1)) * 4) % 4;
            count[at + 4 * (u * u + v * v > 0.49)]++;
        }
        for (int i = 0; i < 8; i++) {
            double p = share[i] / total, sigma = sqrt(p * (1 - p) * DRAWS);
            must_msg(fabs(count[i] - p * DRAWS) < 5 * sigma + 0.005 * DRAWS,
                     "kernel %d cell %d: %g not %g", kernel, i, count[i], p * DRAWS);
        }
        gm__kde_free(kde);
    }
    free(out);
    gm_context_free(ctx);
}
END_TEST

START_TEST(draws_do_not_depend_on_the_batch)
{
    gm_context *ctx = test_context(NULL);
    kde_case k;
    kde_case_clusters(&k, 300, 3, 0.4);
    gm__kde *kde;
    double all[30], part[9];
    test_ok(ctx, gm__kde_create(ctx, &k.config, &kde));
    test_ok(ctx, gm__kde_sample(ctx, kde, 1, 5, 2, 0, 10, all));
    test_ok(ctx, gm__kde_sample(ctx, kde, 1, 5, 2, 4, 3, part));
    must(memcmp(all + 12, part, sizeof part) == 0);
    test_ok(ctx, gm__kde_sample(ctx, kde, 1, 6, 2, 4, 3, part));
    must(memcmp(all + 12, part, sizeof part) != 0);
    gm__kde_free(kde);
    kde_case_clear(&k);
    gm_context_free(ctx);
}
END_TEST

/* ---- Conditions ---- */

static double log_at(gm_context *ctx, const gm__kde *kde, const double *q)
{
    double y;
    gm__kde_promise promise = {0, 0};
    test_ok(ctx,
            gm__kde_log_density(ctx, kde, q, 1, gm__kde_columns(kde), &promise, &y, NULL, NULL));
    return y;
}

/* p(free | given) is p(all) / p(given), for every mix of columns, adaptive and with a matrix. */
START_TEST(conditions_are_ratios)
{
    gm_context *ctx = test_context(NULL);
    int first = kde_line_count() + GM__KERNEL_COUNT;
    for (int c = first - 1; c < kde_case_count(); c++)
        for (int adaptive = 0; adaptive < 2; adaptive++) {
            kde_case k;
            double matrix[9] = {0.3, 0.1, 0, 0.1, 0.2, 0.05, 0, 0.05, 0.4};
            if (c < first) {
                kde_case_clusters(&k, 100, 3, 1);
                k.config.matrix = matrix;
                memcpy(k.q, k.x, sizeof k.x[0] * 60);
            } else {
                kde_case_make(&k, c, 100, adaptive);
            }
            int64_t d = k.config.d;
            uint8_t given[4] = {1, 0, 1, 0}, others[4];
            gm__kde *joint, *part, *conditional;
            for (int j = 0; j < 4; j++)
                others[j] = !given[j];
            test_ok(ctx, gm__kde_create(ctx, &k.config, &joint));
            test_ok(ctx, gm__kde_condition(ctx, joint, others, NULL, &part));
            for (int i = 0; i < 20; i++) {
                const double *q = k.q + i * d;
                double seen[4], left[4];
                int a = 0, b = 0;
                for (int j = 0; j < d; j++)
                    *(given[j] ? &seen[a++] : &left[b++]) = q[j];
                double below = log_at(ctx, part, seen), want = log_at(ctx, joint, q) - below;
                if (!(below > -200))
                    continue;
                test_ok(ctx, gm__kde_condition(ctx, joint, given, q, &conditional));
                double got = log_at(ctx, conditional, left);
                must_msg(got == want || test_close(got, want, 1e-7, 1e-7),
                         "case %d: %.12g not %.12g", c, got, want);
                gm__kde_free(conditional);
            }
            gm__kde_free(part);
            gm__kde_free(joint);
            kde_case_clear(&k);
        }
    gm_context_free(ctx);
}
END_TEST

/* Draws given a column have the mean and variance of the conditional density. */
START_TEST(conditional_draws)
{
    gm_context *ctx = test_context(NULL);
    for (int whole = 0; whole < 2; whole++) {
        kde_case k;
        double matrix[4] = {0.5, 0.3, 0.3, 0.4}, sum = 0, squares = 0, mean = 0, mass = 0,
               second = 0;
        enum { M = 4000 };
        double *values = calloc(2 * M, sizeof *values), *out = malloc(2 * M * sizeof *out);
        uint8_t given[2] = {1, 0};
        static int64_t numbers[M];
        gm__kde *kde, *conditional;
        kde_case_clusters(&k, 60, 2, 0.7);
        k.config.matrix = whole ? matrix : NULL;
        test_ok(ctx, gm__kde_create(ctx, &k.config, &kde));
        for (int i = 0; i < M; i++) {
            values[2 * i] = 0.5;
            numbers[i] = i;
        }
        test_ok(ctx, gm__kde_sample_given(ctx, kde, given, values, 8, 0, numbers, M, out));
        test_ok(ctx, gm__kde_condition(ctx, kde, given, values, &conditional));
        for (int i = 0; i < M; i++) {
            must(out[2 * i] == 0.5);
            sum += out[2 * i + 1] / M;
        }
        for (int i = 0; i < M; i++)
            squares += pow(out[2 * i + 1] - sum, 2) / M;
        for (double y = -20; y < 20; y += 0.01) {
            double p = exp(log_at(ctx, conditional, &y));
            mass += p * 0.01;
            mean += p * y * 0.01;
            second += p * y * y * 0.01;
        }
        double variance = second - mean * mean;
        must(fabs(mass - 1) < 1e-6);
        must_msg(fabs(sum - mean) < 5 * sqrt(variance / M), "%g not %g", sum, mean);
        must_msg(fabs(squares / variance - 1) < 0.15, "%g not %g", squares, variance);
        gm__kde_free(conditional);
        gm__kde_free(kde);
        kde_case_clear(&k);
        free(values);
        free(out);
    }
    gm_context_free(ctx);
}
END_TEST

/* ---- Gradients and modes ---- */

START_TEST(gradients_are_differences)
{
    gm_context *ctx = test_context(NULL);
    for (int whole = 0; whole < 3; whole++) {
        kde_case k;
        double matrix[9] = {0.5, 0.3, 0, 0.3, 0.4, 0, 0, 0, 1};
        gm__kde *kde;
        kde_case_clusters(&k, 200, 3, 0.7);
        for (int i = 0; i < 200; i++)
            k.factors[i] = 0.7 + 0.003 * i;
        k.config.matrix = whole == 1 ? matrix : NULL;
        k.config.factors = whole == 2 ? k.factors : NULL;
        test_ok(ctx, gm__kde_create(ctx, &k.config, &kde));
        for (int i = 0; i < 20; i++) {
            double g[3], q[3];
            memcpy(q, k.q + 3 * i, sizeof q);
            test_ok(ctx, gm__kde_gradient(ctx, kde, q, 1, g));
            for (int j = 0; j < 3; j++) {
                double step = 1e-5, high, low;
                q[j] += step;
                high = log_at(ctx, kde, q);
                q[j] -= 2 * step;
                low = log_at(ctx, kde, q);
                q[j] += step;
                must_msg(test_close(g[j], (high - low) / (2 * step), 1e-5, 1e-5), "%g not %g", g[j],
                         (high - low) / (2 * step));
            }
        }
        gm__kde_free(kde);
        kde_case_clear(&k);
    }
    gm_context_free(ctx);
}
END_TEST

/* The slope of log density in column j by differences of direct sums; NaN where a corner of a
 * kernel or a wall is too near. */
static double slope_at(const kde_case *k, double *q, int64_t j, double step)
{
    double at = q[j], slope[2];
    for (int i = 0; i < 2; i++, step /= 2) {
        q[j] = at + step;
        long double high = kde_direct(k, q);
        q[j] = at - step;
        long double low = kde_direct(k, q);
        q[j] = at;
        slope[i] = high > 0 && low > 0 ? (double)(logl(high / low) / (2 * (long double)step)) : NAN;
    }
    return test_close(slope[0], slope[1], 1e-5, 1e-6) ? slope[1] : NAN;
}

/* Every kernel, kind of column and mix, plain and adaptive. */
START_TEST(gradients_of_every_kernel)
{
    gm_context *ctx = test_context(NULL);
    int slopes = 0;
    for (int c = 0; c < kde_case_count(); c += test_quick() ? 7 : 1)
        for (int adaptive = 0; adaptive < 2; adaptive++) {
            kde_case k;
            gm__kde *kde;
            kde_case_make(&k, c, 40, adaptive);
            int64_t d = k.config.d;
            test_ok(ctx, gm__kde_create(ctx, &k.config, &kde));
            for (int i = 0; i < 14; i++) {
                double g[8], *q = k.q + i * d;
                test_ok(ctx, gm__kde_gradient(ctx, kde, q, 1, g));
                for (int64_t j = 0; j < d; j++) {
                    if (k.column[j].kind >= GM__KDE_CATEGORY) {
                        must(g[j] == 0);
                        continue;
                    }
                    double want = slope_at(&k, q, j, 1e-5);
                    slopes += want == want;
                    must_msg(!(want == want) || test_close(g[j], want, 1e-4, 1e-5),
                             "case %d, query %d, column %d: %.9g not %.9g", c, i, (int)j, g[j],
                             want);
                }
            }
            gm__kde_free(kde);
            kde_case_clear(&k);
        }
    must_msg(slopes > 150, "only %d slopes", slopes);
    gm_context_free(ctx);
}
END_TEST

/* From every row, the gradient is zero where the climb ends, or a wall holds it; and no place about
 * is denser. */
START_TEST(modes_of_every_kernel)
{
    gm_context *ctx = test_context(NULL);
    int climbed = 0;
    for (int c = 0; c < kde_case_count(); c += test_quick() ? 11 : 1) {
        kde_case k;
        gm__kde *kde;
        double out[40 * 4];
        int64_t mode[40], modes;
        kde_case_make(&k, c, 40, 0);
        int64_t d = k.config.d;
        test_ok(ctx, gm__kde_create(ctx, &k.config, &kde));
        gm_status code = gm__kde_modes(ctx, kde, k.x, 40, 1e-7, 3000, out, mode, &modes);
        must(code == GM_OK || code == GM_E_UNSUPPORTED);
        for (int i = 0; i < 40 && !code; i += 7) {
            double here = log_at(ctx, kde, out + i * d), q[4];
            must_msg(here >= log_at(ctx, kde, k.x + i * d) - 1e-4, "case %d went down", c);
            for (int64_t j = 0; j < d; j++)
                for (int side = -1; side < 2; side += 2) {
                    memcpy(q, out + i * d, (size_t)d * sizeof *q);
                    if (k.column[j].kind >= GM__KDE_CATEGORY)
                        continue;
                    q[j] += side * 1e-4 * k.column[j].bandwidth;
                    must_msg(log_at(ctx, kde, q) <= here + 1e-6, "case %d, column %d: no mode", c,
                             (int)j);
                }
        }
        climbed += !code;
        gm__kde_free(kde);
        kde_case_clear(&k);
    }
    must_msg(climbed > (test_quick() ? 1 : 30), "%d", climbed);
    gm_context_free(ctx);
}
END_TEST

START_TEST(modes_are_found)
{
    gm_context *ctx = test_context(NULL);
    double x[120], out[120];
    int64_t mode[60], modes;
    uint64_t seed = 3;
    for (int i = 0; i < 60; i++)
        for (int j = 0; j < 2; j++)
            x[2 * i + j] = (i % 3) * 5 * (j + 1) + test_uniform(&seed, -0.7, 0.7);
    gm__kde_column column[2] = {kde_real(0, 0.8), kde_real(0, 0.8)};
    gm__kde_config c = {.n = 60, .d = 2, .stride = 2, .x = x, .columns = column};
    gm__kde *kde;
    test_ok(ctx, gm__kde_create(ctx, &c, &kde));
    test_ok(ctx, gm__kde_modes(ctx, kde, x, 60, 1e-6, 1000, out, mode, &modes));
    must_msg(modes == 3, "%d modes", (int)modes);
    for (int i = 0; i < 60; i++) {
        double g[2];
        must(mode[i] == i % 3);
        test_ok(ctx, gm__kde_gradient(ctx, kde, out + 2 * i, 1, g));
        must(fabs(g[0]) < 1e-4 && fabs(g[1]) < 1e-4);
    }
    gm__kde_free(kde);
    gm_context_free(ctx);
}
END_TEST

/* ---- Memory ---- */

static gm_status use_all(gm_context *ctx, kde_case *k, gm__kde **kde, gm__kde **part)
{
    gm__kde_rows_of r = {k->x, 60, 2, 2, NULL}, line = {k->x, 60, 1, 2, NULL};
    double h[2], m[4], f[60], out[120];
    int64_t count;
    uint8_t given[2] = {0, 1};
    gm_status code = gm__kde_rule_of_thumb(ctx, GM__KDE_SILVERMAN, &r, h);
    if (!code)
        code = gm__kde_sheather_jones(ctx, &line, h);
    if (!code)
        code = gm__kde_cross_validate(ctx, GM__KDE_LIKELIHOOD, &r, 20, 1, h, m);
    if (!code)
        code = gm__kde_create(ctx, &k->config, kde);
    if (!code)
        code = gm__kde_abramson(ctx, *kde, &r, f);
    if (!code)
        code = gm__kde_sample(ctx, *kde, 1, 1, 0, 0, 10, out);
    if (!code)
        code = gm__kde_sample_given(ctx, *kde, given, k->x, 1, 0, (int64_t[]){0, 1}, 2, out);
    if (!code)
        code = gm__kde_condition(ctx, *kde, given, k->x, part);
    if (!code)
        code = gm__kde_gradient(ctx, *kde, k->x, 2, out);
    if (!code)
        code = gm__kde_modes(ctx, *kde, k->x, 4, 1e-3, 100, out, NULL, &count);
    return code;
}

static gm_status use_with(const gm_allocator *allocator, void *arg)
{
    kde_case *k = arg;
    gm_context *ctx;
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm__kde *kde = NULL, *part = NULL;
    gm_status code = gm_context_create(&config, &ctx);
    if (code)
        return code;
    code = use_all(ctx, k, &kde, &part);
    gm__kde_free(part);
    gm__kde_free(kde);
    gm_context_free(ctx);
    return code;
}

START_TEST(memory_may_fail)
{
    kde_case k;
    double matrix[4] = {0.5, 0.1, 0.1, 0.4};
    kde_case_clusters(&k, 60, 2, 0.7);
    must(test_every_failure(use_with, &k, 80) > 10);
    k.config.matrix = matrix;
    must(test_every_failure(use_with, &k, 80) > 10);
    kde_case_clear(&k);
}
END_TEST

/* Values far from 0 next to their spread have it still. */
START_TEST(far_from_zero)
{
    gm_context *ctx = test_context(NULL);
    double x[2][200], h[2];
    uint64_t state = 8;
    for (int i = 0; i < 200; i++) {
        x[0][i] = floor(test_uniform(&state, -8, 8)) / 4;
        x[1][i] = 1e15 + x[0][i];
    }
    for (int k = 0; k < 2; k++) {
        gm__kde_rows_of rows = {x[k], 200, 1, 1, NULL};
        test_ok(ctx, gm__kde_rule_of_thumb(ctx, GM__KDE_SCOTT, &rows, &h[k]));
    }
    must_msg(test_close(h[1], h[0], 1e-3, 0), "%g, not %g", h[1], h[0]);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kde_fit");
    TCase *t = tcase_create("kde_fit");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, rules_of_thumb);
    tcase_add_test(t, improved_sheather_jones);
    tcase_add_test(t, cross_validation_finds_minima);
    tcase_add_test(t, abramson_factors);
    tcase_add_test(t, draws_follow_the_density);
    tcase_add_test(t, discrete_draws_follow);
    tcase_add_test(t, temperature_scales_deviations);
    tcase_add_test(t, draws_in_the_plane);
    tcase_add_test(t, draws_do_not_depend_on_the_batch);
    tcase_add_test(t, conditions_are_ratios);
    tcase_add_test(t, conditional_draws);
    tcase_add_test(t, gradients_are_differences);
    tcase_add_test(t, gradients_of_every_kernel);
    tcase_add_test(t, modes_are_found);
    tcase_add_test(t, modes_of_every_kernel);
    tcase_add_test(t, memory_may_fail);
    tcase_add_test(t, far_from_zero);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
