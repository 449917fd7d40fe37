/* Part of maps_body.h: the exact element operations, written once for both types.
 *
 * In force: V and M, vectors of the type and of masks (integers); OP(name), the function of that
 * type from simd.h; FN(name), a new name; WHOLE, from where on every number is an integer. */

VINLINE V FN(square)(V x)
{
    return x * x;
}
VINLINE V FN(recip)(V x)
{
    return 1 / x;
}
/* 1, -1, or x itself where it is a zero or NaN. */
VINLINE V FN(signum)(V x)
{
    V one = OP(sign)(OP(set)(1), x);
    return OP(pick)((x > 0) | (x < 0), one, x);
}
/* To the nearest integer, ties to even, the sign kept. */
VINLINE V FN(round)(V x)
{
    V a = OP(abs)(x);
    V r = (a + WHOLE) - WHOLE;
    return OP(pick)(a < WHOLE, OP(sign)(r, x), x);
}
VINLINE V FN(floor)(V x)
{
    V r = FN(round)(x);
    return OP(pick)(r > x, r - 1, r);
}
VINLINE V FN(relu)(V x)
{
    return OP(pick)(x > 0, x, OP(set)(0));
}
/* 1 where the mask is set, 0 elsewhere. */
VINLINE V FN(one)(M m)
{
    return (V)(m & (M)OP(set)(1));
}
VINLINE V FN(step)(V x)
{
    return FN(one)(x > 0);
}

VINLINE V FN(add)(V a, V b)
{
    return a + b;
}
VINLINE V FN(sub)(V a, V b)
{
    return a - b;
}
VINLINE V FN(mul)(V a, V b)
{
    return a * b;
}
VINLINE V FN(div)(V a, V b)
{
    return a / b;
}
/* A NaN on either side wins. */
VINLINE V FN(least)(V a, V b)
{
    return OP(pick)(a != a, a, OP(min)(a, b));
}
VINLINE V FN(most)(V a, V b)
{
    return OP(pick)(a != a, a, OP(max)(a, b));
}
VINLINE V FN(gt)(V a, V b)
{
    return FN(one)(a > b);
}
VINLINE V FN(ge)(V a, V b)
{
    return FN(one)(a >= b);
}
VINLINE V FN(eq)(V a, V b)
{
    return FN(one)(a == b);
}
VINLINE V FN(gate)(V a, V b)
{
    return (V)((b > 0) & (M)a);
}
/* log(e^a + e^b) = max + log(1 + e^-|a - b|). */
VINLINE V FN(logaddexp)(V a, V b)
{
    V far = OP(neg)(OP(abs)(a - b));
    V t = OP(exp)(OP(pick)(a == b, OP(set)(0), far));
    return FN(most)(a, b) + OP(log1p_unit)(t);
}
