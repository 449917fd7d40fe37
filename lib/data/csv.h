/* Reading CSV: RFC 4180 with what is met in the wild. Three parts: the scanner cuts the text into
 * cells, the survey reads all of it once and says what each column is, the loader reads it again
 * into cells of the right types. */
#ifndef GM__CSV_H
#define GM__CSV_H
#include "data/table.h"

/* A cell as it lies in the text, without quotes and outer blanks. */
typedef struct gm__cell {
    const char *text;
    int64_t length;
    int escaped; /* holds doubled quotes */
} gm__cell;

typedef struct gm__scanner {
    gm_context *ctx;
    const char *name;
    const char *at, *end;
    int64_t line;          /* where `at` is, from 1 */
    int64_t record_line;   /* where the present record begins */
    char delimiter, quote; /* quote 0: none */
} gm__scanner;

/* Goes to the next record, over blank lines; 0 at the end. */
int gm__scan_record(gm__scanner *s);
/* The next cell of the record; 1 in *last at its end. */
gm_status gm__scan_cell(gm__scanner *s, gm__cell *cell, int *last);
/* The delimiter that the first records agree on. */
char gm__sniff_delimiter(const char *text, int64_t length, char quote);

enum { GM__CELL_MISSING, GM__CELL_NUMBER, GM__CELL_TEXT };
typedef struct gm__number {
    double value;
    int whole; /* written without point and exponent */
} gm__number;
/* What a cell holds. extra is one more text that means missing; may be "". */
int gm__cell_kind(const gm__cell *cell, const char *extra, gm__number *number);
/* Without doubled quotes, into out (cell->length bytes); returns the length. */
int64_t gm__unescape(const gm__cell *cell, char quote, char *out);

/* What the survey learned about a column. */
typedef struct gm__survey {
    int64_t numbers, missing, texts, commas; /* commas: texts such as 1,5 */
    int64_t text_line, missing_line, infinite_line,
        part_line;         /* of the first of each; part: a number that is not whole */
    gm__cell text, part;   /* the first of each */
    int first_kind, again; /* of the first record's cell; a later cell equals it */
    gm__cell first;
    int all_whole, bits; /* bits 1: a 0 was seen, 2: a 1, 4: another */
    double low, high;
    int guessed;  /* no option said the type */
    int32_t type; /* what the column is; 0 until decided */
    double period;
} gm__survey;

struct gm__csv {
    gm_context *ctx;
    gm__arena arena;
    const char *name;
    gm__scanner start; /* at the first record */
    gm__scanner data;  /* at the first record that is data */
    const char *missing;
    int header, on_missing; /* as the options say */
    int64_t columns, rows, complete,
        longest;        /* complete: rows without missing cells; longest: escaped cell */
    char *plain;        /* (longest + 32) scratch for what gm__unescape gives */
    gm__survey *survey; /* (columns) */
    gm__schema *schema;
};
#define GM__CSV_COLUMNS                                                                            \
    131072 /* most columns: each takes some hundred bytes, a file may spend two */
enum { GM__HEADER_AUTO, GM__HEADER_YES, GM__HEADER_NO };
enum { GM__MISSING_KEEP, GM__MISSING_DROP, GM__MISSING_ERROR };

gm_status gm__csv_survey(gm__csv *csv, const gm__values *options);
/* Fills the columns of an empty dataset whose schema is csv->schema. */
gm_status gm__csv_fill(gm__csv *csv, gm_dataset *data);
/* "digits.csv:417: column 'x3' is 'n/a', <rest>", GM_E_DATA. */
gm_status gm__csv_bad_cell(const gm__csv *csv, int64_t line, int64_t column, const gm__cell *cell,
                           const char *rest);
#endif
