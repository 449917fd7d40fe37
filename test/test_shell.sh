#!/bin/sh
# The scripts parse as plain sh (dash) and shellcheck finds nothing in them.
. "$(dirname "$0")/tools/shell.sh"
cd "$SRCDIR" || exit 1
scripts=$(grep -lE '^#!/bin/sh' configure test/run test/*.sh test/tools/* examples/*/* .ci/run 2>/dev/null)
have dash || echo 'skip: dash is not there'
for script in $scripts; do
    if have dash; then
        dash -n "$script" || wrong "$script is not for a plain shell"
    fi
    [ -x "$script" ] || wrong "$script is not executable"
done
if have shellcheck; then
    # shellcheck disable=SC2086
    shellcheck -x -P SCRIPTDIR -e SC1091,SC2015,SC2016,SC2018,SC2019 $scripts .ci/run || bad=1
else
    echo 'skip: shellcheck is not there'
fi
finish
