#!/bin/sh
# mutants.sh ROOT: every ENFORCED(point) of the sources is used once and has one line in
# tests/attack/mutants.txt, and every line there a point in the sources; 40 points at least.
set -eu
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

grep -rhoE --include='*.c' 'ENFORCED\([a-z0-9_]+\)' runtime plugins |
    sed 's/ENFORCED(\(.*\))/\1/' | LC_ALL=C sort >"$work/used"
awk '!/^#/ && NF { print $1 }' tests/attack/mutants.txt | LC_ALL=C sort >"$work/listed"

# say FILE WHAT: a complaint for each line of FILE.
say() {
    while read -r point; do
        echo "$point: $2"
        bad=1
    done <"$1"
}

uniq -d "$work/used" >"$work/twice"
say "$work/twice" "ENFORCED($(head -n 1 "$work/twice")) is in two places of the sources"
uniq -d "$work/listed" >"$work/twice"
say "$work/twice" "is twice in tests/attack/mutants.txt"
LC_ALL=C sort -u "$work/used" >"$work/used_once"
LC_ALL=C sort -u "$work/listed" >"$work/listed_once"
LC_ALL=C comm -23 "$work/used_once" "$work/listed_once" >"$work/only"
say "$work/only" "has no line in tests/attack/mutants.txt: a test that turns red without it"
LC_ALL=C comm -13 "$work/used_once" "$work/listed_once" >"$work/only"
say "$work/only" "is in tests/attack/mutants.txt, but in no source"
if awk '!/^#/ && NF == 1 { print FILENAME ":" FNR ": names no test"; bad = 1 } END { exit !bad }' tests/attack/mutants.txt; then
    bad=1
fi
count=$(wc -l <"$work/used_once")
if [ "$count" -lt 40 ]; then
    echo "only $count points of enforcement; 40 are wanted"
    bad=1
fi
exit "$bad"
