#!/bin/sh
# scripts.sh ROOT: shellcheck has nothing to say about any shell script of the tree.
set -eu
cd "$1"
if ! command -v shellcheck >/dev/null; then
    echo "shellcheck is not installed"
    exit 77
fi
find dev .ci agents tests -type f | while read -r file; do
    if head -n 1 "$file" | grep -qE '^#!.*[ /](sh|bash)$'; then echo "$file"; fi
done | xargs shellcheck -x -P SCRIPTDIR
