#!/bin/sh
# Every example runs and ends well: the C and C++ programs that make built, and those in Python, Rust
# and Go where the language is at hand. They run in the source directory, so that
# examples/data/ is where they look, and write to standard output or under TMPDIR.
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1
checks=0
failures=0

# try NAME COMMAND...: one example.
try() {
    name=$1
    shift
    checks=$((checks + 1))
    mkdir -p "$TMPDIR/run"
    if ! TMPDIR="$TMPDIR/run" "$@" >"$TMPDIR/out" 2>&1; then
        failures=$((failures + 1))
        echo "$name fails:"
        tail -n 20 "$TMPDIR/out" | sed 's/^/    /'
    elif [ ! -s "$TMPDIR/out" ]; then
        failures=$((failures + 1))
        echo "$name has nothing to say"
    fi
}

# Nothing to run, or an instrumented library that a foreign program cannot load.
usable() { # LANGUAGE TOOL FILE
    [ -e "$3" ] || return 1
    if [ "$SHARED" != yes ] || [ -n "$SANITIZERS$COVERAGE" ]; then
        echo "skip: $1: needs the plain shared library"
        return 1
    fi
    have "$2" || {
        echo "skip: $1: $2 is not there"
        return 1
    }
}

# What an example wants on its command line; most want nothing.
arguments() {
    case $1 in
    readme | own_family) echo "examples/data/digits.csv $TMPDIR/run/drawn.csv" ;;
    own_loss) echo examples/data/digits.csv ;;
    esac
}

for source in examples/*.c examples/*.cpp; do
    [ -f "$source" ] || continue
    name=$(basename "${source%.*}")
    program=$BUILD/examples/$name
    if [ -x "$program" ]; then
        # shellcheck disable=SC2046
        try "$source" "$program" $(arguments "$name")
    else
        echo "skip: $source: there is no C++ compiler"
    fi
done

LD_LIBRARY_PATH=$BUILD${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
GENMOD_LIBRARY=$BUILD/libgenmod.so.0
PYTHONDONTWRITEBYTECODE=1
CGO_CFLAGS="-I$SRCDIR/include"
CGO_LDFLAGS="-L$BUILD"
export LD_LIBRARY_PATH GENMOD_LIBRARY PYTHONDONTWRITEBYTECODE CGO_CFLAGS CGO_LDFLAGS

set -- examples/python/*.py
if usable Python python3 "$1"; then
    python=
    for candidate in "${PYTHON:-python3}" /usr/bin/python3; do
        if [ -z "$python" ] && "$candidate" -c 'import numpy' 2>/dev/null; then
            python=$candidate
        fi
    done
    [ -n "$python" ] || echo 'skip: Python: numpy is not there'
    for script; do
        # A module that others import has nothing to run.
        [ -z "$python" ] || ! grep -q '__main__' "$script" || try "$script" "$python" "$script"
    done
fi
set -- examples/rust/*.rs
if usable Rust rustc "$1"; then
    for source; do
        # A file without main is a module of the others.
        grep -q '^fn main' "$source" || continue
        program=$TMPDIR/$(basename "$source" .rs)-rust
        try "$source (compiling)" sh -c '"$@" && echo compiled' - rustc --edition 2021 -O -L "$BUILD" -o "$program" "$source"
        [ ! -x "$program" ] || try "$source" "$program"
    done
fi
set -- examples/go/*.go
if usable Go go "$1"; then
    GOCACHE=$TMPDIR/go-cache
    GO111MODULE=off
    export GOCACHE GO111MODULE
    for source; do
        grep -q '^package main' "$source" || continue
        program=$TMPDIR/$(basename "$source" .go)-go
        try "$source (compiling)" sh -c '"$@" && echo compiled' - go build -o "$program" "$source"
        [ ! -x "$program" ] || try "$source" "$program"
    done
fi

echo "$((checks ? 100 * (checks - failures) / checks : 100))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
