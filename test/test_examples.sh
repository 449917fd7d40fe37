#!/bin/sh
# Every example in C runs, ends well, and says what it should: figures that theory, enumeration or
# another program knows. Pictures are well-formed, and those that the guide shows are made again to
# the byte. They run in the source directory, so that examples/data/ is where they look, and write
# to standard output or under TMPDIR. Other languages: test_languages.sh.
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1
checks=0
failures=0
out=$TMPDIR/out # what the example at hand said
run=$TMPDIR/run # where it wrote

fail() {
    failures=$((failures + 1))
    echo "$1"
    tail -n 20 "$out" | sed 's/^/    /'
}

# The K-th number in the first line that has the text: number TEXT K
number() {
    awk -v text="$1" -v k="$2" 'index($0, text) {
        while (match($0, /-?[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?/)) {
            if (--k == 0) { print substr($0, RSTART, RLENGTH); exit }
            $0 = substr($0, RSTART + RLENGTH)
        }
        exit
    }' "$out"
}

# between WHAT LOW VALUE HIGH
between() {
    checks=$((checks + 1))
    awk -v low="$2" -v x="$3" -v high="$4" 'BEGIN { exit !(x != "" && low + 0 <= x + 0 && x + 0 <= high + 0) }' ||
        fail "$name: $1 is '$3', not between $2 and $4"
}

# says TEXT: a line that has it.
says() {
    checks=$((checks + 1))
    grep -qF -e "$1" "$out" || fail "$name does not say: $1"
}

# holds WHAT COMMAND...
holds() {
    what=$1
    shift
    checks=$((checks + 1))
    "$@" >>"$out" 2>&1 || fail "$name: $what"
}

# What an example wants on its command line; most draw a picture.
arguments() {
    case $1 in
    readme | own_family) echo "examples/data/digits.csv $run/drawn.csv" ;;
    own_loss) echo examples/data/digits.csv ;;
    posterior_models) echo eight_schools ;;
    posterior_estimation) echo "$run/draws.csv" ;;
    fit | best_model | odd_rows | impute | compress_table | autoregressive_mixed | flow_kinds | kde_bounds | density_prior | own_allocator | cancel | threads | executor | \
        introspect | dlpack) ;;
    datasets | checkpoint_resume | errors) echo "$run" ;;
    mixed_columns) echo "$run/trees.csv" ;;
    copula_table) echo "$run/table.csv" ;;
    save_load) echo "$run/moons.model $run/moons.csv" ;;
    *) echo "$run/$1.svg" ;;
    esac
}

# What an example must say. Bounds are wide where a fit stands behind them: other seeds hold too.
expectations() {
    case $1 in
    density_contour)
        between 'the mass' 0.99 "$(number 'adds up' 1)" 1.01
        truth=$(number 'unseen rows' 3)
        between 'the mean of the true log density' -1.05 "$truth" -0.9
        between 'the mean log p by one normal' -2.4 "$(number 'unseen rows' 2)" -1.7
        between 'the mean log p' "$(awk "BEGIN { print $truth - 0.15 }")" "$(number 'unseen rows' 1)" "$truth"
        ;;
    mixture_components)
        says '3 components were found'
        between 'rows put right' 0.98 "$(number 'put to their heap' 1)" 1
        between 'rows put surely' 0.9 "$(number 'put to their heap' 3)" 1
        ;;
    copula_table)
        for line in 'income   quantile 0.95' 'age      quantile 0.05'; do
            truth=$(number "$line" 2)
            between "$line" "$(awk "BEGIN { print $truth * 0.9 }")" "$(number "$line" 3)" \
                "$(awk "BEGIN { print $truth * 1.1 }")"
        done
        between 'the share of region 0' 0.3 "$(number 'region 0, share' 3)" 0.4
        between 'ranks of income and age' 0.48 "$(number 'income  age' 2)" 0.65
        between 'ranks of region and income' 0.34 "$(number 'region  income' 2)" 0.5
        holds 'the table drawn has 3001 lines' test "$(wc -l <"$run/table.csv")" -eq 3001
        ;;
    conditional)
        truth=$(number 'unseen rows' 2)
        between 'the true mean log p(y | x)' -0.85 "$truth" -0.7
        between 'the mean log p(y | x)' "$(awk "BEGIN { print $truth - 0.1 }")" "$(number 'unseen rows' 1)" "$truth"
        for at in -2.0 ' 0.0' ' 2.0'; do
            between "the share above at $at" 0.6 "$(number "x = $at" 2)" 0.8
            truth=$(number "x = $at" 5)
            between "the mean above at $at" "$(awk "BEGIN { print $truth - 0.25 }")" "$(number "x = $at" 4)" \
                "$(awk "BEGIN { print $truth + 0.25 }")"
        done
        ;;
    compress_table)
        between 'bytes of archive' 3000 "$(number 'of archive' 3)" 8000
        ;;
    best_model)
        between 'the best over one normal' 0.4 "$(number 'over one normal' 1)" 1.1
        between 'the region of 80 %' 65 "$(number 'region of 80' 2)" 93
        ;;
    odd_rows)
        between 'false alarms' 0 "$(number 'usual rows' 1)" 0.08
        between 'the p-value of an odd row' 0 "$(number 'odd row' 4)" 0.05
        between 'the blame of the third column' 20 "$(number '8.72' 7)" 100
        ;;
    anomaly_scores)
        between 'what distance tells' 0.4 "$(number 'distance' 2)" 0.6
        between 'what log p tells' 0.78 "$(number 'log p' 1)" "$(number 'log p' 2)"
        ;;
    score_field)
        for mode in 2 3 4; do
            between "how many climbs end at mode $((mode - 1))" 4 "$(number climbs $mode)" 8
        done
        ;;
    temperature)
        # At 1 minus the entropy of the moons, -0.965 by the true density.
        between 'the mean at temperature 1' -1.15 "$(number 'temperature 1.0' 2)" -0.85
        between 'the mean at temperature 1.5' -4 "$(number 'temperature 1.5' 2)" -1.3
        ;;
    flow_codes)
        between 'the mean square of the codes' 0.9 "$(number codes 1)" 1.1
        between 'the way back' 0 "$(number codes 3)" 1e-9
        between 'the change of variables' 0 "$(number 'by hand' 1)" 1e-6
        ;;
    curse_of_dimensionality)
        for family in 3 4 5 6; do
            between "what family $family lacks of 1 column" 0 "$(number '      1     1.419' $family)" 0.06
            between "what family $family lacks of 10 columns" 0.2 "$(number '     10     7.951' $family)" 3
        done
        between 'what a kernel estimate lacks of 50 columns' 14 "$(number '     50    36.983' 3)" 22
        between 'what a flow lacks of 50 columns' 3 "$(number '     50    36.983' 5)" 11
        ;;
    flow_kinds)
        # The moons' entropy is 0.965 nats; what a map of each kind gets of it in 500 steps.
        for kind in NICE RealNVP 'coupling splines' MAF 'autoregressive splines' IAF 'differential equation'; do
            between "the mean log p of $kind" -1.5 "$(number "$kind" 1)" -0.9
        done
        ;;
    torus)
        flat=$(number 'real columns' 2)
        between 'the mean log p of circular columns' "$(awk "BEGIN { print $flat + 0.005 }")" "$(number 'circular columns' 1)" -9.3
        between 'what a turn does' 0 "$(number 'a turn' 1)" 1e-9
        ;;
    training_loop)
        between 'the step it stopped at' 100 "$(number stopped 1)" 2000
        between 'the loss of rows held back' 0.96 "$(number stopped 4)" 1.2
        ;;
    checkpoint_resume)
        holds 'the resumed fit draws other rows' cmp "$run/unbroken.csv" "$run/resumed.csv"
        ;;
    save_load)
        for way in file 'writer and reader' memory; do
            says "$(printf '%-24s same bits' "$way")"
        done
        says "$(printf '%-24s a file.s checksum' 'memory, one bit turned' | tr . "'")"
        if [ -x "$BUILD/genmod" ] && [ -z "$SANITIZERS$COVERAGE" ]; then
            holds 'the tool cannot draw' "$BUILD/genmod" sample "$run/moons.model" -n 20 --seed 7 \
                -o "$run/tool.csv"
            holds 'the tool draws other rows' cmp "$run/tool.csv" "$run/moons.csv"
        fi
        ;;
    autoregressive_mixed) between 'the worst probability' 0 "$(number 'worst' 1)" 0.2 ;;
    fit) between 'the probability elsewhere' 0 "$(number probability 1)" 6 ;;
    datasets)
        says '    kind     category 3: daisy, lily ...'
        says '    hour     circular'
        says '    petals   integer  4 to 7'
        holds 'the file is no NPY file' sh -c "head -c 6 '$run/flowers.npy' | tail -c 5 | grep -q NUMPY"
        # The head: 4 bytes of kind, 4 for each of two sizes.
        between 'the size of the IDX file' 8012 "$(wc -c <"$run/flowers.idx")" 8012
        ;;
    mixed_columns)
        for k in 'birch 0.5 8 0.05' 'pine 0.3 14 0.9' 'spruce 0.2 20 0.9'; do
            # shellcheck disable=SC2086
            set -- $k
            between "the share of $1 drawn" "$(awk "BEGIN { print $2 - 0.06 }")" "$(number "$1" 2)" \
                "$(awk "BEGIN { print $2 + 0.06 }")"
            between "the height of $1 drawn" "$(awk "BEGIN { print $3 - 1.2 }")" "$(number "$1" 4)" \
                "$(awk "BEGIN { print $3 + 1.2 }")"
            between "the needles of $1 drawn" "$(awk "BEGIN { print $4 - 0.15 }")" "$(number "$1" 8)" \
                "$(awk "BEGIN { print $4 + 0.15 }")"
        done
        between 'the lines of the file' 5001 "$(wc -l <"$run/trees.csv")" 5001
        ;;
    own_allocator)
        says 'out of memory'
        says 'fitted'
        says 'nothing is lost'
        ;;
    cancel)
        between 'the delay in ms' 0 "$(number stopped 1)" 5000
        between 'the step that it stopped at' 1 "$(number stopped 2)" 599
        says 'step 600 of 600'
        ;;
    threads | executor)
        checks=$((checks + 1))
        [ "$(sed 's/.* //' "$out" | sort -u | wc -l)" -eq 1 ] || fail "$name: the sums of bits differ"
        ;;
    introspect)
        says "libgenmod $(sed -n 's/^.define GM_VERSION "\(.*\)"/\1/p' include/genmod/base.h)"
        sed -n 's/^ *\(GM_E_[A-Z]*\) = .*/\1/p' include/genmod/base.h >"$TMPDIR/codes"
        while read -r code; do
            says " $code "
        done <"$TMPDIR/codes"
        says '    bins           whole   8            2..256'
        ;;
    errors)
        for code in IO DATA UNKNOWN SEED RANGE FORMAT; do
            says "    GM_E_$code: "
        done
        says "towns.csv:4: column 'height' is 'tall'"
        says "did you mean 'layers'?"
        says '    warning: flow: column 1 is 3 in every row'
        ;;
    dlpack)
        says 'log p of our tensor and of the library'"'"'s: the same'
        says 'was given back: the array of draws is free again'
        says 'our tensor was given back too'
        ;;
    digit_map) between 'the share of like neighbours' 0.7 "$(number nearest 1)" 1 ;;
    reconstructions)
        between 'the error of the mean picture' 4.2 "$(number 'mean picture' 1)" 4.5
        between 'the error by 8 numbers' 1 "$(number 'code of  8' 2)" "$(number 'code of  2' 2)"
        between 'the error by 32 numbers' 1 "$(number 'code of 32' 2)" "$(number 'code of  8' 2)"
        ;;
    impute)
        between 'the mean weight' 82.8 "$(number 'of 185 cm' 2)" 84.2
        between 'the range' 0.011 "$(number 'over 180' 3)" 0.019
        ;;
    interpolation) between 'the distance by codes' 5 "$(number 'half way' 2)" "$(number 'half way' 1)" ;;
    bound_estimate)
        # One draw is both; more raise the estimate (Burda et al. 2016, theorem 1), not the bound.
        holds 'the estimate does not rise from the bound' awk '
            NR == 2 { bound = $2; last = $3; if ($2 != $3) exit 1 }
            NR > 2 { if ($3 < last || ($2 - bound) ^ 2 > 0.09) exit 1; last = $3 }
            END { exit !(NR == 9 && last > bound + 0.5) }' "$out"
        ;;
    noise_to_data)
        for mode in 2 3 4 5 6 7 8 9; do
            between "the share of heap $((mode - 1))" 0.0875 "$(number shares $mode)" 0.1625
        done
        between 'the share near a heap' 0.8 "$(number within 1)" 1
        ;;
    sampler_steps)
        # First and second order: twice the steps are half the distance, and a quarter.
        holds 'the orders are not 1 and 2' awk '
            $1 == 40 || $1 == 80 || $1 == 160 { d[$1] = $2; h[$1] = $3 }
            function in_between(low, x, high) { if (!(low <= x && x <= high)) exit bad = 1 }
            END {
                if (bad) exit 1
                in_between(0.4, d[80] / d[40], 0.6); in_between(0.4, d[160] / d[80], 0.6)
                in_between(0.15, h[80] / h[40], 0.4); in_between(0.15, h[160] / h[80], 0.4)
            }' "$out"
        ;;
    generated_digits)
        held=$(number 'held back' 1)
        alone=$(number 'pixels alone' 1)
        for family in diffusion vae; do
            between "how far draws of $family are" "$held" "$(number "$family" 1)" \
                "$(awk "BEGIN { print $held + 0.7 * ($alone - $held) }")"
        done
        ;;
    posterior_estimation)
        for figure in 1 2 3 4 5; do
            exact=$(number exact $figure)
            between "figure $figure" "$(awk "BEGIN { print $exact - 0.05 }")" "$(number flow $figure)" \
                "$(awk "BEGIN { print $exact + 0.05 }")"
        done
        between 'the lines of the file' 10001 "$(wc -l <"$run/draws.csv")" 10001
        ;;
    posterior_models)
        # posteriordb's reference draws: 4.41 and 3.60, 6.15 for the first school.
        between 'the mean of mu' 4.2 "$(number 'mu  ' 1)" 4.62
        between 'the mean of tau' 3.4 "$(number 'tau  ' 1)" 3.8
        between 'the mean of theta[1]' 5.85 "$(number 'theta[1]' 2)" 6.45
        between 'R-hat of tau' 0.99 "$(number 'tau  ' 5)" 1.01
        ;;
    kde_bounds)
        says 'rtol 0.1: bounds hold'
        says 'rtol 1e-6: bounds hold'
        between 'the share above' 0.8 "$(number 'share above' 2)" 0.99
        between 'the first mode' -2.15 "$(number 'mode of' 2)" -1.85
        between 'the density without half of the rows' 1.95 "$(number 'second heap' 1)" 2.02
        ;;
    density_prior)
        for what in effect strength; do
            exact=$(number "$what" 2)
            between "the mean of $what" "$(awk "BEGIN { print $exact - 0.08 }")" "$(number "$what" 1)" \
                "$(awk "BEGIN { print $exact + 0.08 }")"
            exact=$(number "$what" 4)
            between "the deviation of $what" "$(awk "BEGIN { print $exact - 0.05 }")" "$(number "$what" 3)" \
                "$(awk "BEGIN { print $exact + 0.05 }")"
        done
        ;;
    optimizers)
        for rule in sgd 'adam '; do
            between "where $rule ends" 0.98 "$(number "$rule" 3)" 1.02
        done
        ;;
    esac
}

# The quick tier has those that take less than half a second.
slow() {
    [ "$TIER" = quick ] || return 1
    case $1 in
    fit | copula_table | mixture_components | posterior_models | save_load | datasets | own_allocator | own_loss | threads | introspect | errors | dlpack | optimizers)
        return 1
        ;;
    esac
}

# Runs one example; what it said and its status stay in files.
start() {
    run=$TMPDIR/$1
    mkdir -p "$run"
    # shellcheck disable=SC2046
    TMPDIR="$run" "$BUILD/examples/$1" $(arguments "$1") >"$TMPDIR/$1.out" 2>&1
    echo $? >"$TMPDIR/$1.status"
}

try() {
    name=$1
    out=$TMPDIR/$1.out
    run=$TMPDIR/$1
    checks=$((checks + 1))
    if [ "$(cat "$TMPDIR/$1.status")" != 0 ]; then
        fail "$name fails:"
    elif [ ! -s "$out" ]; then
        fail "$name has nothing to say"
    else
        expectations "$name"
        [ ! -f "$run/$name.svg" ] || holds 'its picture has no end' grep -q '^</svg>$' "$run/$name.svg"
        [ ! -f "doc/guide/$name.svg" ] ||
            holds 'the guide shows another picture: make guide' cmp "doc/guide/$name.svg" "$run/$name.svg"
    fi
}

chosen=
left_out=
for source in examples/*.c; do
    name=$(basename "$source" .c)
    if slow "$name"; then
        left_out="$left_out $name"
    else
        chosen="$chosen $name"
    fi
done
[ -z "$left_out" ] || echo "left to the full tier:$left_out"

# Two at a time.
waiting=
for name in $chosen; do
    start "$name" &
    if [ -n "$waiting" ]; then
        wait "$waiting"
    fi
    waiting=$!
done
wait
for name in $chosen; do
    try "$name"
done

# Without what they want they say in one line what that is.
run=DIR
out=$TMPDIR/out
for source in examples/*.c; do
    name=$(basename "$source" .c)
    [ -n "$(arguments "$name")" ] || continue
    "$BUILD/examples/$name" >"$out" 2>&1
    holds 'without arguments it does not end with 2' [ $? -eq 2 ]
    holds 'without arguments it says something else than its usage' \
        awk -v start="Usage: $name " 'index($0, start) != 1 { exit 1 } END { exit NR != 1 }' "$out"
done

# What the guide says that they print, they print.
if [ -z "$left_out" ]; then
    name=doc/guide
    out=$TMPDIR/out
    : >"$out"
    cat "$TMPDIR"/*.out >"$TMPDIR/printed"
    awk '/^```text/ { inside = 1; next } /^```/ { inside = 0 } inside' doc/guide/*.md >"$TMPDIR/told"
    while read -r line; do
        holds "no example prints: $line" grep -qF -e "$line" "$TMPDIR/printed"
    done <"$TMPDIR/told"
fi

# The list names them all, and each compiles alone, as C by the book.
name=examples
out=$TMPDIR/out
: >"$out"
for source in examples/*.c; do
    holds "$source is not in examples/README.md" grep -qF "\`$(basename "$source")\`" examples/README.md
    # shellcheck disable=SC2086
    holds "$source has warnings" $CC -std=c11 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only "$source"
done

echo "$((checks ? 100 * (checks - failures) / checks : 100))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
