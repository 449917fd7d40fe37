#!/bin/sh
# The order of the layers, read from the #include lines: a file includes only headers of its own
# layer or of an earlier one; the system's interfaces belong to base; the tool and the examples see
# only the public headers.
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1

# file, line, included name with its quotes or brackets
includes() {
    find "$@" -name '*.[ch]' -exec awk '
        /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
            name = $0
            sub(/^[^<"]*/, "", name)
            sub(/[>"][^>"]*$/, "&", name)
            match(name, /^[<"][^>"]*[>"]/)
            print FILENAME, FNR, substr(name, 1, RLENGTH)
        }' {} +
}

rank() {
    case $1 in
    base) echo 1 ;; kernels) echo 2 ;; graph) echo 3 ;; nn) echo 4 ;; data) echo 5 ;; train) echo 6 ;;
    model) echo 7 ;; density) echo 8 ;; representation) echo 9 ;; generation) echo 10 ;; eval | apply) echo 11 ;;
    *) echo 0 ;;
    esac
}

for directory in lib/*/; do
    layer=$(basename "$directory")
    [ "$(rank "$layer")" -gt 0 ] || wrong "$directory is no layer"
    # The headers that this layer may include.
    allowed='"genmod/'
    for other in base kernels graph nn data train model density representation generation eval apply; do
        if [ "$other" = "$layer" ] || [ "$(rank $other)" -lt "$(rank "$layer")" ]; then
            allowed="$allowed|\"$other/"
        fi
    done
    # cpuid, vectors and the like are the kernels' own; the operating system is base's.
    system='stddef|stdint|string|stdlib|limits|float|math|stdatomic|stdalign|stdarg'
    case $layer in
    base) system='.*' ;;
    kernels) system="$system|cpuid|immintrin|arm_neon|sys/auxv|cblas|lapacke" ;;
    data) system="$system|zlib" ;;
    esac
    found=$(includes "$directory" | awk -v allowed="^($allowed)" -v system_headers="^<($system)[.]h>$" '
        $3 !~ /^GM_/ && $3 !~ allowed && $3 !~ system_headers { print $1 ":" $2 ": includes " $3 }')
    [ -z "$found" ] || wrong "$found"
done
found=$(includes lib | grep -E '<(assert|locale|stdio|setjmp|signal|wchar)[.]h>' | grep -v '^lib/base/os' || :)
[ -z "$found" ] || wrong "not for the library: $found"

if [ -d examples ]; then
    found=$(includes examples | grep -E '"(base|kernels|graph|nn|data|train|model|density)/' || :)
    [ -z "$found" ] || wrong "examples and tool use the public headers: $found"
fi
finish
