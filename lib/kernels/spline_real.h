/* Splines of one type R. What one element needs once its bin is known, VN elements at a time; the
 * search for the bin and the way back to the raw parameters are in spline_lanes.h.
 *
 * Durkan, Bekasov, Murray and Papamakarios 2019, "Neural spline flows". With xi the place in the
 * bin, o = 1 - xi, t = xi o, s = h / w, and slopes d0, d1 at its ends, eq. 4 and 5 read
 *     a = s xi^2 + d0 t,  b = s o^2 + d1 t,  y = y0 + h a / (a + b),
 *     dy/dx = s^2 A / (a + b)^2,  A = d1 xi^2 + 2 s t + d0 o^2,
 * sums of terms of one sign: nothing cancels, and one logarithm gives the log of the slope. */

/* Masks: a register of bits where the processor has them. */
#ifndef MASK
#define MASK VM
#define m_ge(a, b) ((VM)((a) >= (b)))
#define m_pick(m, a, b) v_pick(m, a, b)
#endif

/* What is big and used from several places: inlined only where eight bins want it. */
#ifdef EIGHT_BINS
#define CORE VINLINE
#else
#define CORE static __attribute__((noinline))
#endif

/* e^x for x <= 0, but e^-87 below -87: no share, slope or their gradients would show the
 * difference, and a power of two that is a normal number is one multiplication. */
VINLINE V RNAME(exp_negative)(V x)
{
    VM n;
    V e = v_exp_parts(v_max(v_set(-87), x), &n);
    return e * v_power(n);
}

/* One copy of the code where speed is not the matter. */
static __attribute__((noinline, unused)) V RNAME(exp_called)(V x)
{
    return RNAME(exp_negative)(x);
}

static __attribute__((noinline, unused)) V RNAME(log_called)(V x)
{
    return v_log(x);
}

/* Raw slopes beyond these are held there: slopes stay in a range whose squares and products are
 * finite in float. */
#define RAW_LOW (-60)
#define RAW_HIGH 1e9

/* The numbers of one call, rounded once. Width of a bin = unit + spread * softmax share. */
#define gm__form RNAME(gm__form)
typedef struct gm__form {
    R bound, unit, spread, min_slope, shift;
    int bins, inverse;
} gm__form;

/* The bin of each element: its corner (x0, y0), sides w, h, and raw slopes at its ends. first,
 * last: the end is that of the spline, where the slope is 1. e and before: the softmax numerators
 * of the bin and of all bins left of it; scale = spread / sum of numerators, share = 1 / sum. */
#define gm__axis RNAME(gm__axis)
typedef struct gm__axis {
    V top, share, scale, e, before;
} gm__axis;
#define gm__spot RNAME(gm__spot)
typedef struct gm__spot {
    gm__axis wide, high;
    V bin, raw0, raw1;
    MASK first, last;
} gm__spot;

/* The curve at one place of the bin. */
#define gm__curve RNAME(gm__curve)
typedef struct gm__curve {
    V x0, y0, w, h, rw, s, d0, d1; /* rw = 1 / w */
    V g0, g1;                      /* derivatives of d0, d1 in their raw parameters */
    V xi, o, t, a, b, A, r;        /* r = 1 / (a + b) */
} gm__curve;

/* Adjoints of the numbers that describe the bin. */
#define gm__pull RNAME(gm__pull)
typedef struct gm__pull {
    V x, x0, w, y0, h, raw0, raw1;
} gm__pull;

/* Into [low, high]; a NaN becomes low. */
VINLINE V RNAME(clamp)(V x, R low, R high)
{
    return v_min(v_max(x, v_set(low)), v_set(high));
}

static gm__form RNAME(form_of)(const gm__spline *s)
{
    gm__form f = {.bound = (R)s->bound, .bins = s->bins, .inverse = s->inverse};
    f.unit = (R)(2 * s->bound * s->min_bin);
    f.spread = (R)(2 * s->bound * (1 - s->bins * s->min_bin));
    f.min_slope = (R)s->min_slope;
    f.shift = (R)ISA(raw_of_one)(s->min_slope);
    return f;
}

/* d = min_slope + softplus(raw + shift), 1 where `end`; *g its derivative. */
CORE V RNAME(slope)(const gm__form *f, V raw, MASK end, V *g)
{
    V free = raw + v_set(f->shift), v = RNAME(clamp)(free, RAW_LOW, (R)RAW_HIGH);
    V e = RNAME(exp_negative)(-v_abs(v)), one = v_set(1), r = one / (one + e);
    MASK up = m_ge(v, v_set(0));
    V sigmoid = m_pick(up, r, e * r), soft = m_pick(up, v, v_set(0)) + v_log1p_unit(e);
    V held = v_abs(free - v);
    *g = m_pick(end, v_set(0), m_pick(m_ge(v_set(0), held), sigmoid, v_set(0)));
    return m_pick(end, one, v_set(f->min_slope) + soft);
}

/* The bin's sides and slopes. */
VINLINE void RNAME(corner)(const gm__form *f, const gm__spot *p, gm__curve *c)
{
    V base = v_set(f->unit) * p->bin - v_set(f->bound);
    c->x0 = base + p->wide.scale * p->wide.before;
    c->y0 = base + p->high.scale * p->high.before;
    c->w = v_set(f->unit) + p->wide.scale * p->wide.e;
    c->h = v_set(f->unit) + p->high.scale * p->high.e;
    c->rw = v_set(1) / c->w;
    c->s = c->h * c->rw;
    c->d0 = RNAME(slope)(f, p->raw0, p->first, &c->g0);
    c->d1 = RNAME(slope)(f, p->raw1, p->last, &c->g1);
}

/* Place in the bin of x. */
VINLINE void RNAME(place_forward)(gm__curve *c, V x)
{
    c->xi = RNAME(clamp)((x - c->x0) * c->rw, 0, 1);
    c->o = v_set(1) - c->xi;
}

/* Place in the bin of y: the root of eq. 6 to 8. With eta = (y - y0) / h and
 * g = d0 (1 - eta) - d1 eta the discriminant is g^2 + 4 s^2 eta (1 - eta), and
 *     xi / o = 2 s eta / (root + g) = (root - g) / (2 s (1 - eta)):
 * whichever does not cancel. */
VINLINE void RNAME(place_inverse)(gm__curve *c, V y)
{
    V eta = RNAME(clamp)((y - c->y0) / c->h, 0, 1), rest = v_set(1) - eta;
    V g = c->d0 * rest - c->d1 * eta;
    V root = v_sqrt(g * g + v_set(4) * (c->s * c->s) * (eta * rest));
    V sum = root + v_abs(g);
    MASK up = m_ge(g, v_set(0));
    V xi = m_pick(up, v_set(2) * c->s * eta, sum);
    V o = m_pick(up, sum, v_set(2) * c->s * rest);
    V r = v_set(1) / (xi + o);
    c->xi = xi * r;
    c->o = o * r;
}

CORE void RNAME(curve_at)(const gm__form *f, const gm__spot *p, V at, gm__curve *c)
{
    RNAME(corner)(f, p, c);
    if (f->inverse)
        RNAME(place_inverse)(c, at);
    else
        RNAME(place_forward)(c, at);
    V xx = c->xi * c->xi, oo = c->o * c->o;
    c->t = c->xi * c->o;
    c->a = c->s * xx + c->d0 * c->t;
    c->b = c->s * oo + c->d1 * c->t;
    c->A = c->d1 * xx + v_set(2) * c->s * c->t + c->d0 * oo;
    c->r = v_set(1) / (c->a + c->b);
}

/* Derivatives by hand of y = y0 + h a r and L = log(s^2 A r^2), as sums that do not cancel where
 * eq. 4 to 5 allow it. The inverse: f(x; p) = y held fixed gives dx/dy = 1 / slope and
 * dx/dp = -(df/dp) / slope, and the log of its slope is -L at x. */
CORE void RNAME(pull_back)(const gm__form *f, const gm__curve *c, V gy, V gl, gm__pull *to)
{
    V two = v_set(2), one = v_set(1), rA = one / c->A, hr = c->h * c->r, hrr = hr * c->r;
    V bend = c->o - c->xi, d01 = c->d0 + c->d1;
    V L_xi = two * ((c->d1 * c->xi - c->d0 * c->o + c->s * bend) * rA
                    - bend * (d01 - two * c->s) * c->r);
    V Y_xi = hrr * c->s * c->A; /* w times the slope */
    gm__pull g;
    V g_xi;
    if (f->inverse) {
        g_xi = -gy * c->w;
        g.x = (gy - gl * L_xi * c->rw) * c->w / Y_xi;
        gy = -g.x;
        gl = -gl;
    } else {
        g_xi = gy * Y_xi + gl * L_xi;
        g.x = g_xi * c->rw;
    }
    V tt = two * c->t, gyt = gy * hrr * c->t;
    V g_s = gyt * (c->d1 * c->xi * c->xi - c->d0 * c->o * c->o)
            + gl * tt * (d01 * c->r / c->s + rA);
    g.raw0 = c->g0 * (gyt * c->b + gl * (c->o * c->o * rA - tt * c->r));
    g.raw1 = c->g1 * (gl * (c->xi * c->xi * rA - tt * c->r) - gyt * c->a);
    g.y0 = gy;
    g.h = gy * c->a * c->r + g_s * c->rw;
    g.x0 = -g_xi * c->rw;
    g.w = -(g_xi * c->xi + g_s * c->s) * c->rw;
    *to = g;
}

#ifdef EIGHT_BINS
#define BNAME(name) RNAME(name##_k8)
#define BINS(f) ((void)(f), 8)
#define BIN_ROOM 8
#define BIN_LOOP GM_UNROLL
#define B_EXP RNAME(exp_negative)
#define B_LOG v_log
#include "kernels/spline_lanes.h"
#undef BNAME
#undef BINS
#undef BIN_ROOM
#undef BIN_LOOP
#undef B_EXP
#undef B_LOG
#endif

#define BNAME(name) RNAME(name##_any)
#define BINS(f) ((f)->bins)
#define BIN_ROOM MOST_BINS
#define BIN_LOOP
#define B_EXP RNAME(exp_called)
#define B_LOG RNAME(log_called)
#include "kernels/spline_lanes.h"
#undef BNAME
#undef BINS
#undef BIN_ROOM
#undef BIN_LOOP
#undef B_EXP
#undef B_LOG

static void RNAME(run)(const gm__spline *s, R *y, R *log_slope, const R *x, const R *p, int64_t n)
{
    gm__form f = RNAME(form_of)(s);
#ifdef EIGHT_BINS
    if (f.bins == 8) {
        RNAME(run_all_k8)(&f, y, log_slope, x, p, n);
        return;
    }
#endif
    RNAME(run_all_any)(&f, y, log_slope, x, p, n);
}

static void RNAME(grad)(const gm__spline *s, R *dx, R *dp, const R *x, const R *p, const R *dy,
                        const R *dl, int64_t n)
{
    gm__form f = RNAME(form_of)(s);
#ifdef EIGHT_BINS
    if (f.bins == 8) {
        RNAME(grad_all_k8)(&f, dx, dp, x, p, dy, dl, n);
        return;
    }
#endif
    RNAME(grad_all_any)(&f, dx, dp, x, p, dy, dl, n);
}

#undef CORE
#undef gm__form
#undef gm__axis
#undef gm__spot
#undef gm__curve
#undef gm__pull
#undef RAW_LOW
#undef RAW_HIGH
