#!/bin/sh
# Drives the tool end to end: every command, the files it reads and writes, errors and exit statuses.
. "$(dirname "$0")/tools/shell.sh"
genmod=$BUILD/genmod
[ -x "$genmod" ] || skip "skip: there is no $genmod (make)"
cd "$TMPDIR" || exit 1

# expect STATUS PATTERN COMMAND...: the status, and a pattern in standard error ('' is silence, one line else).
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
        [ "$(wc -l <err)" -eq 1 ] || wrong "not one line on standard error from: $*"
    fi
}
holds() { grep -q -- "$1" "${2:-out}" || wrong "no '$1' in ${2:-out}: $(head -c 200 "${2:-out}")"; }
lines() { [ "$(wc -l <"$1")" -eq "$2" ] || wrong "$1 has $(wc -l <"$1") lines, not $2"; }
same() { cmp -s "$1" "$2" || wrong "$1 and $2 differ"; }

# Models by what they say: a file also records how long its fit took.
scores() { "$genmod" score "$1" part.csv || wrong "no scores of $1"; }
alike() {
    scores "$1" >left
    scores "$2" >right
    same left right
}

# ---- Data: a real column, one that goes with it, a whole number and a category ---------------------

awk 'BEGIN {
    srand(3); print "height,weight,count,kind"
    for (i = 0; i < 400; i++) {
        h = 150 + 40 * rand() + 0.001 * i; k = int(3 * rand())
        printf "%.4f,%.4f,%d,%s\n", h, h / 2 + 10 * rand(), int(5 * rand()), substr("redtan blu", 1 + 3 * k + (k == 2), 3)
    }
}' >rows.csv
cut -d, -f1,2 rows.csv >real.csv
head -n 101 real.csv >part.csv
quick="--set hidden=16 --set layers=2 --set bins=4 --steps 40 --batch 64"

# ---- Words ---------------------------------------------------------------------------------------

expect 0 '' "$genmod" --help
for command in families fit sample score encode decode reconstruct info compare anomaly compress decompress modes impute check range; do
    holds "^  $command "
done
for command in families fit sample score encode decode reconstruct info compare anomaly compress decompress modes impute check range; do
    expect 0 '' "$genmod" $command --help
    holds "^Usage: genmod $command"
done
expect 0 '' "$genmod" --version
holds '^genmod [0-9.]* (library'
expect 0 '' "$genmod" families
holds flow
expect 0 '' "$genmod" families flow
holds '^  coupling .*realnvp|nsf'
holds '^  epochs '
expect 0 '' "$genmod" families vae
holds '^  noise .* true '
! grep -q '^  \(sampler\|ode_steps\|trace\|stop\) ' out || wrong 'a vae has options of a diffusion'
expect 0 '' "$genmod" families diffusion
holds '^  sampler_steps '
! grep -q '^  noise ' out || wrong 'a diffusion has options of a vae'
for family in kde mixture copula; do
    expect 0 '' "$genmod" families $family
    holds '^  valid '
    ! grep -q '^  \(epochs\|steps\|batch\|schedule\|clip\|average\|precision\) ' out ||
        wrong "$family learns from all rows at once, but lists options of steps"
done
expect 0 '' "$genmod" families flow.log_prob
holds '^  draws '
expect 2 'nosuch' "$genmod" families flow.nosuch
expect 2 'nosuch' "$genmod" families nosuch.sample
expect 0 '' "$genmod" families adam
holds '^  lr '
"$genmod" >out 2>err
[ $? -eq 2 ] || wrong 'no command is not wrong usage'
expect 2 "no command 'fly'" "$genmod" fly
expect 2 'nosuch' "$genmod" families nosuch
expect 2 'it takes FAMILY DATA' "$genmod" fit flow
expect 2 'needs -o MODEL' "$genmod" fit flow real.csv
expect 2 "no option '--steep'" "$genmod" fit flow real.csv -o m --steep 3
expect 2 "needs a value" "$genmod" fit flow real.csv -o
expect 2 'takes no value' "$genmod" fit flow real.csv -o m --quiet=3
expect 2 'one operand too many' "$genmod" fit flow real.csv more.csv -o m
expect 2 'name=value was expected' "$genmod" fit flow real.csv -o m --set layers
expect 2 'glow' "$genmod" fit glow real.csv -o m
expect 2 'nosuch' "$genmod" fit flow real.csv -o m --set nosuch=3
expect 2 'bins' "$genmod" fit flow real.csv -o m --set bins=1
expect 2 'optimizer' "$genmod" fit flow real.csv -o m --optimizer newton
expect 2 'lr' "$genmod" fit flow real.csv -o m --opt-set lr=-1
expect 2 "no column 'width'" "$genmod" fit flow real.csv -o m --columns height,width
expect 2 "no column 'width'" "$genmod" fit flow real.csv -o m --label width
expect 2 "names column 1 twice" "$genmod" fit flow real.csv -o m --columns height,2,height
expect 2 "names column 2 twice" "$genmod" fit flow real.csv -o m --columns 1-2,weight
expect 2 "opt-set lr=3" "$genmod" fit flow real.csv -o m --set lr=3
expect 2 'threads' "$genmod" fit flow real.csv -o m --threads -1
expect 2 'epochs' "$genmod" fit flow real.csv -o m --epochs many
expect 2 'valid' "$genmod" fit flow real.csv -o m --valid 7
cp real.csv in.csv
for file in in.csv ./in.csv "$PWD/in.csv"; do
    expect 2 'overwritten' "$genmod" fit flow in.csv -o "$file"
    expect 2 'overwritten' "$genmod" fit flow real.csv --valid in.csv -o "$file"
    expect 2 'overwritten' "$genmod" fit flow in.csv -o m --log "$file"
    expect 2 'overwritten' "$genmod" fit flow in.csv -o m --checkpoint "$file"
    expect 2 'overwritten' "$genmod" fit flow in.csv -o m --set checkpoint="$file"
    expect 2 'overwritten' "$genmod" fit flow real.csv -o "$file" --resume in.csv
    expect 2 '-o and DATA are one file' "$genmod" score a.model in.csv -o "$file"
    expect 2 '-o and DATA are one file' "$genmod" encode a.model in.csv -o "$file"
    expect 2 '-o and CODES are one file' "$genmod" decode a.model in.csv -o "$file"
    expect 2 '-o and MODEL are one file' "$genmod" reconstruct in.csv real.csv -o "$file"
    expect 2 '-o and MODEL are one file' "$genmod" sample in.csv -n 3 -o "$file"
done
expect 2 'overwritten' "$genmod" fit flow in.csv -o m --log ./m
expect 2 'overwritten' "$genmod" fit flow in.csv -o m --checkpoint "$PWD/m"
expect 2 'overwritten' "$genmod" fit flow in.csv -o m --log l --checkpoint l
same in.csv real.csv
expect 2 'standard input' "$genmod" score - -
[ ! -e m ] || wrong 'a fit that failed left a model'

# ---- Fit, and the same bits again ------------------------------------------------------------------

# shellcheck disable=SC2086
fit() { expect 0 '' "$genmod" fit flow "$@" $quick; }
fit real.csv -o a.model --log a.csv
fit real.csv -o b.model --seed 0 --threads 2
fit real.csv -o c.model --seed 1
alike a.model b.model
! scores c.model | cmp -s right - || wrong 'two seeds gave one model'
holds '^step,epoch,seconds,loss,valid' a.csv
holds '^40,' a.csv
fit real.csv -o v.model --valid part.csv --optimizer adamw --opt-set lr=0.002
fit rows.csv -o columns.model --columns 2,height
fit rows.csv -o mixed.model --label weight --set coupling=realnvp
expect 0 '' "$genmod" info mixed.model
holds '^family  *flow'
holds '^columns  *3'
holds '^  kind .*category'
holds '^  coupling  *realnvp'
holds '^Training:'
expect 0 '' "$genmod" info --json a.model
holds '^{.*}$'
# shellcheck disable=SC2086
"$genmod" fit flow - -o - $quick <real.csv >piped.model 2>err || wrong "fit from a pipe to a pipe: $(cat err)"
alike a.model piped.model
"$genmod" info - <a.model >out 2>err || wrong "info of a pipe: $(cat err)"

# ---- Checkpoints ------------------------------------------------------------------------------------

fit real.csv -o d.model --checkpoint d.ckpt --set checkpoint_seconds=0
fit real.csv -o e.model --checkpoint d.ckpt --resume d.ckpt
alike d.model e.model
alike a.model d.model
expect 1 'absent.ckpt' "$genmod" fit flow real.csv -o e.model --resume absent.ckpt
"$genmod" fit flow real.csv -o long.model --steps 100000000 --checkpoint long.ckpt >out 2>err &
job=$!
sleep 1
kill -TERM $job
wait $job
status=$?
[ $status -eq 1 ] || wrong "an interrupted fit ended with $status: $(cat err)"
holds 'interrupted at step' err
[ ! -e long.model ] || wrong 'an interrupted fit left a model'
broken="--set hidden=16 --set layers=2 --set bins=4 --set average=0.9 --steps 4000 --checkpoint broken.ckpt"
# shellcheck disable=SC2086
"$genmod" fit flow real.csv -o unbroken.model $broken 2>err || wrong "an unbroken fit: $(cat err)"
rm broken.ckpt
# shellcheck disable=SC2086
"$genmod" fit flow real.csv -o broken.model $broken 2>err &
job=$!
sleep 0.2
kill -TERM $job 2>/dev/null
wait $job
if [ ! -e broken.model ]; then
    # shellcheck disable=SC2086
    expect 0 '' "$genmod" fit flow real.csv -o broken.model $broken --resume broken.ckpt
fi
alike unbroken.model broken.model
[ -s long.ckpt ] || wrong 'an interrupted fit left no checkpoint'

# ---- Sample -----------------------------------------------------------------------------------------

expect 0 '' "$genmod" sample a.model -n 50
lines out 51
holds '^height,weight$'
cp out first.csv
expect 0 '' "$genmod" sample a.model -n 20 --seed 0 -o few.csv
head -n 21 first.csv >out
same few.csv out
expect 0 '' "$genmod" sample a.model -n 20 --seed 9 -o other.csv
! cmp -s few.csv other.csv || wrong 'two seeds drew the same rows'
expect 0 '' "$genmod" sample mixed.model -n 30 -o mixed.tsv
holds "^height	count	kind$" mixed.tsv
holds 'red\|tan\|blu' mixed.tsv
expect 0 '' "$genmod" sample a.model -n 30 -o s.npy
head -c 6 s.npy | grep -q NUMPY || wrong 's.npy is no NPY file'
expect 2 'needs -n' "$genmod" sample a.model
expect 2 'whole number' "$genmod" sample a.model -n 0
expect 2 'whole number' "$genmod" sample a.model -n 1e3
[ -n "$SANITIZERS" ] || expect 1 '.' "$genmod" sample a.model -n 9000000000000000
expect 2 'temperatur' "$genmod" sample a.model -n 3 --set temperatur=1
expect 2 'temperature' "$genmod" sample a.model -n 3 --set temperature=-1
expect 2 'bins' "$genmod" sample a.model -n 3 --set bins=5
expect 2 "no option 'sampler' of flow.sample" "$genmod" sample a.model -n 3 --set sampler=ddim
expect 2 "no option 'sampler' of flow.sample" "$genmod" sample a.model -n 3 --sampler ddim
expect 2 "no option 'noise' of flow.sample" "$genmod" sample a.model -n 3 --set noise=false
expect 2 "no option 'ode_steps' of flow.log_prob" "$genmod" score a.model real.csv --set ode_steps=3
"$genmod" sample a.model -n 20000000 -o long.csv >out 2>err &
job=$!
sleep 0.3
kill -TERM $job
wait $job
[ $? -eq 1 ] || wrong 'an interrupted sample did not fail'
holds '^genmod: sample: interrupted$' err
[ ! -e long.csv ] || wrong 'an interrupted sample left a file'
expect 0 '' "$genmod" sample a.model -n 3 --set bins=4 --set temperature=0.5
expect 1 'square number' "$genmod" sample a.model -n 4 -o s.png
expect 1 '.' "$genmod" sample a.model -n 4 -o s.xyz

# ---- Auto ---------------------------------------------------------------------------------------

expect 0 '' "$genmod" fit auto real.csv -o auto.model --seconds 0.5 --set rungs=flow
holds '^flow .*the best; flow layers='
holds '^the best \(was fitted again, to all 400\|learned from 340\) rows'
lines out 3
expect 0 '' "$genmod" fit auto real.csv -o all.model --set rungs=gaussian
holds '^the best was fitted again, to all 400 rows'
expect 0 '' "$genmod" fit mixture real.csv -o left.model --set components=1 --set repeated=bins
alike all.model left.model
expect 0 '' "$genmod" fit auto real.csv -o part.model --set rungs=gaussian --set refit=false
holds '340 rows; it was not fitted again to all: refit=false$'
# a file to choose by takes no rows away, and its figure is the score of its rows
expect 0 '' "$genmod" fit auto real.csv -o file.model --set rungs=gaussian --valid part.csv
holds 'it was not fitted again to all: other rows were held out$'
mean=$(awk '$1 == "gaussian" { print $2 }' out)
alike all.model file.model
expect 0 '' "$genmod" score file.model part.csv
awk -v mean="$mean" 'NR > 1 { s += $1; n++ } END { exit !(n == 100 && (s / n - mean) ^ 2 < 1e-7) }' out ||
    wrong 'the figure of --valid FILE is not of its rows'
expect 1 "^genmod: part.csv: validation rows have no column 'count'" "$genmod" fit auto rows.csv -o no.model --valid part.csv
expect 2 'give one of them' "$genmod" fit auto real.csv -o no.model --valid part.csv --set held_out=0.3
expect 2 "option 'held_out') is 0.7, must be" "$genmod" fit auto real.csv -o no.model --valid 0.7
expect 1 "cannot open 'nosuch.csv'" "$genmod" fit auto real.csv -o no.model --valid nosuch.csv
expect 0 '' "$genmod" fit kde real.csv --seed 1 -o kde.model --quiet
expect 0 '' "$genmod" score kde.model real.csv --bounds --set rtol=0.01 -o bounds.csv
awk -F, 'NR == 1 && $0 != "log_prob,lower,upper" { exit 1 } NR > 1 && !($2 <= $1 && $1 <= $3 && $3 - $2 < 0.021) { exit 1 }' bounds.csv || wrong 'bounds do not hold'
expect 0 '' "$genmod" score kde.model real.csv --above -5 -o above.csv
paste -d, bounds.csv above.csv | awk -F, 'NR > 1 && $4 != ($1 > -5 ? 1 : -1) && ($1 + 5) ^ 2 > 0.001 { exit 1 }' || wrong 'thresholds do not agree'
expect 2 'no number' "$genmod" score kde.model real.csv --above high
expect 2 'one of them' "$genmod" score kde.model real.csv --bounds --errors
expect 2 'one of them' "$genmod" score kde.model real.csv --above -5 --mean
expect 0 '' "$genmod" modes kde.model real.csv -o modes.csv
expect 0 '' "$genmod" modes kde.model real.csv --each -o each.csv
[ "$(wc -l <each.csv)" = "$(wc -l <real.csv)" ] || wrong 'not a mode for each row'
[ "$(wc -l <modes.csv)" -lt 30 ] || wrong 'too many modes'
expect 1 'kde does' "$genmod" modes a.model real.csv
expect 0 '' "$genmod" score auto.model real.csv --mean
expect 2 'no --epochs' "$genmod" fit auto real.csv -o auto.model --epochs 3
expect 2 'no --init' "$genmod" fit auto real.csv -o auto.model --init kde.model
head -3 real.csv >tiny.csv
expect 1 'too few' "$genmod" fit auto tiny.csv -o auto.model --seed 1
expect 1 'too few' "$genmod" fit kde tiny.csv -o auto.model --seed 1 --for anomaly
expect 2 'from 1' "$genmod" anomaly kde.model real.csv --blame 0 --calibration real.csv
expect 2 'over 0 and up to 1' "$genmod" anomaly kde.model real.csv --blame 1 --level 5 --calibration real.csv
expect 2 'give both' "$genmod" anomaly kde.model real.csv --level 0.5 --calibration real.csv
expect 2 "names 'flaw'" "$genmod" fit auto real.csv -o auto.model --set rungs=flaw

# ---- Anomalies ------------------------------------------------------------------------------------

expect 0 '' "$genmod" fit mixture real.csv -o odd.model --for anomaly --set components=1
expect 0 '' "$genmod" info odd.model
expect 0 '' "$genmod" anomaly odd.model real.csv
lines out 401
holds '^score,p_value$'
printf 'height,weight\n170,20\n170,85\n' >odd.csv
expect 0 '' "$genmod" anomaly odd.model odd.csv --blame 1 --level 0.05
holds '^row 1: score .*: weight ('
lines out 1
expect 0 '' "$genmod" anomaly a.model odd.csv --calibration real.csv
expect 0 '--calibration FILE' "$genmod" anomaly a.model odd.csv
holds '^score$'
lines out 3
lines err 1
expect 0 'without p-values' "$genmod" anomaly a.model odd.csv --blame 1
holds '^row [12]: score [^,]*: weight ('
lines out 1
expect 0 'without p-values' "$genmod" anomaly a.model odd.csv --blame 1 --level 1
lines out 2
expect 2 'must be anomaly' "$genmod" fit mixture real.csv -o odd.model --for fun
expect 2 'takes a share of DATA as --valid' "$genmod" fit auto real.csv -o odd.model --for anomaly --valid part.csv
expect 2 'takes no --init' "$genmod" fit kde real.csv -o odd.model --for anomaly --init a.model

# ---- Score ------------------------------------------------------------------------------------------

expect 0 '' "$genmod" score a.model real.csv
lines out 401
holds '^log_prob$'
cp out all.csv
cp out all.csv
expect 0 '' "$genmod" score a.model real.csv --errors
lines out 401
holds '^log_prob,error$'
holds '^-*[0-9.]*,0$'
expect 0 '' "$genmod" score a.model part.csv -o some.csv
head -n 101 all.csv >out
same some.csv out
expect 0 '' "$genmod" score a.model real.csv --mean
lines out 1
awk 'NR == FNR { if (FNR > 1) { s += $1; n++ } next } { d = s / n - $1; exit !(d < 1e-6 && d > -1e-6 && $2 > 0 && $3 == n) }' all.csv out ||
    wrong "the mean is not that of the rows: $(cat out)"
expect 0 '' "$genmod" score a.model s.npy -o s.tsv
lines s.tsv 31
fit s.npy -o unnamed.model --label 2
expect 0 '' "$genmod" score unnamed.model s.npy --label 2 -o without.npy
expect 0 '' "$genmod" info unnamed.model
expect 0 '' "$genmod" score mixed.model rows.csv --mean
expect 0 '' "$genmod" score columns.model rows.csv --mean
tr , ';' <rows.csv >semicolons.csv
expect 0 '' "$genmod" score mixed.model semicolons.csv --csv delimiter=semicolon --types count:integer --missing none -o some.csv
lines some.csv 401
expect 2 'delimite' "$genmod" score mixed.model semicolons.csv --csv delimite=tab
printf 'height,count,kind\n170,2,green\n' >unseen.csv
expect 0 '' "$genmod" score mixed.model unseen.csv
holds '^-inf$'
"$genmod" score a.model - <real.csv >out 2>err || wrong "score of a pipe: $(cat err)"
same out all.csv

expect 0 '' "$genmod" compare a.model a.model real.csv -o both.csv
holds '^difference by row  *0 '
holds '^the first tells 50.0 % of the rows better$'
cut -d, -f1 both.csv | sed 's/log_prob_a/log_prob/' >out
same out all.csv
expect 1 'columns' "$genmod" compare a.model mixed.model rows.csv
expect 2 'draw' "$genmod" compare a.model a.model real.csv --set drawn=3

# ---- Conditions and weights ----------------------------------------------------------------------

fit rows.csv -o given.model --condition kind,height --label count --steps 200
expect 0 '' "$genmod" info given.model
holds 'given 2 more'
expect 0 '' "$genmod" score given.model rows.csv --mean
printf 'kind,height\nblu,160\nred,180\n' >given.csv
expect 0 '' "$genmod" sample given.model --given given.csv -o drawn.csv
lines drawn.csv 3
expect 0 '' "$genmod" sample given.model --given given.csv -n 2 -o again.csv
same drawn.csv again.csv
expect 2 '2 rows, 7 or 1' "$genmod" sample given.model --given given.csv -n 7
expect 2 'conditional: --given' "$genmod" sample given.model -n 7
expect 2 'no conditions' "$genmod" sample a.model --given given.csv
head -n 2 given.csv >one.csv
expect 0 '' "$genmod" sample given.model --given one.csv -n 5 -o drawn.csv
lines drawn.csv 6
expect 0 '' "$genmod" encode given.model rows.csv -o codes.csv
head -n 6 codes.csv >five.csv
expect 0 '' "$genmod" decode given.model five.csv --given one.csv -o back.csv
lines back.csv 6
printf 'kind,height\ngreen,160\n' >unseen.csv
expect 1 "unseen.csv: .*category never seen" "$genmod" sample given.model --given unseen.csv -n 2
# every row twice, or weight 2: columns without names, the condition first
tail -n +2 rows.csv | cut -d, -f1,2,3 >bare.csv
fit bare.csv -o weighted.model --condition 1 --weight 3
expect 0 '' "$genmod" score weighted.model bare.csv --condition 1 --weight 3 --mean
cp out mean
expect 0 '' "$genmod" score weighted.model bare.csv --condition 1 --weight 3 -o each.csv
tail -n +2 each.csv | paste -d, bare.csv - | awk -F, '{ w += $3; s += $3 * $4 } END { print s / w }' >right
[ "$(awk '{ getline m <"right"; print ($1 - m) ^ 2 < 1e-8 }' mean)" = 1 ] || wrong 'a mean without its weights'
head -n 2 real.csv >lone.csv
expect 0 '' "$genmod" score kde.model lone.csv --mean
holds ' - 1$'
expect 1 '3 columns' "$genmod" score weighted.model bare.csv --mean
# shellcheck disable=SC2086
expect 2 'takes one column' "$genmod" fit flow bare.csv -o m --weight 2,3 $quick
# shellcheck disable=SC2086
expect 1 "row's weight" "$genmod" fit flow rows.csv -o m --weight kind $quick

# ---- Going on --------------------------------------------------------------------------------------

expect 0 '' "$genmod" fit flow rows.csv -o more.model --init given.model --steps 5 --seed 3
expect 0 '' "$genmod" score more.model rows.csv --mean
expect 2 'it cannot change' "$genmod" fit flow rows.csv -o m --init given.model --set layers=5
expect 2 'of the family flow' "$genmod" fit vae rows.csv -o m --init given.model
expect 2 '-o and --init are one file' "$genmod" fit flow rows.csv -o given.model --init given.model

# ---- Codes ------------------------------------------------------------------------------------------

expect 0 '' "$genmod" encode a.model part.csv -o codes.csv
lines codes.csv 101
holds '^z1,z2$' codes.csv
expect 0 '' "$genmod" decode a.model codes.csv -o back.csv
expect 0 '' "$genmod" reconstruct a.model part.csv -o again.csv
same back.csv again.csv
paste -d, part.csv back.csv | awk -F, 'NR > 1 { for (i = 1; i <= 2; i++) { d = $i - $(i + 2); if (d * d > 1e-4) bad = 1 } } END { exit bad }' ||
    wrong 'rows do not come back from their codes'
expect 0 '' "$genmod" encode a.model part.csv -o codes.npy
expect 0 '' "$genmod" decode a.model codes.npy -o back2.csv
same back.csv back2.csv
expect 1 '.' "$genmod" decode a.model rows.csv
cut -d, -f1,4 rows.csv >text.csv
expect 1 'codes are numbers' "$genmod" decode a.model text.csv

# ---- Pictures -----------------------------------------------------------------------------------------

head -n 200 "$SRCDIR/examples/data/digits.csv" >digits.csv
# shellcheck disable=SC2086
expect 0 '' "$genmod" fit flow digits.csv --label label -o digits.model $quick
expect 0 '' "$genmod" sample digits.model -n 10 -o digits.png
head -c 4 digits.png | grep -q PNG || wrong 'digits.png is no PNG file'

# ---- Files that are not what they should be ----------------------------------------------------------

expect 1 'absent.csv' "$genmod" fit flow absent.csv -o m
expect 1 'absent.model' "$genmod" info absent.model
: >empty
cp empty empty.csv
expect 1 'empty.csv' "$genmod" fit flow empty.csv -o m
printf 'a,b\n1,2\n3\n' >ragged.csv
expect 1 'ragged.csv' "$genmod" fit flow ragged.csv -o m
printf 'a,b\n1,2\n3,"4\n' >quote.csv
expect 1 'quote.csv' "$genmod" fit flow quote.csv -o m
printf '\001\002' >short.npy
expect 1 'short.npy' "$genmod" fit flow short.npy -o m
mkdir -p folder.csv
expect 1 'folder.csv' "$genmod" fit flow folder.csv -o m
printf 'height\n1\n' >narrow.csv
expect 1 'narrow.csv: .*weight' "$genmod" score a.model narrow.csv
printf 'height,weight\n1,2\n3,4\nx,5\n' >wordy.csv
{ cat part.csv; echo 160,light; } >almost.csv
for command in score encode reconstruct; do
    expect 1 "wordy.csv: [a-z_]*: row 3, column 'height' is 'x', a number" "$genmod" $command a.model wordy.csv --types height:category
    expect 1 "almost.csv:102: column 'weight' is 'light'" "$genmod" $command a.model almost.csv
done
printf 'height,weight\n1,2\nx,4\ny,5\n' >words.csv
expect 1 "^genmod: words.csv: validation rows: row 2, column 'height' is 'x'" \
    "$genmod" fit flow real.csv -o m --valid words.csv
printf 'height,weight\n1,2\n3,4\n,5\n' >holes.csv
expect 1 "holes.csv: [a-z_]*: row 3, column 'height' is missing" "$genmod" score a.model holes.csv
expect 1 "holes.csv: .*column 'height' has 1 missing.*--csv on_missing=drop" "$genmod" fit flow holes.csv -o m
expect 1 "holes.csv: .*row 3" "$genmod" fit flow real.csv --valid holes.csv -o m
"$genmod" score a.model - <holes.csv >out 2>err
holds "standard input: [a-z_]*: row 3, column 'height' is missing" err
printf '1.5,2,\n3.25,4,\n2.5,5,\n' >trailing.csv
expect 1 "trailing.csv: .*column 3 is empty in every row: leave it out with --columns" \
    "$genmod" fit flow trailing.csv -o m
expect 1 "column 3 is empty in every row" "$genmod" fit flow trailing.csv -o m --csv on_missing=drop
printf '1,5;2,5\n3,25;4,5\n2,5;5,75\n' >comma.csv
expect 1 "comma.csv:2: column 1 is '3,25', .*decimal comma" "$genmod" fit flow comma.csv -o m
expect 1 'empty' "$genmod" info empty
expect 1 '.' "$genmod" info rows.csv
size=$(wc -c <a.model)
for part in 1 7 8 9 100 $((size / 2)) $((size - 1)); do
    head -c "$part" a.model >cut.model
    expect 1 'cut.model' "$genmod" sample cut.model -n 1
done
for at in 0 3 9 40 200 $((size / 2)) $((size - 2)); do
    { head -c "$at" a.model; printf '\377'; tail -c +$((at + 2)) a.model; } >bad.model
    expect 1 'bad.model' "$genmod" sample bad.model -n 1
done

# ---- Places that cannot be written -------------------------------------------------------------------

expect 1 'nowhere/m' "$genmod" fit flow real.csv -o nowhere/m
expect 1 'folder.csv' "$genmod" sample a.model -n 3 -o folder.csv
expect 1 'nowhere/x.csv' "$genmod" score a.model real.csv -o nowhere/x.csv
if [ -c /dev/full ]; then
    # shellcheck disable=SC2086
    expect 1 '/dev/full: No space left' "$genmod" fit flow real.csv -o /dev/full $quick
    expect 1 '/dev/full: No space left' "$genmod" score a.model real.csv -o /dev/full
    expect 1 '/dev/full: No space left' "$genmod" sample a.model -n 3 -o /dev/full
    for command in "sample a.model -n 3000" "score a.model real.csv" "info a.model" "families" "--help"; do
        # shellcheck disable=SC2086
        "$genmod" $command >/dev/full 2>err
        status=$?
        [ $status -eq 1 ] || wrong "$command to a full device ended with $status"
        [ "$(wc -l <err)" -eq 1 ] || wrong "$command to a full device did not say so in a line"
    done
    [ -c /dev/full ] || wrong '/dev/full was replaced'
fi
if ! [ -w / ] || [ "$(id -u)" -ne 0 ]; then
    mkdir closed && chmod 555 closed
    expect 1 'closed/m' "$genmod" fit flow real.csv -o closed/m
    chmod 755 closed
fi
[ ! -e m ] || wrong 'a fit that failed left a model'
found=$(find . -name '*.partial' -o -name '*.tmp*')
[ -z "$found" ] || wrong "left behind: $found"

# ---- The README's program is the one that is compiled -------------------------------------------------

sed -n '/^```c$/,/^```$/p' "$SRCDIR/README" | sed '1d;$d' >readme.c
same readme.c "$SRCDIR/examples/readme.c"
[ "$(wc -l <"$SRCDIR/README")" -lt 150 ] || wrong 'the README has 150 lines or more'
if [ -x "$BUILD/examples/readme" ]; then
    expect 0 '' "$BUILD/examples/readme" real.csv readme.csv
    holds '^first row: .* nats'
    lines readme.csv 11
fi
if [ -x "$BUILD/examples/own_family" ]; then
    expect 0 '' "$BUILD/examples/own_family" real.csv own.csv
    lines own.csv 1001
fi
if [ -x "$BUILD/examples/own_loss" ]; then
    expect 0 '' "$BUILD/examples/own_loss" real.csv
    holds '^a row is [0-9]'
fi
[ "$bad" -ne 0 ] || echo ok
# ---- Compression ---------------------------------------------------------------------------------

expect 0 '' "$genmod" fit autoregressive rows.csv -o law.model --set hidden=8 --steps 60 --seed 1 --quiet
expect 0 '' "$genmod" compress law.model rows.csv -o rows.gmz --figures
holds '^model_bytes '
[ "$(wc -c <rows.gmz)" -lt "$(($(wc -c <rows.csv) / 2))" ] || wrong 'an archive is hardly smaller than its rows'
expect 0 '' "$genmod" decompress law.model rows.gmz -o back.csv
cmp -s back.csv rows.csv && wrong 'a file with other digits came back by itself'
expect 0 '' "$genmod" compress law.model back.csv -o again.gmz
cmp -s rows.gmz again.gmz || wrong 'the rows that came back are others'
for file in rows.csv back.csv "$genmod"; do
    said=
    [ "$file" != "$genmod" ] || said='no line is a row of the model'
    expect 0 "$said" "$genmod" compress law.model "$file" --exact-text -o text.gmz
    expect 0 '' "$genmod" decompress law.model text.gmz -o text
    cmp -s text "$file" || wrong "$file did not come back byte for byte"
done
"$genmod" compress law.model rows.csv --exact-text >text.gmz || wrong 'an archive to standard output'
"$genmod" decompress law.model - <text.gmz | cmp -s - rows.csv || wrong 'an archive from standard input'
expect 1 'rows.gmz: was made with another model; this one, a flow of 2 columns' "$genmod" decompress a.model rows.gmz
expect 1 "cannot open 'nosuch.gmz'" "$genmod" decompress law.model nosuch.gmz
expect 1 'no model or checkpoint' "$genmod" decompress rows.csv rows.gmz
: >empty
expect 1 'empty: is empty, an archive was expected' "$genmod" decompress law.model empty
# lines that are no rows; and a text's rows for a file that is none
sed -e '100i height,weight,count,kind' -e '200s/,[0-9],/,3.5,/' -e '300s/^/0x/' -e '1i ""' rows.csv >odd.csv
expect 0 '' "$genmod" compress law.model odd.csv --exact-text -o odd.gmz --figures
holds '^rows 399$'
holds '^literal_lines 3$'
expect 0 '' "$genmod" decompress law.model odd.gmz -o text
cmp -s text odd.csv || wrong 'odd lines did not come back byte for byte'
expect 0 '' "$genmod" decompress law.model odd.gmz -o text.npy
[ "$(head -c 6 text.npy | tail -c 5)" = NUMPY ] || wrong 'no rows in text.npy'
expect 1 "which the model has" "$genmod" compress law.model real.csv -o odd.gmz
sed 's/,\([0-9]\),\(...\)$/,\2,\1/' rows.csv >turned.csv
expect 1 "row 1: column 3, count is '[a-z]*', a number was expected" "$genmod" compress law.model turned.csv -o odd.gmz
printf x >>rows.gmz
expect 1 'rows.gmz: its checksum' "$genmod" decompress law.model rows.gmz
expect 1 'no archive' "$genmod" decompress law.model rows.csv
expect 2 'say -o FILE' "$genmod" compress law.model rows.csv --figures
expect 2 'keeps the whole file' "$genmod" compress law.model rows.csv --exact-text --label kind -o x.gmz
expect 2 'one file' "$genmod" compress law.model rows.csv -o rows.csv

finish
