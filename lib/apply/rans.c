#include "apply/rans.h"

#include <string.h>

/* ---- Symbols --------------------------------------------------------------------------------- */

void gm__symbols_add(gm__symbols *s, uint32_t start, uint32_t freq)
{
    if (s->count == s->room && !s->failed) {
        int64_t room = s->room * 2 + 256;
        gm__symbol *list = NULL;
        if (room < (int64_t)(PTRDIFF_MAX / sizeof *list))
            list = gm__resize(&s->allocator, s->list, (size_t)s->room * sizeof *list,
                              (size_t)room * sizeof *list);
        s->failed = list == NULL;
        if (list) {
            s->list = list;
            s->room = room;
        }
    }
    if (!s->failed)
        s->list[s->count++] = (gm__symbol){start, freq};
}

void gm__symbols_raw(gm__symbols *s, uint64_t value, int bits)
{
    for (int done = 0; done < bits; done += 16) {
        int n = bits - done < 16 ? bits - done : 16;
        uint32_t piece = (uint32_t)(value >> done) & (((uint32_t)1 << n) - 1);
        gm__symbols_add(s, piece << (GM__RANS_BITS - n), (uint32_t)1 << (GM__RANS_BITS - n));
    }
}

/* Bits of value + 1 behind its leading one; 2^64 - 1 is not coded. */
static int width_of(uint64_t value)
{
    return 63 - __builtin_clzll(value + 1);
}

void gm__symbols_number(gm__symbols *s, uint64_t value)
{
    int width = width_of(value);
    for (int i = 0; i < width; i++)
        gm__symbols_raw(s, 1, 1);
    gm__symbols_raw(s, 0, 1);
    gm__symbols_raw(s, value + 1, width);
}

void gm__symbols_clear(gm__symbols *s)
{
    gm__free(&s->allocator, s->list, (size_t)s->room * sizeof *s->list);
    s->list = NULL;
    s->count = s->room = 0;
}

/* ---- Encoder --------------------------------------------------------------------------------- */

static void push_word(gm__rans_encoder *e, uint32_t word)
{
    if (e->count == e->room && !e->failed) {
        int64_t room = e->room * 2 + 256;
        uint32_t *words = NULL;
        if (room < (int64_t)(PTRDIFF_MAX / sizeof *words))
            words = gm__resize(&e->allocator, e->words, (size_t)e->room * sizeof *words,
                               (size_t)room * sizeof *words);
        e->failed = words == NULL;
        if (words) {
            e->words = words;
            e->room = room;
        }
    }
    if (!e->failed)
        e->words[e->count++] = word;
}

void gm__rans_encode(gm__rans_encoder *e, gm__symbols *symbols)
{
    e->failed |= symbols->failed;
    for (int64_t i = symbols->count; i-- > 0;) {
        uint32_t freq = symbols->list[i].freq;
        if (freq == GM__RANS_TOTAL) /* certain: nothing to tell */
            continue;
        if (e->state >> (64 - GM__RANS_BITS) >= freq) {
            push_word(e, (uint32_t)e->state);
            e->state >>= 32;
        }
        e->state = ((e->state / freq) << GM__RANS_BITS) + e->state % freq + symbols->list[i].start;
    }
    symbols->count = 0;
}

int64_t gm__rans_size(const gm__rans_encoder *e)
{
    return 8 + 4 * e->count;
}

void gm__rans_write(const gm__rans_encoder *e, unsigned char *bytes)
{
    for (int i = 0; i < 8; i++)
        *bytes++ = (unsigned char)(e->state >> 8 * i);
    for (int64_t w = e->count; w-- > 0;)
        for (int i = 0; i < 4; i++)
            *bytes++ = (unsigned char)(e->words[w] >> 8 * i);
}

void gm__rans_clear(gm__rans_encoder *e)
{
    gm__free(&e->allocator, e->words, (size_t)e->room * sizeof *e->words);
    e->words = NULL;
    e->count = e->room = 0;
}

/* ---- Decoder --------------------------------------------------------------------------------- */

void gm__rans_begin(gm__rans_decoder *d, const void *bytes, int64_t size)
{
    *d = (gm__rans_decoder){.at = bytes};
    d->end = d->at + size;
    if (size < 8) {
        d->wrong = 1;
        d->state = GM__RANS_LOW;
        return;
    }
    for (int i = 0; i < 8; i++)
        d->state |= (uint64_t)*d->at++ << 8 * i;
    d->wrong = d->state < GM__RANS_LOW;
}

uint32_t gm__rans_peek(const gm__rans_decoder *d)
{
    return (uint32_t)d->state & (GM__RANS_TOTAL - 1);
}

void gm__rans_take(gm__rans_decoder *d, uint32_t start, uint32_t freq)
{
    if (freq == GM__RANS_TOTAL)
        return;
    d->state = freq * (d->state >> GM__RANS_BITS) + (gm__rans_peek(d) - start);
    if (d->state >= GM__RANS_LOW)
        return;
    if (d->end - d->at < 4) {
        d->wrong = 1;
        d->state |= GM__RANS_LOW;
        return;
    }
    d->state <<= 32;
    for (int i = 0; i < 4; i++)
        d->state |= (uint64_t)*d->at++ << 8 * i;
    d->wrong |= d->state < GM__RANS_LOW;
}

uint64_t gm__rans_raw(gm__rans_decoder *d, int bits)
{
    uint64_t value = 0;
    for (int done = 0; done < bits; done += 16) {
        int n = bits - done < 16 ? bits - done : 16, free = GM__RANS_BITS - n;
        uint32_t piece = gm__rans_peek(d) >> free;
        gm__rans_take(d, piece << free, (uint32_t)1 << free);
        value |= (uint64_t)piece << done;
    }
    return value;
}

uint64_t gm__rans_number(gm__rans_decoder *d)
{
    int width = 0;
    while (width < 63 && gm__rans_raw(d, 1))
        width++;
    return ((uint64_t)1 << width) + gm__rans_raw(d, width) - 1;
}

int gm__rans_ended(const gm__rans_decoder *d)
{
    return !d->wrong && d->at == d->end && d->state == GM__RANS_LOW;
}

/* ---- Frequencies that are learned ------------------------------------------------------------ */

enum { SEEN_ONCE = 8, NEVER_SEEN = 1 };

/* Where the part of a value begins; that of `alphabet` is the total. */
static uint32_t adaptive_start(const gm__adaptive *a, int alphabet, int value)
{
    uint64_t before = 0, all = (uint64_t)(NEVER_SEEN * alphabet) + SEEN_ONCE * (uint64_t)a->total;
    for (int i = 0; i < value; i++)
        before += (uint64_t)(NEVER_SEEN + SEEN_ONCE * (int64_t)a->seen[i]);
    return (uint32_t)(before * GM__RANS_TOTAL / all);
}

static void adaptive_note(gm__adaptive *a, int value)
{
    if (a->total == 1 << 20)
        return;
    a->seen[value]++;
    a->total++;
}

void gm__adaptive_add(gm__adaptive *a, gm__symbols *s, int alphabet, int value)
{
    uint32_t start = adaptive_start(a, alphabet, value);
    gm__symbols_add(s, start, adaptive_start(a, alphabet, value + 1) - start);
    adaptive_note(a, value);
}

int gm__adaptive_take(gm__adaptive *a, gm__rans_decoder *d, int alphabet)
{
    uint32_t slot = gm__rans_peek(d), start = 0, end;
    int value = 0;
    while ((end = adaptive_start(a, alphabet, value + 1)) <= slot) {
        start = end;
        value++;
    }
    gm__rans_take(d, start, end - start);
    adaptive_note(a, value);
    return value;
}
