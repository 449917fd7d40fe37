/* PNG (ISO/IEC 15948) with a deflate stream (RFC 1951) that knows runs only: each line is stored as
 * its difference from the one above, so that enlarged pixels become runs of zeros, and a run
 * becomes copies of 258 bytes from one byte back. */
#include "png.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "tool.h"

/* ---- Bits ------------------------------------------------------------------------------------ */

typedef struct bits {
    unsigned char *bytes;
    size_t count, capacity;
    uint32_t held; /* bits not yet in bytes, the first in the lowest place */
    int holding;
    int failed;
} bits;

static void put_byte(bits *b, unsigned char byte)
{
    if (b->count == b->capacity) {
        size_t capacity = b->capacity ? 2 * b->capacity : 4096;
        unsigned char *bytes = realloc(b->bytes, capacity);
        if (!bytes) {
            b->failed = 1;
            return;
        }
        b->bytes = bytes;
        b->capacity = capacity;
    }
    b->bytes[b->count++] = byte;
}

static void put(bits *b, uint32_t value, int count)
{
    b->held |= value << b->holding;
    b->holding += count;
    for (; b->holding >= 8; b->holding -= 8) {
        put_byte(b, (unsigned char)b->held);
        b->held >>= 8;
    }
}

static void put_word(bits *b, uint32_t word)
{
    int shift;

    for (shift = 24; shift >= 0; shift -= 8)
        put_byte(b, (unsigned char)(word >> shift));
}

/* ---- Deflate --------------------------------------------------------------------------------- */

/* Huffman codes go out from their highest bit. */
static void put_code(bits *b, uint32_t code, int count)
{
    uint32_t turned = 0;
    int i;

    for (i = 0; i < count; i++)
        turned |= (code >> i & 1) << (count - 1 - i);
    put(b, turned, count);
}

/* The fixed code of a literal or length symbol (RFC 1951, 3.2.6). */
static void put_symbol(bits *b, int symbol)
{
    if (symbol < 144)
        put_code(b, (uint32_t)(0x30 + symbol), 8);
    else if (symbol < 256)
        put_code(b, (uint32_t)(0x190 + symbol - 144), 9);
    else if (symbol < 280)
        put_code(b, (uint32_t)(symbol - 256), 7);
    else
        put_code(b, (uint32_t)(0xC0 + symbol - 280), 8);
}

/* A copy of `length` bytes, 3 to 258, from one byte back (RFC 1951, 3.2.5). */
static void put_run(bits *b, int length)
{
    static const short base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                   31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    int row = 28, extra;

    while (base[row] > length)
        row--;
    extra = row < 8 || row == 28 ? 0 : row / 4 - 1;
    put_symbol(b, 257 + row);
    put(b, (uint32_t)(length - base[row]), extra);
    put_code(b, 0, 5);
}

static uint32_t adler32(const unsigned char *x, size_t n)
{
    uint32_t low = 1, high = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        low = (low + x[i]) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

/* A zlib stream (RFC 1950) of one block. */
static void compress(bits *b, const unsigned char *x, size_t n)
{
    size_t i = 0, run;

    put_byte(b, 0x78);
    put_byte(b, 0x01);
    put(b, 1, 1); /* the last block */
    put(b, 1, 2); /* with fixed codes */
    while (i < n) {
        put_symbol(b, x[i++]);
        for (run = 0; run < 258 && i + run < n && x[i + run] == x[i - 1];)
            run++;
        if (run >= 3) {
            put_run(b, (int)run);
            i += run;
        }
    }
    put_symbol(b, 256);
    put(b, 0, (8 - b->holding) % 8);
    put_word(b, adler32(x, n));
}

/* ---- PNG ------------------------------------------------------------------------------------- */

static uint32_t crc32(uint32_t crc, const unsigned char *x, size_t n)
{
    size_t i;
    int k;

    for (i = 0; i < n; i++) {
        crc ^= x[i];
        for (k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return crc;
}

static void put_chunk(bits *b, const char *type, const bits *content)
{
    size_t start, i;

    put_word(b, (uint32_t)content->count);
    start = b->count;
    for (i = 0; i < 4; i++)
        put_byte(b, (unsigned char)type[i]);
    for (i = 0; i < content->count; i++)
        put_byte(b, content->bytes[i]);
    if (!b->failed)
        put_word(b, ~crc32(0xFFFFFFFFu, b->bytes + start, b->count - start));
}

/* Each line behind its filter type: 2, the difference from the line above. */
static unsigned char *filter(int64_t width, int64_t height, const unsigned char *pixels)
{
    unsigned char *lines = malloc((size_t)((width + 1) * height)), *to = lines;
    int64_t i, j;

    for (i = 0; lines && i < height; i++) {
        const unsigned char *line = pixels + i * width;
        *to++ = 2;
        for (j = 0; j < width; j++)
            *to++ = (unsigned char)(line[j] - (i ? line[j - width] : 0));
    }
    return lines;
}

static void encode(bits *b, int64_t width, int64_t height, const unsigned char *lines)
{
    static const unsigned char signature[8] = {137, 'P', 'N', 'G', 13, 10, 26, 10};
    static const unsigned char grey[5] = {8, 0, 0, 0, 0};
    bits head = {0}, body = {0}, end = {0};
    int i;

    for (i = 0; i < 8; i++)
        put_byte(b, signature[i]);
    put_word(&head, (uint32_t)width);
    put_word(&head, (uint32_t)height);
    for (i = 0; i < 5; i++)
        put_byte(&head, grey[i]);
    compress(&body, lines, (size_t)((width + 1) * height));
    put_chunk(b, "IHDR", &head);
    put_chunk(b, "IDAT", &body);
    put_chunk(b, "IEND", &end);
    b->failed |= head.failed | body.failed;
    free(head.bytes);
    free(body.bytes);
}

int png_save(int64_t width, int64_t height, const unsigned char *pixels, const char *path)
{
    unsigned char *lines = filter(width, height, pixels);
    bits b = {0};
    out_file out;
    int status;

    if (lines)
        encode(&b, width, height, lines);
    free(lines);
    if (!lines || b.failed)
        status = tool_error("out of memory");
    else
        status = file_open(&out, path);
    if (!status) {
        fwrite(b.bytes, 1, b.count, out.file);
        status = file_close(&out, TOOL_OK);
    }
    free(b.bytes);
    return status;
}
