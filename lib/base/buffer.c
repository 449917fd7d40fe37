/* Text that grows. */
#include "base/text.h"

#include <string.h>

/* Room for `more` bytes and the zero; 0 if there is none. */
static int reserve(gm__buffer *b, size_t more)
{
    if (b->failed)
        return 0;
    if (more < b->capacity - b->size) /* capacity 0 and size 0: never */
        return 1;
    size_t need = b->size + more + 1, want = need + need / 2 + 64;
    char *data = NULL;
    if (more < PTRDIFF_MAX / 4 && need < PTRDIFF_MAX / 2)
        data = gm__resize(&b->allocator, b->data, b->capacity, want);
    if (!data) {
        b->failed = 1;
        return 0;
    }
    b->data = data;
    b->capacity = want;
    return 1;
}

void gm__buffer_add(gm__buffer *b, const void *bytes, size_t size)
{
    if (!reserve(b, size))
        return;
    if (size)
        memcpy(b->data + b->size, bytes, size);
    b->size += size;
    b->data[b->size] = 0;
}

void gm__buffer_text(gm__buffer *b, const char *text)
{
    gm__buffer_add(b, text, strlen(text));
}

void gm__buffer_format(gm__buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int64_t length = gm__vformat(NULL, 0, format, args);
    if (reserve(b, (size_t)length)) {
        gm__vformat(b->data + b->size, length + 1, format, again);
        b->size += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

void gm__buffer_clear(gm__buffer *b)
{
    gm__free(&b->allocator, b->data, b->capacity);
    b->data = NULL;
    b->size = b->capacity = 0;
    b->failed = 0;
}
