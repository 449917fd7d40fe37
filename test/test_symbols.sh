#!/bin/sh
# What the library imports, exports and keeps: nothing that ends the process, prints, reads the
# environment or the locale, no libm function that IEEE does not define, no writable data, the
# symbols of the version script and no others, and less than a megabyte.
. "$(dirname "$0")/tools/shell.sh"
[ -z "$SANITIZERS$COVERAGE" ] || skip 'instrumented code imports and keeps more'
readelf=${CROSS}readelf
have "$readelf" || skip "needs readelf: sudo apt-get install binutils"
archive=$BUILD/libgenmod.a
object=$BUILD/libgenmod.so.0
"$readelf" -h "$archive" 2>/dev/null | grep -q 'Class: *ELF' || skip 'no ELF system'

# ---- Imports -------------------------------------------------------------------------------------

"$NM" "$archive" | awk 'NF >= 2 && $(NF - 1) != "U" { print $NF }' | sort -u >"$TMPDIR/defined"
"$NM" "$archive" | awk '$1 == "U" { print $2 }' | sort -u >"$TMPDIR/wanted"
comm -13 "$TMPDIR/defined" "$TMPDIR/wanted" >"$TMPDIR/imports"
echo "imports: $(tr '\n' ' ' <"$TMPDIR/imports")"

# Families, each a pattern for the whole name; __NAME_chk and __isoc99_NAME count as NAME.
ends='abort|_?exit|_Exit|quick_exit|at_quick_exit|atexit|__assert.*|assert|raise|kill|longjmp|siglongjmp|err|errx|error'
prints='[vfsdon]*a?s?n?w?printf(_s)?|f?put[cs]|put[cs](har)?|putchar|putw?c|fwrite|perror|psignal|warnx?|syslog|stdin|stdout|stderr'
reads='v?f?s?w?scanf|gets|getchar'
locales='(str|wcs)to(d|f|ld|l|ll|ul|ull|imax|umax)(_l)?|ato[filq]|atoll|setlocale|newlocale|uselocale|localeconv|nl_langinfo'
locales="$locales|__ctype_.*|is(alpha|alnum|digit|space|upper|lower|punct|print|graph|cntrl|xdigit)|to(upper|lower)|str(n)?casecmp|strcoll|strxfrm|strerror(_l)?|strftime|mbs?r?towcs?|mbrlen|wcrtomb|wctomb"
environment='(secure_)?(get|put|set|unset)env|environ|clearenv|localtime(_r)?|mktime|tzset'
process='signal|sigaction|bsd_signal|system|popen|vfork|umask|chdir|set_?rlimit|s?rand|s?random|[desljmn]*rand48|tmpnam|mktemp|strtok|fesetround|fesetenv|feenableexcept'
libm='(exp|exp2|exp10|expm1|log|log2|log10|log1p|logb|pow|cbrt|hypot|sin|cos|tan|sincos|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|erf|erfc|lgamma|lgamma_r|gamma|tgamma|j[01n]|y[01n]|cexp|clog|cpow|csqrt|cabs|drem|significand|scalb)[fl]?(_finite)?'
for family in "ends the process:$ends" "prints:$prints" "reads:$reads" "depends on the locale:$locales" \
    "depends on the environment:$environment" "touches the process:$process" "libm:$libm"; do
    found=$(sed -e 's/@.*//' -e 's/^__isoc[0-9]*_//' -e 's/^__\(.*\)_chk$/\1/' -e 's/^__\(.*\)_finite$/\1/' "$TMPDIR/imports" |
        grep -v '^__stack_chk_fail' | grep -Ex "${family#*:}" | tr '\n' ' ')
    if [ -n "$found" ]; then
        wrong "the library imports what ${family%%:*}: $found"
        for symbol in $found; do
            "$NM" -A "$archive" 2>/dev/null | grep " U .*$symbol" | sed 's/^/    /' | head -n 5
        done
    fi
done

# ---- Names and exports ---------------------------------------------------------------------------

map=$SRCDIR/lib/genmod.map
"$SRCDIR/test/tools/make-map" "$SRCDIR/include" >"$TMPDIR/map"
cmp -s "$TMPDIR/map" "$map" ||
    wrong "lib/genmod.map does not match the headers (make map): $(diff "$map" "$TMPDIR/map" | grep '^[<>]' | tr '\n' ' ')"
"$SRCDIR/test/tools/exports" "$SRCDIR"/include/genmod/*.h >"$TMPDIR/declared"

"$NM" -g "$archive" | awk 'NF >= 3 && $(NF - 1) ~ /^[A-TV-Z]$/ { print $NF }' | sort -u >"$TMPDIR/external"
found=$(grep -v '^gm_' "$TMPDIR/external" | tr '\n' ' ')
[ -z "$found" ] || wrong "external names without gm_ or gm__: $found"
grep '^gm_[^_]' "$TMPDIR/external" >"$TMPDIR/public"
found=$(comm -13 "$TMPDIR/public" "$TMPDIR/declared" | tr '\n' ' ')
[ -z "$found" ] || wrong "declared in a header, not in the library: $found"
found=$(comm -23 "$TMPDIR/public" "$TMPDIR/declared" | tr '\n' ' ')
[ -z "$found" ] || wrong "in the library as gm_, in no header (internal names begin with gm__): $found"

if [ "$SHARED" = yes ] && [ ! -f "$object" ]; then
    wrong "$object is not there"
    finish
fi
if [ "$SHARED" = yes ]; then
    "$NM" -D --defined-only "$object" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$TMPDIR/exported"
    found=$(comm -3 "$TMPDIR/exported" "$TMPDIR/declared" | tr -d '\t' | tr '\n' ' ')
    [ -z "$found" ] || wrong "exported by the shared library and declared in the headers differ in: $found"
    "$readelf" -dW "$object" | grep -q 'SONAME.*\[libgenmod[.]so[.]0\]' || wrong 'the soname is not libgenmod.so.0'
    "$readelf" -dW "$object" | grep -q TEXTREL && wrong 'the shared library has text relocations'
    "$readelf" -lW "$object" | grep 'GNU_STACK' | grep -q E && wrong 'the shared library asks for an executable stack'
fi

# ---- Writable data and size ----------------------------------------------------------------------

"$readelf" -SW "$archive" | awk '
    /^File:/ { file = $2 }
    { sub(/^ *\[ *[0-9]+\]/, "") }
    $1 ~ /^\.(data|bss|tdata|tbss|sdata|sbss)/ && $1 !~ /^\.data\.rel\.ro/ && $5 !~ /^0+$/ { print file, $1, $5 }' >"$TMPDIR/writable"
[ ! -s "$TMPDIR/writable" ] || wrong "writable data (section, size): $(cat "$TMPDIR/writable")"
found=$("$NM" "$archive" | awk 'NF >= 2 && $(NF - 1) == "C" { print $NF }')
[ -z "$found" ] || wrong "common symbols: $found"

if [ "$SHARED" = yes ] && have "${CROSS}strip"; then
    "${CROSS}strip" -o "$TMPDIR/stripped" "$object"
    size=$(wc -c <"$TMPDIR/stripped")
    echo "stripped: $size bytes"
    [ "$size" -lt 1600000 ] || wrong "the stripped shared library has $size bytes, under 1600000 was promised"
fi
finish
