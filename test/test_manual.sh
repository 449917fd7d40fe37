#!/bin/sh
# The reference manual is complete and says nothing that is not so: its pages are what make-manual
# makes of today's headers and options, and, judged apart from that program by lib/genmod.map,
# doc/abi.txt and the library's own tables, hold each function, type, constant and option, and no
# other. With mandoc also: the pages are well formed, and every link of their HTML leads somewhere.
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1
options=$TMPDIR/options
pages=doc/man

${EMULATOR:-} "$BUILD/list-options" >"$options" || wrong 'list-options fails'

# ---- Made from today's sources --------------------------------------------------------------------

mkdir "$TMPDIR/man"
if have python3; then
    if python3 test/tools/make-manual . "$options" "$TMPDIR/man" >"$TMPDIR/said" 2>&1; then
        found=$(diff -r -x manual.css "$pages" "$TMPDIR/man")
        [ -z "$found" ] || wrong "$(echo "$found" | head -n 40)
the pages are not those of the headers and options: make manual, and look at what changed"
    else
        wrong "$(cat "$TMPDIR/said")"
    fi
else
    echo 'skip: whether the pages are up to date: there is no python3'
fi

# ---- What there is ----------------------------------------------------------------------------------

sed -n 's/^ *\(gm_[a-z0-9_]*\);$/\1/p' lib/genmod.map | sort >"$TMPDIR/functions"
sed -n -e 's/^typedef.*(\*\(gm_[a-z0-9_]*\))(.*/\1/p' -e 's/^typedef.*[ }]\(gm_[a-z0-9_]*\);$/\1/p' doc/abi.txt |
    sort >"$TMPDIR/types"
{
    sed -n 's/^enum { \(.*\) };$/\1/p' doc/abi.txt | tr ',' '\n' | sed 's/^ *\(GM_[A-Z0-9_]*\) .*/\1/'
    sed -n 's/^ *# *define \(GM_[A-Z0-9_]*\) .*/\1/p' doc/abi.txt include/genmod/*.h | grep -v '^GM_API$'
} | sort -u >"$TMPDIR/constants"

# Sets what the pages describe beside it; what is in one list only is wrong.
compare() { # WHAT EXPECTED FOUND
    [ -s "$2" ] || wrong "there are no $1"
    found=$(comm -23 "$2" "$3" | tr '\n' ' ')
    [ -z "$found" ] || wrong "$1 that the manual lacks: $found"
    found=$(comm -13 "$2" "$3" | tr '\n' ' ')
    [ -z "$found" ] || wrong "$1 in the manual that there are not: $found"
}

# in PATTERN FILES...: what the pattern's group finds, sorted, twice where it comes twice.
in_pages() {
    pattern=$1
    shift
    sed -n "s/$pattern/\\1/p" "$@" | sort
}

in_pages '^\.Fo \(gm_[a-z0-9_]*\)$' "$pages"/*.3 >"$TMPDIR/found"
compare functions "$TMPDIR/functions" "$TMPDIR/found"
in_pages '^\.It Fn \(gm_[a-z0-9_]*\) .*$' "$pages"/*.3 >"$TMPDIR/found"
compare 'functions with a description' "$TMPDIR/functions" "$TMPDIR/found"
in_pages '^\.It Vt \(gm_[a-z0-9_]*\)$' "$pages"/*.3 >"$TMPDIR/found"
compare types "$TMPDIR/types" "$TMPDIR/found"
in_pages '^\.It Dv \(GM_[A-Z0-9_]*\)\( Pq .*\)*$' "$pages"/genmod-*.3 |
    grep -v '^GM_E_' >"$TMPDIR/found"
# Of the status codes, which each page's ERRORS names again, the page that says what they are.
in_pages '^\.It Dv \(GM_E_[A-Z]*\) Pq .*$' "$pages"/genmod-base-status-codes.3 >>"$TMPDIR/found"
sort -o "$TMPDIR/found" "$TMPDIR/found"
compare 'constants and macros' "$TMPDIR/constants" "$TMPDIR/found"

# The index: everything again, with a page that there is.
in_pages '^\.It Xr \(gm_[a-z0-9_]*\) 3 Ta .*$' "$pages/genmod.3" >"$TMPDIR/found"
sort "$TMPDIR/functions" "$TMPDIR/types" >"$TMPDIR/names"
compare 'functions and types of the index' "$TMPDIR/names" "$TMPDIR/found"
in_pages '^\.It Dv \(GM_[A-Z0-9_]*\) Ta .*$' "$pages/genmod.3" >"$TMPDIR/found"
compare 'constants of the index' "$TMPDIR/constants" "$TMPDIR/found"
cut -d ' ' -f 1 "$pages/links" | sort >"$TMPDIR/found"
sort "$TMPDIR/names" "$TMPDIR/constants" >"$TMPDIR/known"
compare 'names in doc/man/links' "$TMPDIR/known" "$TMPDIR/found"

# ---- Options ------------------------------------------------------------------------------------------

# Lines "page option": of an owner with others on its page, the heading over it counts.
calls='sample log_prob encode decode reconstruct conditional impute range_prob'
optimizers=$(sed -n 's/^optimizer	//p' "$options" | tr '\n' ' ')
awk -F '\t' -v calls="$calls" -v optimizers="$optimizers" '
    BEGIN {
        n = split(calls, c, " "); for (i = 1; i <= n; i++) page[c[i]] = "calls/" c[i]
        n = split(optimizers, c, " "); for (i = 1; i <= n; i++) page[c[i]] = "optimizers/" c[i]
    }
    $1 == "option" { sub(/\./, "/", $2); print ($2 in page ? page[$2] : $2), $3 }' "$options" | sort >"$TMPDIR/expected"
for page in "$pages"/*.7; do
    awk -v page="$(basename "$page" .7 | sed 's/^genmod-//')" '
        /^\.Ss / { under = "/" $2 }
        /^\.It Cm / { print page under, $3 }' "$page"
done | sort >"$TMPDIR/found"
compare options "$TMPDIR/expected" "$TMPDIR/found"
sed 's,/[a-z_]* , ,' "$TMPDIR/expected" | sort -u >"$TMPDIR/short"
sed -n 's/^\.It Cm \([a-z0-9_]*\) Ta Xr genmod-\([a-z]*\) 7$/\2 \1/p' "$pages/genmod.3" | sort >"$TMPDIR/found"
compare 'options of the index' "$TMPDIR/short" "$TMPDIR/found"

# ---- The tool --------------------------------------------------------------------------------------------

# Options of a command as its --help has them and as the synopsis has them; each is described.
tool="${EMULATOR:-} $BUILD/genmod"
$tool --help | sed -n 's/^  \([a-z]*\)   *[a-z].*/\1/p' >"$TMPDIR/commands"
[ "$(wc -l <"$TMPDIR/commands")" -ge 8 ] || wrong 'genmod --help lists hardly any commands'
while read -r command; do
    $tool "$command" --help | sed -n 's/^  \(-.,\|   \) --\([a-z-]*\).*/\2/p' | grep -vx help | sort >"$TMPDIR/expected"
    awk -v command="$command" '
        /^\.(Nm|Sh)/ { inside = $1 == ".Nm" && $2 == "genmod" && $3 == command }
        inside && match($0, /Fl [^ ]+/) {
            flag = substr($0, RSTART + 3, RLENGTH - 3)
            print flag == "o" ? "output" : flag == "n" ? "count" : substr(flag, 2)
        }' doc/genmod.1 | sort >"$TMPDIR/found"
    [ "$command" = families ] || compare "options of genmod $command" "$TMPDIR/expected" "$TMPDIR/found"
    while read -r option; do
        grep -qE -- "^\.It Fl (. , )?-$option( |\$)" doc/genmod.1 || wrong "genmod.1 does not describe --$option"
    done <"$TMPDIR/expected"
done <"$TMPDIR/commands"
for page in "$pages"/*.7; do
    grep -q "^\.Xr $(basename "$page" .7) 7" doc/genmod.1 || wrong "genmod.1 does not lead to $page"
done

# ---- References ---------------------------------------------------------------------------------------

echo NULL >>"$TMPDIR/known"
sed 's/.* //' "$pages/links" | sort -u | sed 's/$/.3/' >"$TMPDIR/leads"
sed -n 's/.*\.*Xr (* *\([^ ]*\) \([1-9]\).*/\1.\2/p' "$pages"/*.[37] doc/genmod.1 | sort -u >>"$TMPDIR/leads"
while read -r page; do
    [ -f "$pages/$page" ] || [ -f "doc/$page" ] || grep -qx "${page%.3}" "$TMPDIR/names" ||
        wrong "the manual leads to $page, which is not there"
done <"$TMPDIR/leads"
found=$(grep -hoE '\.(It |No [^ ]* Ns )?(Fn|Vt|Dv) \(? ?[A-Za-z_0-9]+' "$pages"/*.[37] | sed 's/.*[ (]//' | sort -u |
    grep -vxFf "$TMPDIR/known" | tr '\n' ' ')
[ -z "$found" ] || wrong "names in the manual that there are not: $found"

# ---- Form -----------------------------------------------------------------------------------------------

if have mandoc; then
    found=$(mandoc -T lint -W warning doc/*.1 "$pages"/*.[37])
    [ -z "$found" ] || wrong "$found"
    mkdir "$TMPDIR/html"
    for page in doc/*.1 "$pages"/*.[37]; do
        test/tools/make-html "$pages/links" "$page" >"$TMPDIR/html/$(basename "$page").html"
    done
    cd "$TMPDIR/html" || exit 1
    grep -o 'id="[^"]*"' -- *.html | sed 's/:id="\(.*\)"/#\1/' | sort -u >"$TMPDIR/places"
    printf '%s\n' *.html manual.css | sort >>"$TMPDIR/places"
    grep -o 'href="[^"]*"' -- *.html |
        sed -e 's/href="\(.*\)"/\1/' -e 's/^\([^:]*\):#/\1:\1#/' -e 's/^[^:]*://' | sort -u >"$TMPDIR/hrefs"
    found=$(grep -vxFf "$TMPDIR/places" "$TMPDIR/hrefs" | head -n 10)
    [ -z "$found" ] || wrong "links that lead nowhere: $found"
    [ "$(wc -l <"$TMPDIR/hrefs")" -gt 500 ] || wrong 'the HTML has hardly any links'
else
    echo 'skip: the form of the pages: there is no mandoc'
fi
finish
