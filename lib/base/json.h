/* A JSON reader for files that nobody vouches for, and text escapes for writing. RFC 8259; no
 * recursion, a limit on depth (64), every failure is an error with its byte offset. Names within an
 * object must differ; a text must not hold the character zero. Memory: about 80 bytes for each
 * value and one for each byte of text. */
#ifndef GM__JSON_H
#define GM__JSON_H
#include "base/context.h"
#include "base/text.h"
typedef enum gm__json_type {
    GM__JSON_NULL,
    GM__JSON_BOOL,
    GM__JSON_NUMBER,
    GM__JSON_STRING,
    GM__JSON_ARRAY,
    GM__JSON_OBJECT
} gm__json_type;
typedef struct gm__json {
    gm__json_type type;
    const char *name; /* within an object; else NULL */
    const char *text; /* STRING decoded; NUMBER as written; else NULL */
    int64_t text_length;
    double number;                /* NUMBER; BOOL 0 or 1 */
    const struct gm__json *first; /* children of ARRAY and OBJECT, in order */
    const struct gm__json *next;
    int64_t count;
} gm__json;
/* All nodes live in the arena and need nothing of `text`, whose last value must be its end (blanks
 * may follow). name is for error texts ("model.genmod"). */
gm_status gm__json_parse(gm_context *ctx, const char *name, const char *text, int64_t length,
                         gm__arena *arena, const gm__json **root);
const gm__json *gm__json_get(const gm__json *object,
                             const char *name); /* NULL if absent or not an object */
/* Members by name: GM_E_FORMAT that names the member where it is absent, of another type or out of
 * range. */
gm_status gm__json_int(gm_context *ctx, const gm__json *object, const char *name, int64_t low,
                       int64_t high, int64_t *value);
gm_status gm__json_real(gm_context *ctx, const gm__json *object, const char *name, double *value);
gm_status gm__json_text(gm_context *ctx, const gm__json *object, const char *name,
                        const char **value);
/* A member that is an array or an object. */
gm_status gm__json_list(gm_context *ctx, const gm__json *object, const char *name,
                        gm__json_type type, const gm__json **list);
void gm__json_quote(gm__buffer *out, const char *text); /* with the quotes */
/* Doubles that JSON cannot hold (inf, nan) are written as strings; gm__json_real reads those too.
 */
void gm__json_write_real(gm__buffer *out, double value);
#endif
