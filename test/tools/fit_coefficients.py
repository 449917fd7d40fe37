#!/usr/bin/env python3
"""Makes lib/kernels/math_coef.h: the polynomials behind the element maps.

Each is the least-squares fit over Chebyshev nodes (near the best uniform one) of a smooth part of
its function, in 140 digits, rounded to the type that it is used in; the lowest coefficient is rounded
first and the others fitted again, and so on, so that rounding costs little. Usage: fit_coefficients.py > lib/kernels/math_coef.h"""
import struct
import sys
from mpmath import mp, mpf

mp.dps = 140


def round_to(bits, c):
    if bits == 24:
        d = float(mp.mpf(c))
        return mpf(struct.unpack('f', struct.pack('f', d))[0])
    return mpf(float(c))


def least_squares(f, nodes, n, w):
    """The n coefficients of p that make x^w p(x) closest to f(x) over the nodes."""
    m = mp.matrix(n, n)
    v = mp.matrix(n, 1)
    power = [mpf(0)] * (2 * n - 1)
    right = [mpf(0)] * n
    for x in nodes:
        y = f(x) * x ** w
        q = x ** (2 * w)
        for j in range(2 * n - 1):
            power[j] += q
            if j < n:
                right[j] += y
                y *= x
            q *= x
    for i in range(n):
        v[i] = right[i]
        for j in range(n):
            m[i, j] = power[i + j]
    return [c for c in mp.lu_solve(m, v)]


def fit(f, a, b, n, bits):
    a, b = mpf(a), mpf(b)
    done = []
    count = 4 * n
    nodes = [(a + b) / 2 + (b - a) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
    for k in range(n):
        def rest(x):
            s = mpf(0)
            for c in reversed(done):
                s = s * x + c
            return f(x) - s
        c = least_squares(rest, nodes, n - k, k)
        done.append(round_to(bits, c[0]))
    worst = mpf(0)
    top = mpf(0)
    for i in range(401):
        x = a + (b - a) * i / 400
        s = mpf(0)
        for c in reversed(done):
            s = s * x + c
        worst = max(worst, abs(s - f(x)))
        top = max(top, abs(f(x)))
    return done, worst, top


def hexf(c, bits):
    return float(c).hex() + ('f' if bits == 24 else '')


def emit(name, what, f, a, b, n, bits):
    cache = {}

    def g(x):
        if x not in cache:
            cache[x] = f(x)
        return cache[x]
    c, worst, top = fit(g, a, b, n, bits)
    print('/* %s on [%s, %s]: error %s of at most %s. */' % (
        what, mp.nstr(mpf(a), 6), mp.nstr(mpf(b), 6), mp.nstr(worst, 2), mp.nstr(top, 3)))
    items = [hexf(x, bits) for x in c]
    lines = ['    ' + ', '.join(items[i:i + 4]) for i in range(0, n, 4)]
    print('#define %s \\\n%s\n' % (name, ', \\\n'.join(lines)))
    sys.stdout.flush()


def even(f, u):
    """f at sqrt(u) where u is away from zero; a series would do near zero: take a tiny u instead."""
    return f(mp.sqrt(u if u > mpf(10) ** -25 else mpf(10) ** -25))


def near(f, d):
    return f(d if abs(d) > mpf(10) ** -25 else mpf(10) ** -25)


mp_log1p = mp.log1p
LN2H = mp.log(2) / 2 * mpf('1.001')
Q4 = (mp.pi / 4 * mpf('1.001')) ** 2
S2 = mp.sqrt(2)
DIGAMMA_ZERO = mp.findroot(mp.digamma, mpf('1.46'))
TAIL_K = mpf(3)


def tail(t):
    """(1 + 2x) exp(x^2) erfc(x), x = k (1 + t) / (1 - t)."""
    if 1 - t < mpf(10) ** -15:
        return 2 / mp.sqrt(mp.pi)
    x = TAIL_K * (1 + t) / (1 - t)
    if x > 40:
        s, term = mpf(0), mpf(1)
        for k in range(60):
            s += term
            nxt = -term * (2 * k + 1) / (2 * x * x)
            if abs(nxt) > abs(term) or abs(nxt) < mpf(10) ** -60:
                break
            term = nxt
        return (1 + 2 * x) * s / (x * mp.sqrt(mp.pi))
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def quantile(q):
    """The z with Phi(-z) = q, q in (0, 1/2)."""
    r = mp.sqrt(-2 * mp.log(q))
    z = r - (mp.log(r) + mpf('0.9')) / r if r > 2 else mpf('0.7')
    for _ in range(60):
        p = mp.erfc(z / mp.sqrt(2)) / 2
        d = mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)
        e = (p - q) / d
        step = e / (1 - z * e / 2)
        z += step
        if abs(step) < mpf(10) ** -60 * abs(z):
            break
    return z


def quantile_tail(k):
    """t -> z / r where r = sqrt(-ln q) = k (1 + t) / (1 - t)."""
    def ratio(t):
        r = k * (1 + t) / (1 - t)
        return quantile(mp.exp(-r * r)) / r
    return ratio


def t_of(x, k):
    return (mpf(x) - k) / (mpf(x) + k)


def w_of(x):
    return mpf(1) / (mpf(x) ** 2)


def big(f, w):
    w = max(w, mpf(10) ** -24)
    return f(1 / mp.sqrt(w))


TABLE = [
    ('GM_EXP_F32', '(e^r - 1 - r) / r^2', lambda r: near(lambda d: (mp.expm1(d) - d) / d**2, r), -LN2H, LN2H, 6, 24),
    ('GM_LOG_F32', '(log(1+f) - f + f^2/2) / f^3',
     lambda r: near(lambda d: (mp_log1p(d) - d + d*d/2) / d**3, r), 1/S2 - 1 - mpf('1e-6'), S2 - 1 + mpf('1e-6'), 8, 24),
    ('GM_SIN_F32', '(sin r - r) / r^3 in r^2', lambda u: even(lambda d: (mp.sin(d) - d) / d**3, u), 0, Q4, 4, 24),
    ('GM_COS_F32', '(cos r - 1 + r^2/2) / r^4 in r^2',
     lambda u: even(lambda d: (mp.cos(d) - 1 + d*d/2) / d**4, u), 0, Q4, 3, 24),
    ('GM_TANH_F32', '(tanh x - x) / x^3 in x^2',
     lambda u: even(lambda d: (mp.tanh(d) - d) / d**3, u), 0, mpf('0.31'), 6, 24),
    ('GM_ATAN_F32', '(atan t - t) / t^3 in t^2',
     lambda u: even(lambda d: (mp.atan(d) - d) / d**3, u), 0, mpf('0.172'), 5, 24),
    ('GM_GELU_F32', 'erf(x / sqrt 2) / (2 x) in x^2',
     lambda u: even(lambda d: mp.erf(d / mp.sqrt(2)) / (2 * d), u), 0, mpf('0.4357'), 5, 24),
    ('GM_ERFC_F32', '(1+2x) e^(x^2) erfc(x) in (x-3)/(x+3)', tail, t_of('0.4666', TAIL_K), 1, 10, 24),
    ('GM_EXP_F64', '(e^r - 1 - r) / r^2', lambda r: near(lambda d: (mp.expm1(d) - d) / d**2, r), -LN2H, LN2H, 11, 53),
    ('GM_EXP_SHORT', 'the same, short', lambda r: near(lambda d: (mp.expm1(d) - d) / d**2, r), -LN2H, LN2H, 6, 53),
    ('GM_LOG_F64', '(log((1+s)/(1-s)) - 2s) / s^3 in s^2',
     lambda u: even(lambda d: (mp.log((1 + d) / (1 - d)) - 2*d) / d**3, u), 0, mpf('0.02945'), 8, 53),
    ('GM_SIN_F64', '(sin r - r) / r^3 in r^2', lambda u: even(lambda d: (mp.sin(d) - d) / d**3, u), 0, Q4, 7, 53),
    ('GM_COS_F64', '(cos r - 1 + r^2/2) / r^4 in r^2',
     lambda u: even(lambda d: (mp.cos(d) - 1 + d*d/2) / d**4, u), 0, Q4, 7, 53),
    ('GM_TANH_F64', '(tanh x - x) / x^3 in x^2',
     lambda u: even(lambda d: (mp.tanh(d) - d) / d**3, u), 0, mpf('0.31'), 13, 53),
    ('GM_ATAN_F64', '(atan t - t) / t^3 in t^2',
     lambda u: even(lambda d: (mp.atan(d) - d) / d**3, u), 0, mpf('0.172'), 12, 53),
    ('GM_ERF_F64', '(erf(x)/x) in x^2', lambda u: even(lambda d: mp.erf(d) / d, u), 0, mpf('0.2198'), 11, 53),
    ('GM_ERF_SHORT', 'the same, short', lambda u: even(lambda d: mp.erf(d) / d, u), 0, mpf('0.2198'), 6, 53),
    ('GM_ERFC_F64', '(1+2x) e^(x^2) erfc(x) in (x-3)/(x+3)', tail, t_of('0.4687', TAIL_K), 1, 24, 53),
    ('GM_ERFC_SHORT', 'the same, short', tail, t_of('0.4687', TAIL_K), 1, 12, 53),
    ('GM_STIRLING', '(lgamma(x) - (x-1/2) log x + x - log(2 pi)/2) x in 1/x^2',
     lambda w: big(lambda x: (mp.loggamma(x) - (x - mpf(1)/2) * mp.log(x) + x - mp.log(2*mp.pi)/2) * x, w),
     0, w_of(8), 9, 53),
    ('GM_LGAMMA_2', 'lgamma(2+d) / d', lambda d: near(lambda e: mp.loggamma(2 + e) / e, d), mpf('-0.5001'), mpf('0.5001'), 19, 53),
    ('GM_LGAMMA_1', 'lgamma(1+d) / d', lambda d: near(lambda e: mp.loggamma(1 + e) / e, d), mpf('-0.2001'), mpf('0.2501'), 18, 53),
    ('GM_DIGAMMA_BIG', '(digamma(x) - log x + 1/(2x)) x^2 in 1/x^2',
     lambda w: big(lambda x: (mp.digamma(x) - mp.log(x) + 1/(2*x)) * x*x, w), 0, w_of(8), 9, 53),
    ('GM_DIGAMMA_MID', 'digamma(z0+d) / d', lambda d: near(lambda e: mp.digamma(DIGAMMA_ZERO + e) / e, d),
     1 - DIGAMMA_ZERO, 2 - DIGAMMA_ZERO, 23, 53),
    ('GM_TRIGAMMA_BIG', '(trigamma(x) - 1/x - 1/(2x^2)) x^3 in 1/x^2',
     lambda w: big(lambda x: (mp.psi(1, x) - 1/x - 1/(2*x*x)) * x**3, w), 0, w_of(8), 10, 53),
    ('GM_QUANTILE_MID', '(quantile(1/2+y) / y - sqrt(2 pi)) / y^2 in y^2',
     lambda u: even(lambda d: (quantile(mpf(1)/2 - d) / d - mp.sqrt(2*mp.pi)) / (d*d), u), 0, mpf('0.0626'), 16, 53),
    ('GM_QUANTILE_NEAR', 'z/r in (r-2)/(r+2), Phi(-z) = e^(-r^2)',
     quantile_tail(mpf(2)), t_of('1.1774', 2), t_of(6, 2), 24, 53),
    ('GM_QUANTILE_FAR', 'the same in (r-4)/(r+4)', quantile_tail(mpf(4)), t_of('5.99', 4), t_of('27.3', 4), 20, 53),
]

if __name__ == '__main__':
    only = sys.argv[1:]
    if not only:
        print('/* Generated by test/tools/fit_coefficients.py: polynomial coefficients, lowest first. */')
        print('#ifndef GM__MATH_COEF_H\n#define GM__MATH_COEF_H\n')
    for row in TABLE:
        if not only or row[0] in only:
            emit(*row)
    if not only:
        print('#endif')
