#!/bin/sh
# Every example in C runs and ends well. They run in the source directory, so that examples/data/ is
# where they look, and write to standard output or under TMPDIR. Other languages: test_languages.sh.
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

# What an example wants on its command line; most want nothing.
arguments() {
    case $1 in
    readme | own_family) echo "examples/data/digits.csv $TMPDIR/run/drawn.csv" ;;
    own_loss) echo examples/data/digits.csv ;;
    esac
}

for source in examples/*.c; do
    name=$(basename "$source" .c)
    # shellcheck disable=SC2046
    try "$source" "$BUILD/examples/$name" $(arguments "$name")
done

echo "$((checks ? 100 * (checks - failures) / checks : 100))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
