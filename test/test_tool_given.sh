#!/bin/sh
# The tool's commands on columns given others: impute, range, check.
. "$(dirname "$0")/tools/shell.sh"
genmod=$BUILD/genmod
[ -x "$genmod" ] || skip "skip: there is no $genmod (make)"
cd "$TMPDIR" || exit 1

# expect STATUS PATTERN COMMAND...: the status, and a pattern in standard error ('' is silence).
expect() {
    wanted=$1 pattern=$2
    shift 2
    "$@" >out 2>err </dev/null
    status=$?
    [ $status -eq "$wanted" ] || wrong "status $status, not $wanted: $* ($(head -c 300 err))"
    if [ -z "$pattern" ]; then
        [ ! -s err ] || wrong "a message from: $* ($(head -c 300 err))"
    else
        grep -q -- "$pattern" err || wrong "no '$pattern' from: $* ($(head -c 300 err))"
    fi
}
holds() { grep -q -- "$1" "${2:-out}" || wrong "no '$1' in ${2:-out}: $(head -c 200 "${2:-out}")"; }

# Twice the first column is nearly the second; the kind is its side.
awk 'BEGIN {
    srand(5); print "a,b,kind"
    for (i = 0; i < 600; i++) {
        a = 0; for (k = 0; k < 12; k++) a += rand(); a -= 6
        printf "%.4f,%.4f,%s\n", a, 2 * a + 0.2 * (rand() - 0.5), (a > 0 ? "hot" : "cold")
    }
}' >rows.csv
printf 'a,b,kind\n1,,\n,-2,cold\n0.5,1,hot\n,,\n' >gaps.csv
expect 0 '' "$genmod" fit mixture rows.csv -o m.model --seed 1 --set components=2

# ---- impute --------------------------------------------------------------------------------------

expect 0 '' "$genmod" impute m.model gaps.csv --how mean -o whole.csv
awk -F, 'NR == 2 && !($1 == 1 && $2 > 1.8 && $2 < 2.2 && $3 == "hot") { print "row 1: " $0 }
    NR == 3 && !($1 > -1.1 && $1 < -0.9 && $2 == -2 && $3 == "cold") { print "row 2: " $0 }
    NR == 4 && $0 != "0.5,1,hot" { print "row 3: " $0 }
    END { if (NR != 5) print NR " lines" }' whole.csv >bad
[ ! -s bad ] || wrong "impute: $(cat bad)"
expect 0 '' "$genmod" impute m.model gaps.csv --seed 3 -o one.csv
expect 0 '' "$genmod" impute m.model gaps.csv --seed 3 --threads 2 -o two.csv
cmp -s one.csv two.csv || wrong "impute: other rows from two threads"
expect 0 '' "$genmod" impute m.model gaps.csv --seed 4 -o two.csv
if cmp -s one.csv two.csv; then wrong "impute: the same draws from another seed"; fi
expect 0 '' "$genmod" impute m.model gaps.csv
holds '^0.5,1,hot$'
expect 2 'median' "$genmod" impute m.model gaps.csv --how best
printf 'a,b\n1,\n' >short.csv
expect 1 "'kind'" "$genmod" impute m.model short.csv

# ---- range ---------------------------------------------------------------------------------------

expect 0 '' "$genmod" range m.model --where kind=hot --seed 1
holds '^0.[45]'
expect 0 '' "$genmod" range m.model --where a=..0 --where b=1.. --seed 1
awk '!($1 < 0.03) { exit 1 }' out || wrong "range: $(cat out)"
expect 0 '' "$genmod" range m.model -w a=-9..9 -w 2=-19..19
awk '!($1 > 0.999 && $1 <= 1.0000001) { exit 1 }' out || wrong "range: $(cat out)"
expect 2 'NAME=RANGE' "$genmod" range m.model --where a
expect 2 'has a range already' "$genmod" range m.model --where a=0.. --where b=1 --where 1=..1 --seed 1
expect 2 'no such column' "$genmod" range m.model --where z=1..2
expect 2 'the lower first' "$genmod" range m.model --where a=2..1
expect 2 'categories' "$genmod" range m.model --where kind=mild
expect 2 'where' "$genmod" range m.model

# ---- check ---------------------------------------------------------------------------------------

expect 0 '' "$genmod" check m.model rows.csv --by-column -o u.csv
holds 'integral of the density'
holds 'mean log p of its draws'
holds 'worst of 3 columns'
holds 'region of the most probable'
[ "$(wc -l <u.csv)" -eq 601 ] || wrong "check: $(wc -l <u.csv) lines of u"
awk -F, 'NR > 1 { for (i = 1; i <= 3; i++) if ($i < 0 || $i > 1) exit 1 }' u.csv || wrong "check: u"
expect 0 '' "$genmod" check m.model
if grep -q 'against' out; then wrong "check: rows out of nowhere"; fi
expect 0 '' "$genmod" fit flow rows.csv --columns a,b -o f.model --seed 1 --steps 30 --set layers=2
expect 0 '' "$genmod" check f.model --set draws=500
holds 'decode(encode(x))'
expect 2 'draws' "$genmod" check f.model --set draws=0
finish
