#!/bin/sh
# no_switch.sh BUILD: in a build for use, no program, library or plugin knows the variable that
# switches points of enforcement off.
set -eu
cd "$1"
found=0
for file in bin/tackle bin/tackle-host lib/libtackle.so plugins/*.so; do
    [ -f "$file" ] || { echo "$file is not there" && exit 1; }
    if grep -q TACKLE_MUTANT "$file"; then
        echo "$file has a switch for points of enforcement"
        found=1
    fi
done
exit "$found"
