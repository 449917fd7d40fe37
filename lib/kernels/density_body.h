/* Sums of kernels over a block of points, of one instruction set. The virtual vector has 16 lanes;
 * point i of a block is in lane i mod 16, and lanes are folded 8+8, 4+4, 2+2, 1+1 at the end. */
#include "kernels/math_f32.h"
#include "kernels/math_f64.h"

#define LANES 16
#define LANES_D (LANES / VD)
#define LANES_F (LANES / VF)

/* e^x for x from -708 to 708. */
VLEAN vd ISA(exp_down)(vd x)
{
    vl n;
    vd v = vd_exp_parts(vd_max(vd_set(-708.0), x), &n);
    return v * vd_pow2(n);
}

/* e^x for x from -87 to 0; 14 operations. */
VLEAN vf ISA(exp_down_f32)(vf x)
{
    vi n;
    vf v = vf_exp_parts(vf_max(vf_set(-87.0f), x), &n);
    return v * (vf)((n + 127) << 23);
}

#define vh ISA(gm__density_vh)
typedef float vh __attribute__((vector_size(VBYTES / 2)));

/* 8 + 8, 4 + 4, 2 + 2, 1 + 1: lane i takes lane i + half. */
VINLINE double ISA(fold_lanes)(const vd *a)
{
    double t[VD];
#if VD == 2
    vd s[4];
    GM_UNROLL
    for (int i = 0; i < 4; i++)
        s[i] = a[i] + a[i + 4];
    vd_store(t, (s[0] + s[2]) + (s[1] + s[3]));
#elif VD == 4
    vd_store(t, (a[0] + a[2]) + (a[1] + a[3]));
    t[0] += t[2];
    t[1] += t[3];
#else
    vd_store(t, a[0] + a[1]);
    GM_UNROLL
    for (int i = 0; i < 4; i++)
        t[i] += t[i + 4];
    t[0] += t[2];
    t[1] += t[3];
#endif
    return t[0] + t[1];
}

/* 2 d + 17 operations a point. */
static double ISA(gauss_f32)(const float *q, const float *x, const float *w, int64_t stride,
                             int64_t n, int64_t d)
{
    vf sum[LANES_F];
    float lane[LANES];
    vd wide[LANES_D];
    GM_UNROLL
    for (int k = 0; k < LANES_F; k++)
        sum[k] = vf_set(0);
    for (int64_t i = 0; i < n; i += LANES) {
        vf r[LANES_F], other[LANES_F];
        int64_t j = 0;
        GM_UNROLL
        for (int k = 0; k < LANES_F; k++)
            r[k] = other[k] = vf_set(0);
        for (; j + 2 <= d; j += 2) {
            vf at = vf_set(q[j]), at2 = vf_set(q[j + 1]);
            GM_UNROLL
            for (int k = 0; k < LANES_F; k++) {
                vf u = at - vf_load(x + j * stride + i + k * VF);
                vf u2 = at2 - vf_load(x + (j + 1) * stride + i + k * VF);
                r[k] = vf_fma(u, u, r[k]);
                other[k] = vf_fma(u2, u2, other[k]);
            }
        }
        if (j < d) {
            GM_UNROLL
            for (int k = 0; k < LANES_F; k++) {
                vf u = vf_set(q[j]) - vf_load(x + j * stride + i + k * VF);
                r[k] = vf_fma(u, u, r[k]);
            }
        }
        GM_UNROLL
        for (int k = 0; k < LANES_F; k++)
            r[k] += other[k];
        GM_UNROLL
        for (int k = 0; k < LANES_F; k++)
            sum[k] = vf_fma(vf_load(w + i + k * VF), ISA(exp_down_f32)(r[k] * -0.5f), sum[k]);
    }
    GM_UNROLL
    for (int k = 0; k < LANES_F; k++)
        vf_store(lane + k * VF, sum[k]);
    GM_UNROLL
    for (int k = 0; k < LANES_D; k++) {
        vh v;
        memcpy(&v, lane + k * VD, sizeof v);
        wide[k] = __builtin_convertvector(v, vd);
    }
    return ISA(fold_lanes)(wide);
}

/* Half the squared distances to the near and far sides of 16 boxes, and the exponentials with a
 * margin of 2^-14, which covers float's errors up to exponents of 87. */
static void ISA(boxes)(const double *box, const double *q, const double *inverse, int64_t d,
                       gm__sixteen *to)
{
    vd near[LANES_D], far[LANES_D], zero = vd_set(0);
    float e[2 * LANES];
    GM_UNROLL
    for (int k = 0; k < LANES_D; k++)
        near[k] = far[k] = zero;
    for (int64_t j = 0; j < d; j++, box += 2 * LANES) {
        vd at = vd_set(q[j]), scale = vd_set(inverse[j]);
        GM_UNROLL
        for (int k = 0; k < LANES_D; k++) {
            vd l = (vd_load(box + k * VD) - at) * scale;
            vd r = (at - vd_load(box + LANES + k * VD)) * scale;
            vd n = vd_max(zero, vd_max(l, r)), f = vd_min(l, r);
            near[k] = vd_fma(n, n, near[k]);
            far[k] = vd_fma(f, f, far[k]);
        }
    }
    GM_UNROLL
    for (int k = 0; k < LANES_D; k++) {
        vd n = near[k] * 0.5, f = far[k] * 0.5;
        vd_store(to->near + k * VD, n);
        vd_store(to->far + k * VD, f);
        vh nh = __builtin_convertvector(vd_min(vd_set(1e9), n), vh);
        vh fh = __builtin_convertvector(vd_min(vd_set(1e9), f), vh);
        memcpy(e + k * VD, &nh, sizeof nh);
        memcpy(e + LANES + k * VD, &fh, sizeof fh);
    }
    GM_UNROLL
    for (int k = 0; k < LANES_F; k++) {
        vf h = ISA(exp_down_f32)(vf_neg(vf_load(e + k * VF))) * (1 + 0x1p-14f);
        vf l = ISA(exp_down_f32)(vf_neg(vf_load(e + LANES + k * VF))) * (1 - 0x1p-14f) - 2e-38f;
        vf_store(to->high + k * VF, h);
        vf_store(to->low + k * VF, vf_max(vf_set(0), l));
    }
}

/* 3 d + 30 operations a point. */
static double ISA(gauss)(const gm__kernel_block *b, const double *q, const double *inverse,
                         double shift)
{
    vd sum[LANES_D];
    GM_UNROLL
    for (int k = 0; k < LANES_D; k++)
        sum[k] = vd_set(0);
    for (int64_t i = 0; i < b->n; i += LANES) {
        vd r[LANES_D];
        GM_UNROLL
        for (int k = 0; k < LANES_D; k++)
            r[k] = vd_set(0);
        for (int64_t j = 0; j < b->d; j++) {
            vd at = vd_set(q[j]), scale = vd_set(inverse[j]);
            GM_UNROLL
            for (int k = 0; k < LANES_D; k++) {
                vd u = (at - vd_load(b->x + j * b->stride + i + k * VD)) * scale;
                r[k] = vd_fma(u, u, r[k]);
            }
        }
        GM_UNROLL
        for (int k = 0; k < LANES_D; k++) {
            if (b->factor) {
                vd f = vd_load(b->factor + i + k * VD);
                r[k] = r[k] / (f * f);
            }
            vd e = ISA(exp_down)(shift - r[k] * 0.5);
            sum[k] = vd_fma(vd_load(b->w + i + k * VD), e, sum[k]);
        }
    }
    return ISA(fold_lanes)(sum);
}

#if GM_ISA != GM_ISA_AVX512
/* t = 1 - |q - x| / h, by the exact difference: right to the last bits, sign included, however near
 * the edge of the support (h - |difference| is exact there). */
VINLINE vd ISA(edge)(vd q, vd x, vd h)
{
    vd a = q - x, b = a - q;
    vd low = (q - (a - b)) - (x + b);
    vd away = vd_pick(a < 0.0, vd_neg(low), low);
    return ((h - vd_abs(a)) - away) / h;
}

/* A kernel of the unit support at t = 1 - |u|; 0 for t <= 0. 1 - u^2 = t (2 - t). */
VINLINE vd ISA(compact)(int kernel, vd t)
{
    t = vd_min(vd_set(1.0), vd_max(vd_set(0.0), t));
    vd p = t * (2.0 - t), u = 1.0 - t, c;
    switch (kernel) {
    case GM__KERNEL_TOPHAT:
        return vd_pick(t > 0.0, vd_set(1.0), vd_set(0.0));
    case GM__KERNEL_LINEAR:
        return t;
    case GM__KERNEL_COSINE:
        return vd_sin(t * 0x1.921fb54442d18p0);
    case GM__KERNEL_BIWEIGHT:
        return p * p;
    case GM__KERNEL_TRIWEIGHT:
        return p * p * p;
    case GM__KERNEL_TRICUBE:
        c = t * (1.0 + u * (1.0 + u));
        return c * c * c;
    default:
        return p;
    }
}

/* The sum over the images of x in the walls [low, high]: the kernel of each, the Gaussian and the
 * exponential relative to that of x itself, which goes into the exponent. */
VINLINE vd ISA(reflected)(const gm__kernel_term *s, vd x, vd h, vd *a)
{
    vd q = vd_set(s->q), sum = vd_set(0), own = vd_abs(q - x) / h;
    int gauss = s->kernel == GM__KERNEL_GAUSSIAN;
    int compact = !gauss && s->kernel != GM__KERNEL_EXPONENTIAL;
    for (int i = 0; i < s->images; i++) {
        vd at = s->image[i].sign > 0 ? x : vd_neg(x);
        if (compact) {
            sum += ISA(compact)(s->kernel, ISA(edge)(q, at + s->image[i].shift, h));
            continue;
        }
        vd far = vd_abs((q - at) - s->image[i].shift) / h;
        vd e = gauss ? (own - far) * (own + far) * 0.5 : own - far;
        sum += ISA(exp_down)(vd_min(vd_set(0), e));
    }
    if (!compact)
        *a += gauss ? own * own * 0.5 : own;
    return sum;
}

static void ISA(term)(const gm__kernel_block *b, const gm__kernel_term *s, double *a, double *m)
{
    const double *x = b->x + s->column * b->stride, *x2 = x + b->stride;
    const double *x3 = x2 + b->stride;
    vd q = vd_set(s->q), q2 = vd_set(s->q2), p = vd_set(s->p), p2 = vd_set(s->p2);
    for (int64_t i = 0; i < b->n; i += VD) {
        vd f = b->factor ? vd_load(b->factor + i) : vd_set(1.0), at = vd_load(x + i), u, h;
        vd e = vd_load(a + i), k = vd_load(m + i);
        switch (s->op) {
        case GM__TERM_GAUSS:
            u = (q - at) / (f * p);
            e += u * u * 0.5;
            break;
        case GM__TERM_RADIUS:
            u = (q - at) / (f * p);
            e = vd_fma(u, u, e);
            break;
        case GM__TERM_EXPONENTIAL:
            e += vd_abs((q - at) / (f * p));
            break;
        case GM__TERM_COMPACT:
            k *= ISA(compact)(s->kernel, ISA(edge)(q, at, f * p));
            break;
        case GM__TERM_REFLECTED:
            h = f * p;
            k *= ISA(reflected)(s, at, h, &e);
            break;
        case GM__TERM_CIRCULAR: /* 1 - cos = 2 sin^2 of the half angle */
            u = q * at - q2 * vd_load(x2 + i);
            e += u * u * p;
            break;
        case GM__TERM_BETA:
            e += (at * q + vd_load(x2 + i) * q2) + vd_load(x3 + i);
            break;
        case GM__TERM_EQUAL:
            k *= vd_pick(at == q, p, p2);
            break;
        default: /* GM__TERM_STEPS */
            e += vd_abs(q - at) * q2;
            k *= vd_pick(at == q, p, p2);
        }
        vd_store(a + i, e);
        vd_store(m + i, k);
    }
}

static void ISA(radial)(int kernel, double *a, double *m, int64_t n)
{
    for (int64_t i = 0; i < n; i += VD) {
        vd r = vd_load(a + i);
        if (kernel == GM__KERNEL_EXPONENTIAL) {
            vd_store(a + i, vd_sqrt(r));
            continue;
        }
        /* 1 - r = (1 - r^2) / (1 + r) */
        vd t = (1.0 - r) / (1.0 + vd_sqrt(r));
        vd_store(m + i, vd_load(m + i) * ISA(compact)(kernel, t));
        vd_store(a + i, vd_set(0));
    }
}

static double ISA(total)(const double *a, const double *m, const double *w, double shift, int64_t n)
{
    double t[LANES] = {0};
    for (int64_t i = 0; i < n; i += VD) {
        vd e = ISA(exp_down)(vd_min(vd_set(700.0), shift - vd_load(a + i)));
        double *lane = t + i % LANES;
        vd_store(lane, vd_fma(vd_load(w + i) * vd_load(m + i), e, vd_load(lane)));
    }
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            t[i] += t[i + half];
    return t[0];
}
#endif

#undef LANES
#define LANES GM__WINDOW_LANES

/* e^-(r + (11 - k) / 2)^2 for k in [0, GM__WINDOW), r from 0 to 1/2, as
 * e^-(r (r + 11)) (e^r)^k e^-((k - 11) / 2)^2 (Greengard and Lee 2004, eq. 13): powers of e^r by
 * the bits of k. */
static void ISA(window)(double *y, double r)
{
    static const double far[GM__WINDOW] = {
        0x1.4835bd010a41bp-44, 0x1.e8a37a45fc32ep-37, 0x1.b93de1e27ca3bp-30, 0x1.e355bbaee85cbp-24,
        0x1.411fb0da07713p-18, 0x1.02cf22526545ap-13, 0x1.fa0e9586aebc7p-10, 0x1.2c155b8213cf4p-6,
        0x1.afb718e8457f7p-4,  0x1.78b56362cef38p-2,  0x1.8ebef9eac820bp-1,  0x1.0000000000000p+0,
        0x1.8ebef9eac820bp-1,  0x1.78b56362cef38p-2,  0x1.afb718e8457f7p-4,  0x1.2c155b8213cf4p-6,
        0x1.fa0e9586aebc7p-10, 0x1.02cf22526545ap-13, 0x1.411fb0da07713p-18, 0x1.e355bbaee85cbp-24,
        0x1.b93de1e27ca3bp-30, 0x1.e8a37a45fc32ep-37, 0x1.4835bd010a41bp-44, 0x1.0b6c3afdde064p-52,
    };
    static const int64_t bits[3][8] = {
        {0, -1, 0, -1, 0, -1, 0, -1}, {0, 0, -1, -1, 0, 0, -1, -1}, {0, 0, 0, 0, -1, -1, -1, -1}};
    static const double times[8] = {0, 1, 2, 4, 8, 16, 0, 0};
    double e[8];
    for (int k = 0; k < 8; k += VD)
        vd_store(e + k, vd_load(times + k) * r);
    e[0] = -r * (r + 11);
    for (int k = 0; k < 8; k += VD)
        vd_store(e + k, ISA(exp_down)(vd_load(e + k)));
    for (int k = 0; k < 8; k += VD) {
        vd power = vd_set(e[0]);
        GM_UNROLL
        for (int i = 0; i < 3; i++) {
            vl on;
            memcpy(&on, bits[i] + k, sizeof on);
            power *= vd_pick(on, vd_set(e[1 + i]), vd_set(1.0));
        }
        vd_store(y + k, power * vd_load(far + k));
        vd_store(y + k + 8, power * e[4] * vd_load(far + k + 8));
        vd_store(y + k + 16, power * e[5] * vd_load(far + k + 16));
    }
}

static void ISA(spread)(double *grid, int64_t stride, const double *a, int rows, const double *b)
{
    vd along[GM__WINDOW / VD];
    GM_UNROLL
    for (int k = 0; k < GM__WINDOW / VD; k++)
        along[k] = vd_load(b + k * VD);
    for (int i = 0; i < rows; i++) {
        vd scale = vd_set(a[i]);
        double *g = grid + i * stride;
        GM_UNROLL
        for (int k = 0; k < GM__WINDOW / VD; k++)
            vd_store(g + k * VD, vd_fma(scale, along[k], vd_load(g + k * VD)));
    }
}

/* Column by column in the order of the rows, then 24 lanes in 3 rounds into 8, folded. */
static double ISA(gather)(const double *grid, int64_t stride, const double *a, int rows,
                          const double *b)
{
    vd sum[GM__WINDOW / VD];
    double t[GM__WINDOW];
    GM_UNROLL
    for (int k = 0; k < GM__WINDOW / VD; k++)
        sum[k] = vd_set(0);
    for (int i = 0; i < rows; i++) {
        vd scale = vd_set(a[i]);
        const double *g = grid + i * stride;
        GM_UNROLL
        for (int k = 0; k < GM__WINDOW / VD; k++)
            sum[k] = vd_fma(scale, vd_load(g + k * VD), sum[k]);
    }
    GM_UNROLL
    for (int k = 0; k < GM__WINDOW / VD; k++)
        vd_store(t + k * VD, sum[k] * vd_load(b + k * VD));
    for (int i = 0; i < 8; i++)
        t[i] += t[i + 8] + t[i + 16];
    for (int half = 4; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            t[i] += t[i + half];
    return t[0];
}

extern const gm__densities ISA(gm__densities);
const gm__densities ISA(gm__densities) = {
    .gauss = ISA(gauss),
    .gauss_f32 = ISA(gauss_f32),
    .boxes = ISA(boxes),
    .term = ISA_SMALL(term),
    .radial = ISA_SMALL(radial),
    .total = ISA_SMALL(total),
    .window = ISA(window),
    .spread = ISA(spread),
    .gather = ISA(gather),
};

#undef LANES
#undef LANES_D
#undef LANES_F
#undef vh
