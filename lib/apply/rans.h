/* Asymmetric numeral systems: symbols into bytes and back, a fraction of a bit from what their
 * probabilities say.
 *
 * Duda 2014, "Asymmetric numeral systems", section 3 (the range variant). The state is a number in
 * [2^32, 2^64); a symbol that owns [start, start + freq) of GM__RANS_TOTAL takes it from x to
 * (x / freq) TOTAL + x mod freq + start; 32 bits go out or come in where it would leave its
 * interval. What was coded last is decoded first, so an encoder collects symbols and codes them
 * from the end. One symbol costs at most about 1e-4 bits over its -log2(freq / TOTAL). */
#ifndef GM__RANS_H
#define GM__RANS_H
#include "base/context.h"

#define GM__RANS_BITS 28
#define GM__RANS_TOTAL ((uint32_t)1 << GM__RANS_BITS)

/* A symbol: the part [start, start + freq) of the total, freq > 0. */
typedef struct gm__symbol {
    uint32_t start, freq;
} gm__symbol;

/* Symbols in the order in which they will be decoded. Zero but for .allocator is empty; failed
 * stays set once memory was short. */
typedef struct gm__symbols {
    gm_allocator allocator;
    gm__symbol *list;
    int64_t count, room;
    int failed;
} gm__symbols;
void gm__symbols_add(gm__symbols *s, uint32_t start, uint32_t freq);
/* The low `bits` bits of value, 64 at most, each as likely as not. */
void gm__symbols_raw(gm__symbols *s, uint64_t value, int bits);
/* A whole number from 0 in about 2 log2(value + 1) + 1 bits (Elias 1975, the gamma code). */
void gm__symbols_number(gm__symbols *s, uint64_t value);
void gm__symbols_clear(gm__symbols *s);

/* Zero but for .allocator and .state = GM__RANS_LOW is empty. */
#define GM__RANS_LOW ((uint64_t)1 << 32)
typedef struct gm__rans_encoder {
    gm_allocator allocator;
    uint64_t state;
    uint32_t *words; /* the last is decoded first */
    int64_t count, room;
    int failed;
} gm__rans_encoder;
/* Codes symbols, the last first, in front of what was coded already; and empties the list. */
void gm__rans_encode(gm__rans_encoder *e, gm__symbols *symbols);
/* How many bytes gm__rans_write fills: the state, then the words, little-endian. */
int64_t gm__rans_size(const gm__rans_encoder *e);
void gm__rans_write(const gm__rans_encoder *e, unsigned char *bytes);
void gm__rans_clear(gm__rans_encoder *e);

/* Decodes what is in memory, which must live as long. wrong is set, and stays, where the bytes end
 * too early or are those of no encoder; numbers are then still within their ranges. */
typedef struct gm__rans_decoder {
    uint64_t state;
    const unsigned char *at, *end;
    int wrong;
} gm__rans_decoder;
void gm__rans_begin(gm__rans_decoder *d, const void *bytes, int64_t size);
/* A number in [0, TOTAL): whose symbol it lies in is decoded next. */
uint32_t gm__rans_peek(const gm__rans_decoder *d);
void gm__rans_take(gm__rans_decoder *d, uint32_t start, uint32_t freq);
uint64_t gm__rans_raw(gm__rans_decoder *d, int bits);
uint64_t gm__rans_number(gm__rans_decoder *d);
/* 1 if all was decoded, and nothing else is there. */
int gm__rans_ended(const gm__rans_decoder *d);

/* Symbols of an alphabet of at most GM__ADAPTIVE, whose frequencies are learned on the way: for
 * what there is little of. Zero is new. */
#define GM__ADAPTIVE 64
typedef struct gm__adaptive {
    int32_t seen[GM__ADAPTIVE], total;
} gm__adaptive;
void gm__adaptive_add(gm__adaptive *a, gm__symbols *s, int alphabet, int value);
int gm__adaptive_take(gm__adaptive *a, gm__rans_decoder *d, int alphabet);

#endif
