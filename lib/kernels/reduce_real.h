/* Reductions of one type R (V: a register of VN of them). Sums run in 16 lanes of double whatever
 * the type; the end of a row is padded to 16 with values that leave the result alone. */

/* The n < 16 last values, padded. */
VINLINE void RNAME(pad)(R *padded, const R *x, int64_t n, R filler)
{
    GM_UNROLL
    for (int j = 0; j < LANES; j += VN)
        v_store(padded + j, v_set(filler));
    for (int64_t i = 0; i < n; i++)
        padded[i] = x[i];
}

/* The end of a sum: n < 16 more values into lanes 0 to n - 1, then 8 + 8, 4 + 4, 2 + 2, 1 + 1.
 * Without whole vectors before it (`some`) the upper lanes hold nothing, and folding starts below
 * them. */
VINLINE double RNAME(end_sum)(gm__lanes a, const R *x, int64_t n, int some, int squared)
{
    double t[LANES];
    int half = LANES / 2;
    if (n == 0)
        return ISA(lanes_fold)(a);
    ISA(lanes_store_f64)(t, a);
    for (int64_t i = 0; i < n; i++)
        t[i] += squared ? (double)x[i] * x[i] : (double)x[i];
    while (!some && half >= n && half > 0)
        half /= 2;
    for (; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            t[i] += t[i + half];
    return t[0];
}

static double RNAME(total)(const R *x, int64_t n)
{
    gm__lanes a = ISA(lanes_zero)();
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        a = ISA(lanes_add)(a, RNAME(lanes_load)(x + i));
    return RNAME(end_sum)(a, x + i, n - i, i > 0, 0);
}

static double RNAME(sum)(const void *x, int64_t n)
{
    return RNAME(total)(x, n);
}

static double RNAME(sum_squares)(const void *x, int64_t n)
{
    const R *from = x;
    gm__lanes a = ISA(lanes_zero)();
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        a = ISA(lanes_add_squares)(a, RNAME(lanes_load)(from + i));
    return RNAME(end_sum)(a, from + i, n - i, i > 0, 1);
}

static void RNAME(row_sum)(void *y, const void *x, int64_t rows, int64_t cols)
{
    for (int64_t i = 0; i < rows; i++)
        ((R *)y)[i] = (R)RNAME(total)((const R *)x + i * cols, cols);
}

/* The larger; a NaN wins and stays. */
VINLINE V RNAME(larger)(V a, V b)
{
    return v_pick((VM)(b > a) | (VM)(b != b), b, a);
}

/* -inf for a row of nothing. */
static R RNAME(top)(const R *x, int64_t n)
{
    R top = (R)-__builtin_inf();
    int64_t i = 0;
    if (n >= LANES) {
        V a[LANES / VN];
        R t[LANES];
        GM_UNROLL
        for (int j = 0; j < LANES / VN; j++)
            a[j] = v_set(top);
        for (; i + LANES <= n; i += LANES) {
            GM_UNROLL
            for (int j = 0; j < LANES / VN; j++)
                a[j] = RNAME(larger)(a[j], v_load(x + i + j * VN));
        }
        GM_UNROLL
        for (int j = 0; j < LANES / VN; j++)
            v_store(t + j * VN, a[j]);
        for (int j = 0; j < LANES; j++)
            top = t[j] > top || t[j] != t[j] ? t[j] : top;
    }
    for (; i < n; i++)
        top = x[i] > top || x[i] != x[i] ? x[i] : top;
    return top;
}

static void RNAME(row_max)(void *y, const void *x, int64_t rows, int64_t cols)
{
    for (int64_t i = 0; i < rows; i++)
        ((R *)y)[i] = RNAME(top)((const R *)x + i * cols, cols);
}

/* y = sum of rows over `count` registers of columns. The rows of a piece run in registers. */
VINLINE void RNAME(col_strip)(R *y, const R *x, int64_t rows, int64_t cols, int count)
{
    V sum[8];
    GM_UNROLL
    for (int j = 0; j < count; j++)
        sum[j] = v_set(0);
    for (int64_t r = 0; r < rows; r += GM__ROW_CUT) {
        int64_t end = r + GM__ROW_CUT < rows ? r + GM__ROW_CUT : rows;
        V piece[8];
        GM_UNROLL
        for (int j = 0; j < count; j++)
            piece[j] = v_set(0);
        for (int64_t i = r; i < end; i++) {
            GM_UNROLL
            for (int j = 0; j < count; j++)
                piece[j] += v_load(x + i * cols + j * VN);
        }
        GM_UNROLL
        for (int j = 0; j < count; j++)
            sum[j] += piece[j];
    }
    GM_UNROLL
    for (int j = 0; j < count; j++)
        v_store(y + j * VN, sum[j]);
}

/* One column, the same chain. */
static R RNAME(col_one)(const R *x, int64_t rows, int64_t cols)
{
    R sum = 0;
    for (int64_t r = 0; r < rows; r += GM__ROW_CUT) {
        int64_t end = r + GM__ROW_CUT < rows ? r + GM__ROW_CUT : rows;
        R piece = 0;
        for (int64_t i = r; i < end; i++)
            piece += x[i * cols];
        sum += piece;
    }
    return sum;
}

static void RNAME(col_sum)(void *y, const void *x, int64_t rows, int64_t cols, int64_t c0,
                           int64_t c1)
{
    R *to = y;
    const R *from = x;
    int64_t c = c0;
    for (; c + 8 * VN <= c1; c += 8 * VN)
        RNAME(col_strip)(to + c, from + c, rows, cols, 8);
    for (; c + VN <= c1; c += VN)
        RNAME(col_strip)(to + c, from + c, rows, cols, 1);
    for (; c < c1; c++)
        to[c] = RNAME(col_one)(from + c, rows, cols);
}

/* y = exp(x - top) for 16 values, and their sum added to a. */
VINLINE gm__lanes RNAME(exp_step)(R *y, const R *x, R top, gm__lanes a)
{
    GM_UNROLL
    for (int j = 0; j < LANES / VN; j++)
        v_store(y + j * VN, v_exp(v_load(x + j * VN) - v_set(top)));
    return ISA(lanes_add)(a, RNAME(lanes_load)(y));
}

/* Sum of exp(x - top); the terms to y unless it is NULL. 0 for an empty row. */
static double RNAME(exp_row)(R *y, const R *x, int64_t n, R top)
{
    R end[LANES], kept[LANES];
    gm__lanes a = ISA(lanes_zero)();
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        a = RNAME(exp_step)(y ? y + i : kept, x + i, top, a);
    if (i < n) {
        RNAME(pad)(end, x + i, n - i, (R)-__builtin_inf());
        a = RNAME(exp_step)(kept, end, top, a);
        if (y)
            memcpy(y + i, kept, (size_t)(n - i) * sizeof(R));
    }
    return ISA(lanes_fold)(a);
}

/* Rows whose largest value is infinite: limits, so that no difference of infinities is taken. All
 * -inf: no mass anywhere; +inf: the mass is shared by the values that are. */
static int RNAME(is_infinite)(R x)
{
    return x == (R)__builtin_inf() || x == (R)-__builtin_inf();
}

static double RNAME(infinite_row)(R *y, const R *x, int64_t n, R top)
{
    double count = 0;
    for (int64_t i = 0; i < n; i++) {
        R one = top > 0 && x[i] == top;
        count += one;
        if (y)
            y[i] = one;
    }
    return count;
}

static void RNAME(softmax)(void *y, const void *x, int64_t rows, int64_t cols)
{
    for (int64_t i = 0; i < rows; i++) {
        R *to = (R *)y + i * cols;
        const R *from = (const R *)x + i * cols;
        R top = RNAME(top)(from, cols);
        double sum = RNAME(is_infinite)(top) ? RNAME(infinite_row)(to, from, cols, top)
                                             : RNAME(exp_row)(to, from, cols, top);
        R scale = sum > 0 || sum != sum ? (R)(1 / sum) : 0;
        int64_t c = 0;
        for (; c + VN <= cols; c += VN)
            v_store(to + c, v_load(to + c) * v_set(scale));
        for (; c < cols; c++)
            to[c] *= scale;
    }
}

/* y = (x - top) - log_sum in double; a finite x stays finite. */
VINLINE void RNAME(shift_step)(R *y, const R *x, double top, double log_sum)
{
    gm__lanes a = RNAME(lanes_load)(x);
    GM_UNROLL
    for (int j = 0; j < LANES_D; j++) {
        vd shifted = (a.at[j] - vd_set(top)) - vd_set(log_sum);
        vd held = vd_max(vd_set(-R_MAX), shifted);
        a.at[j] = vd_pick(a.at[j] > vd_set(-__builtin_inf()), held, shifted);
    }
    RNAME(lanes_store)(y, a);
}

static void RNAME(log_softmax_row)(R *y, const R *x, int64_t n)
{
    R top = RNAME(top)(x, n), end[LANES];
    if (RNAME(is_infinite)(top)) {
        double count = RNAME(infinite_row)(y, x, n, top);
        for (int64_t i = 0; i < n; i++)
            y[i] = y[i] != 0 ? (R)-ISA(log_one)(count) : (R)-__builtin_inf();
        return;
    }
    double log_sum = ISA(log_one)(RNAME(exp_row)(NULL, x, n, top));
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        RNAME(shift_step)(y + i, x + i, top, log_sum);
    if (i < n) {
        RNAME(pad)(end, x + i, n - i, 0);
        RNAME(shift_step)(end, end, top, log_sum);
        memcpy(y + i, end, (size_t)(n - i) * sizeof(R));
    }
}

static void RNAME(log_softmax)(void *y, const void *x, int64_t rows, int64_t cols)
{
    for (int64_t i = 0; i < rows; i++)
        RNAME(log_softmax_row)((R *)y + i * cols, (const R *)x + i * cols, cols);
}

static void RNAME(logsumexp)(void *y, const void *x, int64_t rows, int64_t cols)
{
    for (int64_t i = 0; i < rows; i++) {
        const R *from = (const R *)x + i * cols;
        R top = RNAME(top)(from, cols);
        ((R *)y)[i] = RNAME(is_infinite)(top)
                          ? top
                          : (R)(top + ISA(log_one)(RNAME(exp_row)(NULL, from, cols, top)));
    }
}

/* One chain a row in double, rounded at each element. */
static void RNAME(cumsum)(void *y, const void *x, int64_t rows, int64_t cols, int reverse,
                          int exclusive)
{
    for (int64_t i = 0; i < rows; i++) {
        R *to = (R *)y + i * cols;
        const R *from = (const R *)x + i * cols;
        double sum = 0;
        for (int64_t k = 0; k < cols; k++) {
            int64_t c = reverse ? cols - 1 - k : k;
            double before = sum;
            sum += from[c];
            to[c] = (R)(exclusive ? before : sum);
        }
    }
}
