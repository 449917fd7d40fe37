#!/bin/sh
# The binary interface is the one described in doc/abi.txt. A line that goes or changes breaks
# programs; a line that comes is a new function. Both want "make abi" and a word in doc/NEWS.md.
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1
test/tools/make-abi include >"$TMPDIR/abi.txt" || exit 1
if ! cmp -s "$TMPDIR/abi.txt" doc/abi.txt; then
    diff doc/abi.txt "$TMPDIR/abi.txt" >"$TMPDIR/changes"
    found=$(grep '^<' "$TMPDIR/changes")
    [ -z "$found" ] || wrong "$found
these break programs built before (before 1.0 they may go; doc/ABI.md says how)"
    found=$(grep '^>' "$TMPDIR/changes")
    [ -z "$found" ] || wrong "$found
these are new: make abi, and a line in doc/NEWS.md"
fi

# What an interface that lasts avoids: sizes that differ between systems, variadics, structs by value.
found=$(grep -nE '(^|[^_a-z])(long|unsigned|va_list|enum gm_[a-z_]+ )|\.\.\.|[(, ]gm_(array|allocator|logger|reader|writer|executor|context_config|option_info) [a-z]+[,)]' \
    doc/abi.txt | grep -v 'typedef' || :)
[ -z "$found" ] || wrong "not in a lasting interface: $found"
# A structure with members begins with struct_size; the rows of a table, ended by an empty row, cannot.
found=$(grep -E '^typedef struct [a-z_]+ \{' doc/abi.txt | grep -v -e '{ uint32_t struct_size;' -e gm_option_row || :)
[ -z "$found" ] || wrong "structures that cannot grow: $found"
finish
