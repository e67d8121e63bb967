#!/bin/sh
# Checks slug.sh; a line of the table is "title|slug".
set -u
cd "$(dirname "$0")" || exit 2

cases=0
failed=0
while IFS='|' read -r title wanted; do
    cases=$((cases + 1))
    got=$(sh slug.sh "$title")
    if [ "$got" = "$wanted" ]; then
        echo "ok    $title"
    else
        echo "FAIL  $title: wanted $wanted, got $got"
        failed=$((failed + 1))
    fi
done <<'TABLE'
Release notes|release-notes
Version 2.0|version-2-0
What's new?|what-s-new
Tea & biscuits|tea-biscuits
Ready... steady... go!|ready-steady-go
TABLE

echo "$cases cases, $failed failed"
[ "$failed" -eq 0 ]
