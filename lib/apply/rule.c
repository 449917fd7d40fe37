/* Numbers as they are written by programs. */
#include "apply/sheet.h"
#include "base/decimal.h"

#include <math.h>
#include <string.h>

static void add_char(gm__buffer *out, char c)
{
    gm__buffer_add(out, &c, 1);
}

static void add_zeros(gm__buffer *out, int count)
{
    for (int i = 0; i < count; i++)
        add_char(out, '0');
}

/* d.ddd e+XX, as C has it. */
static void add_exponent(gm__buffer *out, const char *digits, int n, int exponent)
{
    int size = exponent < 0 ? -exponent : exponent;
    add_char(out, digits[0]);
    if (n > 1)
        add_char(out, '.');
    gm__buffer_add(out, digits + 1, (size_t)(n - 1));
    gm__buffer_format(out, "e%c%02d", exponent < 0 ? '-' : '+', size);
}

static void add_plain(gm__buffer *out, const char *digits, int n, int exponent)
{
    int whole = exponent < 0 ? 0 : exponent + 1 < n ? exponent + 1 : n;
    gm__buffer_add(out, digits, (size_t)whole);
    add_zeros(out, exponent < 0 ? 1 : exponent + 1 - whole);
    if (whole == n)
        return;
    add_char(out, '.');
    add_zeros(out, exponent < 0 ? -exponent - 1 : 0);
    gm__buffer_add(out, digits + whole, (size_t)(n - whole));
}

static void add_repr(gm__buffer *out, double value)
{
    char digits[18];
    int exponent = 0, n = 1;
    digits[0] = '0';
    if (value != 0)
        n = gm__digits_shortest(digits, value, 0, &exponent);
    if (exponent < -4 || exponent >= 16) {
        add_exponent(out, digits, n, exponent);
        return;
    }
    add_plain(out, digits, n, exponent);
    if (n <= exponent + 1)
        gm__buffer_text(out, ".0");
}

/* Significant digits, count of them. */
static int exact_digits(char *digits, int count, double value)
{
    int exponent = 0;
    memset(digits, '0', (size_t)count);
    if (value != 0)
        gm__digits_exact(digits, count, value, &exponent);
    return exponent;
}

static void add_general(gm__buffer *out, double value, int count)
{
    char digits[GM__RULE_DIGITS + 2];
    int n = count < 1 ? 1 : count, exponent = exact_digits(digits, n, value), most = n;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (exponent < -4 || exponent >= most)
        add_exponent(out, digits, n, exponent);
    else
        add_plain(out, digits, n, exponent);
}

static void add_number(const gm__rule *rule, double value, gm__buffer *out)
{
    char text[GM__DECIMAL_TEXT], digits[GM__RULE_DIGITS + 2];
    if (rule->kind == GM__RULE_SHORT)
        gm__buffer_add(out, text, (size_t)gm__write_real(text, value, 0));
    else if (rule->kind == GM__RULE_FIXED)
        gm__buffer_add(out, text, (size_t)gm__decimal_fixed(text, value, rule->digits));
    if (rule->kind <= GM__RULE_SHORT || rule->kind == GM__RULE_FIXED)
        return;
    if (signbit(value))
        add_char(out, '-');
    if (rule->kind == GM__RULE_REPR) {
        add_repr(out, value);
    } else if (rule->kind == GM__RULE_GENERAL) {
        add_general(out, value, rule->digits);
    } else {
        int exponent = exact_digits(digits, rule->digits + 1, value);
        add_exponent(out, digits, rule->digits + 1, exponent);
    }
}

static void add_quoted(const char *name, char quote, gm__buffer *out)
{
    add_char(out, quote);
    for (; *name; name++) {
        if (*name == quote)
            add_char(out, quote);
        add_char(out, *name);
    }
    add_char(out, quote);
}

static int needs_quotes(const char *name, const char marks[2])
{
    return !*name || strpbrk(name, "\r\n\"") || strchr(name, marks[0]) ||
           (marks[1] && strchr(name, marks[1]));
}

void gm__rule_write(const gm__rule *rule, double value, const char *name, const char marks[2],
                    gm__buffer *out)
{
    if (value != value) {
        gm__buffer_add(out, rule->missing.text, (size_t)rule->missing.length);
        return;
    }
    gm__buffer_add(out, rule->before.text, (size_t)rule->before.length);
    int quoted = name && (rule->kind == GM__RULE_QUOTED ||
                          (rule->kind == GM__RULE_NEEDED && needs_quotes(name, marks)));
    if (quoted)
        add_quoted(name, marks[1] ? marks[1] : '"', out);
    else if (name)
        gm__buffer_text(out, name);
    else if (rule->kind < GM__RULE_NAME && value - value == 0)
        add_number(rule, value, out);
    gm__buffer_add(out, rule->after.text, (size_t)rule->after.length);
}
