#include "apply/list.h"
#include "apply/grid.h"

#include <math.h>

#define MOST_MULTIPLE ((uint64_t)1 << 52)
#define MOST_REST ((int64_t)1 << 62)
enum { WIDTHS = 64 };

static int width_of(uint64_t value)
{
    return 63 - __builtin_clzll(value + 1);
}

static uint64_t zigzag(int64_t v)
{
    return v < 0 ? ((uint64_t) - (v + 1) << 1) + 1 : (uint64_t)v << 1;
}

static int64_t unzigzag(uint64_t v)
{
    return v & 1 ? -(int64_t)(v >> 1) - 1 : (int64_t)(v >> 1);
}

/* Whole steps from a to b. */
static double steps_between(double a, double b, double step)
{
    return floor((b - a) / step + 0.5);
}

/* From the multiple of the step to the entry, in doubles; far away it is no use. */
static int64_t rest_of(double first, double multiple, double step, double value)
{
    double near = first + multiple * step;
    return (int64_t)((uint64_t)gm__double_place(value) - (uint64_t)gm__double_place(near));
}

/* Bits of the list with the step, or without for 0. */
static double bits_of(const double *list, int64_t count, double step)
{
    double bits = 128, multiple = 0;
    for (int64_t i = 1; i < count; i++) {
        if (step == 0) {
            bits += 3 + width_of((uint64_t)gm__double_place(list[i]) -
                                 (uint64_t)gm__double_place(list[i - 1]) - 1);
            continue;
        }
        double more = steps_between(list[i - 1], list[i], step);
        multiple += more;
        int64_t rest = rest_of(list[0], multiple, step, list[i]);
        if (rest >= MOST_REST || rest <= -MOST_REST)
            return INFINITY;
        bits += 5 + width_of((uint64_t)more) + width_of(zigzag(rest));
    }
    return bits;
}

double gm__list_step(const double *list, int64_t count, double *bits)
{
    double least = INFINITY, all = 0, plain = bits_of(list, count, 0);
    *bits = plain;
    for (int64_t i = 1; i < count; i++)
        least = fmin(least, list[i] - list[i - 1]);
    if (count < 3 || !(least > 0) || !((list[count - 1] - list[0]) / least < 0x1p50))
        return 0;
    for (int64_t i = 1; i < count; i++)
        all += steps_between(list[i - 1], list[i], least);
    double step = (list[count - 1] - list[0]) / all;
    double stepped = bits_of(list, count, step);
    if (!(stepped < plain))
        return 0;
    *bits = stepped;
    return step;
}

static void add_number(gm__symbols *s, gm__adaptive *a, uint64_t value)
{
    int width = width_of(value);
    gm__adaptive_add(a, s, WIDTHS, width);
    gm__symbols_raw(s, value + 1, width);
}

void gm__list_add(gm__symbols *s, const double *list, int64_t count)
{
    gm__adaptive steps = {.total = 0}, rests = {.total = 0};
    double bits, step = gm__list_step(list, count, &bits), multiple = 0;
    gm__symbols_raw(s, (uint64_t)gm__double_place(list[0]), 64);
    if (count > 1)
        gm__symbols_raw(s, (uint64_t)gm__double_place(step), 64);
    for (int64_t i = 1; i < count; i++) {
        if (step == 0) {
            add_number(s, &steps,
                       (uint64_t)gm__double_place(list[i]) -
                           (uint64_t)gm__double_place(list[i - 1]) - 1);
            continue;
        }
        double more = steps_between(list[i - 1], list[i], step);
        multiple += more;
        add_number(s, &steps, (uint64_t)more);
        add_number(s, &rests, zigzag(rest_of(list[0], multiple, step, list[i])));
    }
}

static uint64_t take_number(gm__rans_decoder *d, gm__adaptive *a)
{
    int width = gm__adaptive_take(a, d, WIDTHS);
    return ((uint64_t)1 << width | gm__rans_raw(d, width)) - 1;
}

/* The entry behind the first; 0 where there is none. */
static int take_entry(gm__list_reader *r)
{
    int64_t before = r->place;
    if (r->read == 1) {
        r->step = gm__double_at((int64_t)gm__rans_raw(r->decoder, 64));
        if (!(r->step >= 0 && r->step <= 0x1.fffffffffffffp+1023))
            return 0;
    }
    uint64_t more = take_number(r->decoder, &r->steps);
    if (r->step == 0) {
        r->place = (int64_t)((uint64_t)r->place + more + 1);
        return r->place > before;
    }
    r->multiple += more;
    if (more > MOST_MULTIPLE || r->multiple > MOST_MULTIPLE)
        return 0;
    int64_t near = gm__double_place(r->first + (double)r->multiple * r->step);
    r->place = (int64_t)((uint64_t)near + (uint64_t)unzigzag(take_number(r->decoder, &r->rest)));
    return r->place > before;
}

int gm__list_next(gm__list_reader *r, double *value)
{
    if (r->read == 0)
        r->place = (int64_t)gm__rans_raw(r->decoder, 64);
    else if (!take_entry(r))
        return 0;
    *value = gm__double_at(r->place);
    if (r->read++ == 0)
        r->first = *value;
    return !r->decoder->wrong && *value - *value == 0;
}
