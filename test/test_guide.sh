#!/bin/sh
# The guide: its links lead somewhere, its lines of C stand in an example, and its commands run, in
# the order in which a chapter gives them. That its figures and what it quotes are what the examples
# make is in test_examples.sh.
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1

# The text of the fenced blocks of a kind: blocks KIND FILE
blocks() { awk -v kind="$1" '$0 == "```" kind { inside = 1; next } /^```/ { inside = 0 } inside' "$2"; }

cat examples/*.c | tr -s ' \n' ' ' >"$TMPDIR/code"
for page in doc/guide/*.md; do
    grep -o '](\([^)]*\))' "$page" | sed 's/^](//; s/)$//' >"$TMPDIR/links"
    while read -r link; do
        case $link in
        http*) continue ;;
        esac
        [ -f "doc/guide/${link%%#*}" ] || wrong "$page: $link is not there"
    done <"$TMPDIR/links"
    grep -o 'examples/[a-z_]*\.c' "$page" | sort -u >"$TMPDIR/links"
    while read -r program; do
        [ -f "$program" ] || wrong "$page: there is no $program"
    done <"$TMPDIR/links"
    blocks c "$page" >"$TMPDIR/lines"
    while read -r line; do
        grep -qF -e "$line" "$TMPDIR/code" || wrong "$page: no example has: $line"
    done <"$TMPDIR/lines"
    long=$(awk 'length($0) > 140' "$page" | head -n 1)
    [ -z "$long" ] || wrong "$page: a long line: $long"
done
for figure in doc/guide/*.svg; do
    grep -qF "]($(basename "$figure"))" doc/guide/*.md || wrong "$figure is shown nowhere"
    [ -f "examples/$(basename "$figure" .svg).c" ] || wrong "no example draws $figure"
done

if [ "$TIER" = quick ] || [ ! -x "$BUILD/genmod" ]; then
    echo 'left to the full tier: the commands'
    finish
fi
PATH=$BUILD:$PATH
for page in doc/guide/*.md; do
    folder=$TMPDIR/$(basename "$page" .md)
    mkdir -p "$folder"
    ln -s "$SRCDIR/examples" "$folder/examples"
    blocks sh "$page" >"$folder/commands"
    (cd "$folder" && sh -e ./commands) >"$folder/said" 2>&1 ||
        wrong "$page: a command fails:
$(tail -n 5 "$folder/said")"
done
finish
