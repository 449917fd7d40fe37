#!/bin/sh
# make install with DESTDIR, a program compiled against what is there, make uninstall.
. "$(dirname "$0")/tools/shell.sh"
[ -z "$SANITIZERS$COVERAGE" ] || skip 'an instrumented library is not for installing'
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
root=$TMPDIR/root
make_here() { "$MAKE" -C "$BUILD/.." "$@" DESTDIR="$root" prefix=/opt/genmod >"$TMPDIR/make.log" 2>&1; }

make_here install || { cat "$TMPDIR/make.log"; exit 1; }
(cd "$root/opt/genmod" && find . ! -type d | sort)
for file in include/genmod/genmod.h include/genmod/extend.h lib/pkgconfig/genmod.pc share/doc/genmod/COPYING bin/genmod; do
    [ -f "$root/opt/genmod/$file" ] || wrong "$file is not installed"
done
grep '@' "$root/opt/genmod/lib/pkgconfig/genmod.pc" && wrong 'genmod.pc was not filled in'
[ "$SHARED" != yes ] || [ "$(readlink "$root/opt/genmod/lib/libgenmod.so")" = libgenmod.so.0 ] ||
    wrong 'libgenmod.so does not lead to libgenmod.so.0'
WORK=$TMPDIR "$SRCDIR/test/tools/try-installed" "$root" /opt/genmod || wrong 'a program cannot use the installed library'

# Each function has a page by its own name, and man finds it.
man=$root/opt/genmod/share/man
sed -n 's/^ *\(gm_[a-z0-9_]*\);$/\1/p' "$SRCDIR/lib/genmod.map" >"$TMPDIR/functions"
while read -r name; do
    [ -s "$man/man3/$name.3" ] || wrong "there is no man page $name.3"
done <"$TMPDIR/functions"
if have man; then
    for page in "1 genmod" "3 genmod" "3 gm_model_sample" "7 genmod-flow"; do
        # shellcheck disable=SC2086
        MANPATH=$man man $page >"$TMPDIR/page" 2>&1 && [ "$(wc -l <"$TMPDIR/page")" -gt 20 ] ||
            wrong "man $page: $(head -n 3 "$TMPDIR/page")"
    done
fi

make_here uninstall || { cat "$TMPDIR/make.log"; exit 1; }
left=$(find "$root" ! -type d)
[ -z "$left" ] || wrong "make uninstall left: $left"
[ ! -d "$root/opt/genmod/include/genmod" ] || wrong 'make uninstall left include/genmod'
finish
