#include "data/csv.h"
#include "base/sort.h"

#include <string.h>

#define WHOLE_RANGE 65536 /* whole numbers over a wider range are measured, not counted */

gm_status gm__csv_bad_cell(const gm__csv *csv, int64_t line, int64_t column, const gm__cell *cell,
                           const char *rest)
{
    gm__label label;
    return gm__fail(csv->ctx, GM_E_DATA, "%s:%lld: %s is '%.*s', %s", csv->name, (long long)line,
                    gm__column_label(&label, csv->schema, column),
                    (int)(cell->length < 64 ? cell->length : 64), cell->text, rest);
}

/* ---- The first record ------------------------------------------------------------------------ */

static gm_status count_columns(gm__csv *csv)
{
    gm__scanner s = csv->start;
    gm__cell cell;
    int last = 0;
    if (!gm__scan_record(&s))
        return gm__fail(csv->ctx, GM_E_DATA, "%s: holds no data", csv->name);
    for (; !last; csv->columns++)
        GM_TRY(gm__scan_cell(&s, &cell, &last));
    if (csv->columns > GM__CSV_COLUMNS)
        return gm__fail(csv->ctx, GM_E_DATA, "%s:%lld: %lld columns, at most %d", csv->name,
                        (long long)s.record_line, (long long)csv->columns, GM__CSV_COLUMNS);
    csv->survey = gm__arena_array(&csv->arena, csv->columns, sizeof *csv->survey);
    csv->schema = gm__schema_create(&csv->ctx->allocator, csv->columns);
    return csv->survey && csv->schema ? GM_OK : gm__no_memory(csv->ctx);
}

/* ---- All records ----------------------------------------------------------------------------- */

static void note_number(gm__survey *v, const gm__cell *cell, const gm__number *number, int64_t line)
{
    double x = number->value;
    if (!v->numbers++) {
        v->low = v->high = x;
        v->all_whole = 1;
    }
    v->low = x < v->low ? x : v->low;
    v->high = x > v->high ? x : v->high;
    v->all_whole &= number->whole;
    v->bits |= cell->length != 1 ? 4 : x == 0 ? 1 : x == 1 ? 2 : 4;
    if (x - x != 0 && !v->infinite_line) {
        v->infinite_line = line;
        v->part = *cell;
    }
    if (!v->part_line && !v->infinite_line &&
        !(x < 0x1p53 && x > -0x1p53 && x == (double)(int64_t)x)) {
        v->part_line = line;
        v->part = *cell;
    }
}

/* Whether a text is digits, a comma and digits, perhaps signed. */
static int is_comma_number(const gm__cell *cell)
{
    const char *p = cell->text, *end = p + cell->length;
    int64_t digits[2] = {0, 0};
    int comma = 0;
    for (p += p < end && (*p == '-' || *p == '+'); p < end; p++)
        if (*p >= '0' && *p <= '9')
            digits[comma]++;
        else if (*p == ',' && !comma)
            comma = 1;
        else
            return 0;
    return digits[0] && digits[1];
}

/* Returns 1 if the cell is missing. */
static int note_cell(gm__csv *csv, gm__survey *v, const gm__cell *cell, int64_t line)
{
    gm__number number;
    int kind = gm__cell_kind(cell, csv->missing, &number);
    if (kind == GM__CELL_NUMBER) {
        note_number(v, cell, &number, line);
    } else if (kind == GM__CELL_MISSING) {
        if (!v->missing++)
            v->missing_line = line;
    } else {
        if (!v->texts++) {
            v->text = *cell;
            v->text_line = line;
        }
        v->commas += is_comma_number(cell);
    }
    if (kind == GM__CELL_TEXT && v->first_kind == GM__CELL_TEXT &&
        cell->length == v->first.length && !memcmp(cell->text, v->first.text, (size_t)cell->length))
        v->again = 1;
    if (cell->escaped && cell->length > csv->longest)
        csv->longest = cell->length;
    return kind == GM__CELL_MISSING;
}

static gm_status ragged(const gm__csv *csv, const gm__scanner *s, int64_t cells)
{
    return gm__fail(csv->ctx, GM_E_FORMAT,
                    "%s:%lld: %lld fields%s, %lld were expected as in line %lld", csv->name,
                    (long long)s->record_line, (long long)cells,
                    cells > csv->columns ? " or more" : "", (long long)csv->columns,
                    (long long)csv->start.record_line);
}

/* One record into the surveys; its kinds are kept where it is the first. */
static gm_status note_record(gm__csv *csv, gm__scanner *s)
{
    int last = 0, missing = 0;
    int64_t j = 0;
    for (; !last; j++) {
        gm__cell cell;
        if (j == csv->columns)
            return ragged(csv, s, j + 1);
        int64_t line = s->line;
        GM_TRY(gm__scan_cell(s, &cell, &last));
        missing |= note_cell(csv, &csv->survey[j], &cell, line);
    }
    if (j < csv->columns)
        return ragged(csv, s, j);
    csv->rows++;
    csv->complete += !missing;
    return GM_OK;
}

static gm_status note_first(gm__csv *csv, gm__scanner *s)
{
    gm__number number;
    int last = 0;
    for (int64_t j = 0; !last; j++) {
        gm__survey *v = &csv->survey[j];
        GM_TRY(gm__scan_cell(s, &v->first, &last));
        v->first_kind = gm__cell_kind(&v->first, csv->missing, &number);
        if (v->first.escaped && v->first.length > csv->longest)
            csv->longest = v->first.length;
    }
    return GM_OK;
}

static gm_status survey_records(gm__csv *csv)
{
    gm__scanner s = csv->start;
    gm__scan_record(&s);
    csv->start = s;
    GM_TRY(note_first(csv, &s));
    csv->data = s;
    while (gm__scan_record(&s)) {
        if (csv->rows % 4096 == 0)
            GM_TRY(gm__check_cancel(csv->ctx));
        GM_TRY(note_record(csv, &s));
    }
    return GM_OK;
}

/* ---- Header ---------------------------------------------------------------------------------- */

/* Mostly numbers, as one may say before bad cells are looked at. */
static int is_numeric(const gm__survey *v)
{
    return v->numbers > 0 && v->texts * 20 <= v->numbers + v->texts;
}

/* A header is a first record with texts over columns of numbers; over columns of texts alone, one
 * whose texts all differ and never come again. */
static int has_header(const gm__csv *csv)
{
    int64_t over = 0, numeric = 0, plain = 0;
    for (int64_t j = 0; j < csv->columns; j++) {
        const gm__survey *v = &csv->survey[j];
        int name = v->first_kind == GM__CELL_TEXT && !is_comma_number(&v->first);
        numeric += is_numeric(v);
        over += is_numeric(v) && name;
        plain += name && !v->again;
    }
    if (csv->rows == 0)
        return plain == csv->columns;
    return numeric ? over > 0 && over * 2 >= numeric : plain == csv->columns;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static gm_status check_names(gm__csv *csv)
{
    void **order = gm__arena_array(&csv->arena, csv->columns, sizeof *order);
    if (!order)
        return gm__no_memory(csv->ctx);
    for (int64_t j = 0; j < csv->columns; j++)
        order[j] = &csv->schema->columns[j].name;
    gm__sort_pointers(order, csv->columns, compare_names);
    for (int64_t j = 1; j < csv->columns; j++)
        if (!compare_names(order[j - 1], order[j]))
            return gm__fail(csv->ctx, GM_E_DATA, "%s:%lld: two columns are named '%.*s'", csv->name,
                            (long long)csv->start.record_line, 64, *(char **)order[j]);
    return GM_OK;
}

/* Names from the first record; a column without one gets its number: x3. */
static gm_status take_names(gm__csv *csv)
{
    for (int64_t j = 0; j < csv->columns; j++) {
        const gm__cell *cell = &csv->survey[j].first;
        const char *text = cell->text;
        int64_t length = cell->length;
        if (cell->escaped) {
            length = gm__unescape(cell, csv->start.quote, csv->plain);
            text = csv->plain;
        }
        if (length == 0) {
            length = gm__format(csv->plain, 32, "x%lld", (long long)j + 1);
            text = csv->plain;
        }
        if (gm__schema_set_text(csv->schema, &csv->schema->columns[j].name, text, length))
            return gm__no_memory(csv->ctx);
    }
    return check_names(csv);
}

static gm_status settle_header(gm__csv *csv)
{
    gm__scanner s = csv->start;
    if (csv->header == GM__HEADER_YES || (csv->header == GM__HEADER_AUTO && has_header(csv)))
        GM_TRY(take_names(csv));
    else {
        csv->data = csv->start;
        GM_TRY(note_record(csv, &s));
    }
    if (csv->rows == 0)
        return gm__fail(csv->ctx, GM_E_DATA, "%s: a header and no rows", csv->name);
    return GM_OK;
}

/* ---- Types ----------------------------------------------------------------------------------- */

/* The type that a piece of the option says, "circular(360)" with its period; 0 if it is none. */
static int32_t read_type(const char *text, int64_t length, double *period)
{
    const char *open = memchr(text, '(', (size_t)length);
    int64_t word = open ? open - text : length, used = length - word - 2;
    int32_t type = gm__type_find(text, word);
    if ((type == GM_COLUMN_CIRCULAR) != (open != NULL))
        return 0;
    if (open &&
        (used < 1 || text[length - 1] != ')' || gm__read_real(open + 1, used, period) != used ||
         !(*period > 0) || *period - *period != 0))
        return 0;
    return type;
}

/* "name:type,name:type"; a name may be a number counted from 1. */
static gm_status apply_types(gm__csv *csv, const char *text)
{
    while (*text) {
        int64_t length = (int64_t)strcspn(text, ","), number;
        int64_t name = length;
        while (name > 0 && text[name - 1] != ':')
            name--;
        double period = 0;
        int32_t type = name ? read_type(text + name, length - name, &period) : 0;
        if (!type)
            return gm__fail(
                csv->ctx, GM_E_ARG,
                "csv: option 'types' holds '%.*s', 'column:type' was expected, with a type "
                "of real, integer, binary, category, ordered or circular(period)",
                (int)(length < 64 ? length : 64), text);
        name--;
        int64_t column = gm__schema_find(csv->schema, text, name);
        if (column < 0 && gm__read_int(text, name, &number) == name && number >= 1 &&
            number <= csv->columns)
            column = number - 1;
        if (column < 0)
            return gm__fail(csv->ctx, GM_E_UNKNOWN,
                            "csv: option 'types' names the column '%.*s', which %s does not have",
                            (int)(name < 64 ? name : 64), text, csv->name);
        csv->survey[column].type = type;
        csv->survey[column].period = period;
        text += length + (text[length] == ',');
    }
    return GM_OK;
}

static int32_t type_of_numbers(const gm__survey *v)
{
    if (v->bits == 3 && v->all_whole)
        return GM_COLUMN_BINARY;
    return v->all_whole && v->high - v->low < WHOLE_RANGE ? GM_COLUMN_INTEGER : GM_COLUMN_REAL;
}

static gm_status settle_type(gm__csv *csv, int64_t j)
{
    static const char number_wanted[] =
        "a number was expected (declare missing values with --missing)";
    static const char comma_found[] =
        "a number with a decimal comma: write a point in its place (or declare the column a "
        "category with --types)";
    gm__survey *v = &csv->survey[j];
    gm__label label;
    if (v->missing && csv->on_missing == GM__MISSING_ERROR)
        return gm__fail(csv->ctx, GM_E_DATA, "%s:%lld: %s is missing", csv->name,
                        (long long)v->missing_line, gm__column_label(&label, csv->schema, j));
    v->guessed = !v->type;
    if (v->guessed)
        v->type = v->texts == 0   ? v->numbers ? type_of_numbers(v) : GM_COLUMN_REAL
                  : is_numeric(v) ? GM_COLUMN_REAL
                                  : GM_COLUMN_CATEGORY;
    if (v->commas && v->commas == v->texts && v->guessed && (!v->numbers || v->all_whole))
        return gm__csv_bad_cell(csv, v->text_line, j, &v->text, comma_found);
    if (gm__type_is_category(v->type))
        return GM_OK;
    if (v->texts)
        return gm__csv_bad_cell(csv, v->text_line, j, &v->text, number_wanted);
    if (v->infinite_line)
        return gm__csv_bad_cell(csv, v->infinite_line, j, &v->part, "a finite number was expected");
    if (v->type == GM_COLUMN_INTEGER && v->part_line)
        return gm__csv_bad_cell(csv, v->part_line, j, &v->part, "a whole number was expected");
    return GM_OK;
}

/* Every row had a missing cell and was left out. */
static gm_status refuse_dropped(const gm__csv *csv)
{
    gm__label label;
    for (int64_t j = 0; j < csv->columns; j++)
        if (!csv->survey[j].numbers && !csv->survey[j].texts)
            return gm__fail(csv->ctx, GM_E_DATA,
                            "%s: %s is empty in every row: leaving out rows with missing values "
                            "leaves none",
                            csv->name, gm__column_label(&label, csv->schema, j));
    return gm__fail(csv->ctx, GM_E_DATA, "%s: every row has missing values", csv->name);
}

gm_status gm__csv_survey(gm__csv *csv, const gm__values *options)
{
    GM_TRY(count_columns(csv));
    GM_TRY(survey_records(csv));
    csv->plain = gm__arena_array(&csv->arena, csv->longest + 32, 1);
    if (!csv->plain)
        return gm__no_memory(csv->ctx);
    GM_TRY(settle_header(csv));
    GM_TRY(apply_types(csv, gm__value_text(options, "types")));
    for (int64_t j = 0; j < csv->columns; j++) {
        gm__column *c = &csv->schema->columns[j];
        GM_TRY(settle_type(csv, j));
        c->type = csv->survey[j].type;
        c->period = csv->survey[j].period;
        c->missing = csv->survey[j].missing > 0 && csv->on_missing == GM__MISSING_KEEP;
    }
    if (csv->on_missing == GM__MISSING_DROP)
        csv->rows = csv->complete;
    return csv->rows ? GM_OK : refuse_dropped(csv);
}
