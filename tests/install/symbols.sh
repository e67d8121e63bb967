#!/bin/sh
# symbols.sh LIBRARY HEADER PROGRAM...: the library shows the functions that its header declares, all
# of them and nothing else; the programs show nothing.
set -eu
library=$1
header=$2
shift 2
declared=$(tr '\n' ' ' <"$header" | sed 's/TACKLE_API/\n&/g' |
    sed -n 's/^TACKLE_API [^(]*[ *]\(tackle_[a-z_]*\)(.*/\1/p' | sort)
shown=$(nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
[ "$declared" ] || {
    echo "no function found in $header"
    exit 1
}
if [ "$declared" != "$shown" ]; then
    printf 'declared in %s:\n%s\nshown by %s:\n%s\n' "$header" "$declared" "$library" "$shown"
    exit 1
fi
for program; do
    # With an @: taken from a library by copy. With two underscores: the compiler's own.
    shown=$(nm -D --defined-only "$program" | awk '$3 !~ /@/ && $3 !~ /^__/ { print $3 }')
    [ -z "$shown" ] || {
        echo "$program shows: $shown"
        exit 1
    }
done
