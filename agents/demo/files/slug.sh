#!/bin/sh
# slug.sh TITLE...: prints a title as a file name of small letters, digits and single dashes.
set -eu
LC_ALL=C
export LC_ALL

if [ "$#" -eq 0 ]; then
    echo "usage: slug.sh TITLE..." >&2
    exit 2
fi

printf '%s\n' "$*" |
    tr '[:upper:]' '[:lower:]' |
    sed -e 's/[^a-z0-9]/-/g' -e 's/^-//' -e 's/-$//'
