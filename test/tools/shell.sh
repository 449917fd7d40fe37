# What the test scripts share; sourced by them. Each runs alone too: sh test/test_layers.sh
# shellcheck shell=sh disable=SC2034
set -u
export LC_ALL=C
SRCDIR=${SRCDIR:-$(pwd)}
BUILD=${BUILD:-$SRCDIR/build}
if [ -z "${TEST_RUNNER-}" ]; then
    TMPDIR=$(mktemp -d)
    trap 'rm -rf "$TMPDIR"' EXIT
fi
: "${CC:=cc}" "${CXX:=c++}" "${NM:=nm}" "${MAKE:=make}" "${CROSS:=}" "${SANITIZERS:=}" "${COVERAGE:=}"
: "${SHARED:=yes}" "${PROGRAM_LIBS:=-lm -lz}" "${OUR_CFLAGS:=}" "${TIER:=}"
bad=0

# Reports what is wrong and goes on.
wrong() {
    printf '%s\n' "$*"
    bad=1
}

# Ends the script as skipped.
skip() {
    printf '%s\n' "$*"
    exit 77
}

have() { command -v "$1" >/dev/null 2>&1; }

# Ends the script with what was found.
finish() { exit $bad; }
