#!/bin/sh
# A model file and a checkpoint as doc/FORMAT.md says, read by a program that was written from that
# page: container, checksum, order of the metadata, tensors without holes. And the page's example.
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1
have python3 || skip 'python3 is not here'

printf 'x,kind\n0.5,a\n1.5,b\n-0.5,a\n2.5,b\n1,a\n' >"$TMPDIR/tiny.csv"
fit() {
    "$BUILD/genmod" fit flow "$TMPDIR/tiny.csv" --set coupling=realnvp --set layers=1 --set hidden=4 \
        --set valid=0 --steps 5 --seed 7 --quiet "$@" || wrong "genmod fit $* fails"
}
fit -o "$TMPDIR/tiny.model"
fit -o "$TMPDIR/other.model" --set precision=f64 --set whiten=true --set transform=quantile \
    --checkpoint "$TMPDIR/tiny.checkpoint"
for file in tiny.model other.model tiny.checkpoint; do
    python3 test/tools/show-model.py "$TMPDIR/$file" >"$TMPDIR/$file.txt" ||
        wrong "$file is not what doc/FORMAT.md says"
done
# The last number of a standardised column, and the counts of a quantile's and a whitening's.
grep -q ' transform F64 \[2\]: 1, 1$' "$TMPDIR/tiny.model.txt" ||
    wrong 'the transform of the example is not shift 1, scale 1'
grep -Eq ' transform F64 \[[0-9]+\]: 0, 1, ' "$TMPDIR/other.model.txt" ||
    wrong 'the transform by quantile does not begin with 0, 1'
grep -q ' param F64 \[' "$TMPDIR/tiny.checkpoint.txt" || wrong 'the checkpoint has no param of F64'
# The parts that the page shows by name are those of today.
sed -n 's/^[0-9a-f]\{8\}  .\{47\}  \([a-z_0-9.]*\).*/\1/p' doc/FORMAT.md >"$TMPDIR/page"
sed -n 's/^[0-9a-f]\{8\}  .\{47\}  \([a-z_0-9.]*\).*/\1/p' "$TMPDIR/tiny.model.txt" >"$TMPDIR/now"
grep -v '^[0-9a-f]\{20,\}' "$TMPDIR/page" >"$TMPDIR/page.names"
grep -v '^[0-9a-f]\{20,\}' "$TMPDIR/now" | cmp -s - "$TMPDIR/page.names" ||
    wrong 'the worked example in doc/FORMAT.md is out of date: run test/tools/show-model.py again'
finish
