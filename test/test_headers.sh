#!/bin/sh
# Each public header compiles by itself as strict C99 and C++11, with every compiler at hand, and
# says nothing that depends on how the library was configured.
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1

# try NAME COMPILER FLAGS... SUFFIX is the last argument of the file made.
try() {
    suffix=$1 compiler=$2
    shift 2
    # The command may hold flags, as in CC="ccache gcc".
    # shellcheck disable=SC2086
    $compiler "$@" -Iinclude -c -o "$TMPDIR/header.o" "$TMPDIR/header.$suffix" 2>&1 ||
        wrong "$header does not compile alone with $compiler $*"
}

# A C++ compiler may have come after configure.
if [ "$CXX" = false ]; then
    CXX=g++
    have g++ || echo 'skip: C++: there is no compiler'
fi

strict='-pedantic -Wall -Wextra -Wshadow -Wundef -Werror'
for header in include/genmod/*.h; do
    name=${header#include/}
    printf '#include "%s"\n#include "%s"\nint main(void) { return 0; }\n' "$name" "$name" |
        tee "$TMPDIR/header.c" >"$TMPDIR/header.cc"
    for compiler in "$CC" clang; do
        # shellcheck disable=SC2086
        ! have "${compiler%% *}" || try c "$compiler" -std=c99 $strict -Wstrict-prototypes
    done
    for compiler in "$CXX" clang++; do
        # shellcheck disable=SC2086
        ! have "${compiler%% *}" || try cc "$compiler" -std=c++11 $strict
    done
    # The guard carries the file's name, so that no two can be the same.
    guard=$(echo "GENMOD_$(basename "$name" .h)_H" | tr 'a-z' 'A-Z')
    grep -q "^#ifndef $guard\$" "$header" || wrong "$header: the include guard is not $guard"
    found=$(grep -nE 'GM_HAVE_|GM_WITHOUT_|static inline|[^_a-z](long|va_list)[^_a-z]' "$header" | grep -v '^[0-9]*: \*' | grep -vE '/\*.*(long|va_list)' || :)
    [ -z "$found" ] || wrong "$header: depends on the configuration, or has what the interface avoids: $found"
done
for header in include/genmod/*.hpp; do
    [ -f "$header" ] && have "${CXX%% *}" || continue
    printf '#include "%s"\nint main() { return 0; }\n' "${header#include/}" >"$TMPDIR/header.cc"
    try cc "$CXX" -std=c++17 -pedantic -Wall -Wextra -Wshadow -Werror
done
finish
