#!/bin/sh
# The library from other languages: the programs of examples/cpp, python, rust and go run and check
# what they find, each where its compiler or interpreter is at hand, else a line says that it was
# left out. Every public function binds from C, C++ and Python, and what the bindings declare
# themselves agrees with the headers.
#
# The programs run in the source directory, as examples/data/ is where they look. They need the
# plain shared library: a foreign program cannot load an instrumented one.
# shellcheck disable=SC2317
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1
checks=0
failures=0

# try NAME COMMAND...: one case, which must have something to say.
try() {
    name=$1
    shift
    checks=$((checks + 1))
    if "$@" >"$TMPDIR/out" 2>&1 && [ -s "$TMPDIR/out" ]; then
        return 0
    fi
    failures=$((failures + 1))
    echo "$name fails:"
    tail -n 20 "$TMPDIR/out" | sed 's/^/    /'
    return 1
}

# A compiler is silent.
quietly() { "$@" && echo compiled; }

here() { # LANGUAGE TOOL
    have "$2" || {
        echo "skip: $1: $2 is not here"
        return 1
    }
}

done_with() {
    echo "$((checks ? 100 * (checks - failures) / checks : 100))%: Checks: $checks, Failures: $failures, Errors: 0"
    [ "$failures" -eq 0 ]
    exit
}

[ "$CXX" != false ] || CXX=g++ # one may have come after configure

test/tools/make-abi include >"$TMPDIR/abi"
python=
for candidate in "${PYTHON:-python3}" python3 /usr/bin/python3; do
    if [ -z "$python" ] && "$candidate" -c 'import numpy' 2>/dev/null; then
        python=$candidate
    fi
done

# ---- C++: linked with the static library, so under the sanitizers too ------------------------------

if here C++ "${CXX%% *}"; then
    for source in examples/cpp/*.cpp; do
        program=$BUILD/examples/cpp/$(basename "$source" .cpp)
        [ ! -x "$program" ] || try "$source" "$program"
    done
    # The view holds for other compilers. All programs as one: most of the time goes into headers.
    {
        grep -h '^#include' examples/cpp/*.cpp | sort -u
        for source in examples/cpp/*.cpp; do
            printf 'namespace %s {\n#line 1 "%s"\n' "$(basename "$source" .cpp)" "$source"
            sed 's/^#include.*//' "$source"
            echo '}'
        done
    } >"$TMPDIR/all-programs.cc"
    for compiler in "$CXX" clang++; do
        # shellcheck disable=SC2086
        ! have "${compiler%% *}" || try "examples/cpp ($compiler)" quietly $compiler -std=c++17 \
            -pedantic -Wall -Wextra -Wshadow -Werror -Iinclude -fsyntax-only "$TMPDIR/all-programs.cc"
    done
fi

# Every function has a view, but those that genmod.hpp says it leaves to C.
plain='_f32$|_f64$|gm_version|gm_build_info|gm_arithmetic_revision|gm_status_|gm_optimizer_name_at$'
plain="$plain|gm_archive_has_text$|gm_compress_memory$|gm_fit$"
all_viewed() {
    bare=$(sed -n '/^GENMOD_0/,/local:/s/^    \(gm_[a-z0-9_]*\);$/\1/p' lib/genmod.map |
        grep -vE "$plain" | while read -r name; do
            grep -qw "$name" include/genmod/*.hpp || echo "$name"
        done)
    echo "${bare:-every function has its view}"
    [ -z "$bare" ]
}
try 'functions without a view in genmod.hpp' all_viewed

if [ "$SHARED" != yes ] || [ -n "$SANITIZERS$COVERAGE" ]; then
    echo 'skip: Python, Rust, Go: these need the plain shared library'
    done_with
fi

# ---- Every public function, from C and C++ -----------------------------------------------------------

LD_LIBRARY_PATH=$BUILD${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
{
    echo '#include <genmod/genmod.h>'
    echo '#include <genmod/extend.h>'
    echo '#include <stdio.h>'
    echo 'typedef void (*function)(void);'
    echo 'static const function all[] = {'
    sed -n 's/^    \(gm_[a-z0-9_]*\);$/    (function)\1,/p' lib/genmod.map
    cat <<'END'
};
int main(void)
{
    unsigned i, n = 0;
    for (i = 0; i < sizeof all / sizeof all[0]; i++)
        n += all[i] != 0;
    printf("%u functions\n", n);
    return n != sizeof all / sizeof all[0];
}
END
} | tee "$TMPDIR/all.c" >"$TMPDIR/all.cc"
for language in c cc; do
    [ $language = c ] && compiler="$CC -std=c99" || compiler="$CXX -std=c++11"
    have "${compiler%% *}" || continue
    # shellcheck disable=SC2086
    try "all functions ($compiler)" quietly $compiler -Iinclude -o "$TMPDIR/all" \
        "$TMPDIR/all.$language" -L"$BUILD" -lgenmod && try "all functions ($compiler)" "$TMPDIR/all"
done

# ---- C++ without exceptions: the first failure is kept, and calls on empty objects fail too ----------

cat >"$TMPDIR/plain.cc" <<'END'
#include <genmod/genmod.hpp>
#include <cstdio>
int main()
{
    genmod::context ctx;
    double x[2] = {1, 2};
    genmod::dataset rows = genmod::dataset::borrow(ctx, genmod::view(x, 2, 1));
    genmod::model m = genmod::fit(ctx, "none", rows, genmod::options(ctx, {{"seed", 1}}));
    genmod::density_function density(ctx, m);
    double nan = density(x);
    bool kept = !ctx.ok() && ctx.status() == GM_E_UNKNOWN && !ctx.message().empty();
    ctx.clear();
    bool clear = ctx.ok();
    m.log_prob(ctx, rows);
    std::printf("%s\n", ctx.message().c_str());
    return !(kept && clear && ctx.status() == GM_E_ARG && nan != nan);
}
END
if have "${CXX%% *}"; then
    # shellcheck disable=SC2086
    try 'genmod.hpp without exceptions' quietly $CXX -std=c++17 -pedantic -Wall -Wextra -Werror \
        -fno-exceptions -Iinclude -o "$TMPDIR/plain" "$TMPDIR/plain.cc" -L"$BUILD" -lgenmod &&
        try 'genmod.hpp without exceptions' "$TMPDIR/plain"
fi

# ---- Python ---------------------------------------------------------------------------------------

GENMOD_LIBRARY=$BUILD/libgenmod.so.0
PYTHONDONTWRITEBYTECODE=1
export GENMOD_LIBRARY PYTHONDONTWRITEBYTECODE
if here Python python3; then
    try 'bindings against the headers' "${python:-python3}" test/tools/bind.py "$GENMOD_LIBRARY" \
        "$TMPDIR/abi" examples/python/genmod.py examples/rust/genmod.rs
    if [ -z "$python" ]; then
        echo 'skip: Python: NumPy is not here'
    else
        for program in digits densities; do
            try "examples/python/$program.py" "$python" "examples/python/$program.py"
        done
    fi
fi

# ---- Rust -----------------------------------------------------------------------------------------

if here Rust rustc; then
    try 'examples/rust (compiling)' quietly rustc --edition 2021 -D warnings -L "$BUILD" \
        -o "$TMPDIR/digits-rust" examples/rust/digits.rs &&
        try examples/rust "$TMPDIR/digits-rust"
fi

# ---- Go: what it compiles of its own library is kept under build/ -----------------------------------

if here Go go; then
    GOCACHE=${GOCACHE:-$BUILD/go-cache}
    GOTOOLCHAIN=local
    GOPROXY=off
    GOFLAGS=-mod=mod
    CGO_ENABLED=1
    CGO_CFLAGS="-O0 -I$SRCDIR/include"
    CGO_LDFLAGS=-L$BUILD
    export GOCACHE GOTOOLCHAIN GOPROXY GOFLAGS CGO_ENABLED CGO_CFLAGS CGO_LDFLAGS
    in_go() { (cd examples/go && "$@"); }
    # Most of the time goes into Go's own library, which nothing here needs to be fast.
    try 'examples/go (compiling)' quietly in_go go build -gcflags='all=-N -l -dwarf=false' \
        -ldflags='-s -w' -o "$TMPDIR/digits-go" . &&
        try examples/go "$TMPDIR/digits-go"
fi
done_with
