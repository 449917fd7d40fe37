#!/bin/sh
# configure takes what packagers pass, warns of what it does not know, refuses what it cannot do, and
# puts its own flags after the user's.
. "$(dirname "$0")/tools/shell.sh"
[ -z "$SANITIZERS" ] || skip 'nothing to do with instrumentation'
unset CFLAGS CPPFLAGS LDFLAGS LIBS CONFIG_SITE
mkdir "$TMPDIR/here"
cd "$TMPDIR/here" || exit 1

configure() { "$SRCDIR/configure" CC="$CC" "$@" >out 2>err; }
holds() { grep -q -- "$1" config.mak || wrong "config.mak has no '$1' after: $2"; }

# As Debian's and Fedora's packaging calls it.
configure --build=x86_64-linux-gnu --prefix=/usr '--includedir=${prefix}/include' '--mandir=${prefix}/share/man' \
    '--infodir=${prefix}/share/info' --sysconfdir=/etc --localstatedir=/var --disable-option-checking \
    --disable-silent-rules '--libdir=${prefix}/lib/x86_64-linux-gnu' --runstatedir=/run \
    --disable-maintainer-mode --disable-dependency-tracking --program-prefix= CFLAGS='-g -O2 -ffast-math' ||
    wrong "the call of a distribution's macros fails: $(cat err)"
holds '^libdir = ${prefix}/lib/x86_64-linux-gnu$' '--libdir'
holds '^CFLAGS = -g -O2 -ffast-math$' CFLAGS
holds '^OUR_CFLAGS = .*-fno-fast-math.*-ffp-contract=off' CFLAGS
grep -q 'warning: unknown option --disable-maintainer-mode' err || wrong 'no warning of an unknown --disable'
[ -h Makefile ] || wrong 'no link to the Makefile out of tree'
found=$("$MAKE" -n build/obj/lib/kernels/kernels.o V=1 2>/dev/null | grep -c -- '-ffast-math.*-fno-fast-math.*-ffp-contract=off')
[ "$found" -ge 1 ] || wrong "our flags do not come after the user's"
"$MAKE" -n all V=1 2>/dev/null | grep -e '-shared' | grep -q -e '-ffast-math' &&
    wrong '-ffast-math reaches the linker, which then changes the floating-point mode of the process'

configure --without-threads --with-zlib=no --with-blas=none --disable-shared --enable-debug || wrong "$(cat err)"
holds '^DEFINES = -DGM_WITHOUT_THREADS$' '--without-threads --with-zlib=no'
holds '^CFLAGS = -O0' '--enable-debug'
holds '^SHARED = no$' '--disable-shared'
before=$(ls -l --full-time config.mak 2>/dev/null)
configure --without-threads --with-zlib=no --with-blas=none --disable-shared --enable-debug
[ "$before" = "$(ls -l --full-time config.mak 2>/dev/null)" ] || wrong 'the same configure again touches config.mak'

for bad_option in --with-blas=mkl --with-zlib=perhaps --frobnicate --enable-sanitizers=nonsense \
    --host=vax-dec-ultrix CC=/nonexistent/cc; do
    rm -f config.mak
    CC='' CXX='' "$SRCDIR/configure" "$bad_option" >out 2>err && wrong "$bad_option is accepted"
    [ "$(wc -l <err)" -eq 1 ] || wrong "$bad_option is refused with other than one line: $(cat err)"
    [ ! -f config.mak ] || wrong "$bad_option leaves a config.mak"
done
"$SRCDIR/configure" --help | grep -q -- --with-blas || wrong '--help says nothing of --with-blas'
left=$(find . -name '.configure*')
[ -z "$left" ] || wrong "configure leaves $left"

unset MAKEFLAGS MFLAGS MAKELEVEL
rm -f config.mak Makefile
[ "$("$MAKE" -f "$SRCDIR/Makefile" all 2>&1 | tail -n 1 | grep -c 'Run ./configure first')" -eq 1 ] ||
    wrong 'make without configure does not say so'
finish
