#!/bin/sh
# index.sh BUILD SOURCE: every attack and fault has a test that shows it, or a reason why it has none.
# A line of GROUP/index.tsv is an id, the names of tests ("a, b"; "-": none) and a note, with tabs
# between them. All 294 ids must be there once at least, every test must exist, at least 250 must have one.
set -eu
build=$1
attacks=$2/tests/attack
work=$(mktemp -d)
: >"$work/missing"
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    echo "$*" >&2
    failed=1
}

# GROUP FOLDER COUNT
groups='
PATH paths 50
EXEC commands 38
POL policy 24
SBX sandbox 32
GIT git 26
NET http 26
PRO protocol 17
RES resume 22
SEC secrets 14
TXT text 10
PLG plugins 16
E2E whole 9
FLT faults 10
'

folders='paths commands policy sandbox git http protocol resume secrets text plugins whole faults'
ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$work/tests"
[ -s "$work/tests" ] || complain "no tests are known in $build"
cat "$attacks"/*/index.tsv 2>/dev/null | grep -v '^#' >"$work/index" || true

tab=$(printf '\t')
while IFS=$tab read -r id tests note; do
    [ -n "$id" ] || continue
    case $id in [A-Z]*-[0-9][0-9]) ;; *) complain "index.tsv: '$id' is no id" ;; esac
    if [ "$tests" = - ]; then
        [ -n "$note" ] || complain "$id has neither a test nor a reason"
        continue
    fi
    echo "$id" >>"$work/shown"
    echo "$tests" | tr ',' '\n' | while read -r name; do
        grep -qxF "$name" "$work/tests" || echo "$id: there is no test '$name'"
    done >>"$work/missing"
done <"$work/index"
cat "$work/missing" >"$work/absent"

while read -r group folder count; do
    [ -n "$group" ] || continue
    [ -f "$attacks/$folder/index.tsv" ] || echo "$folder: no index.tsv yet" >>"$work/absent"
    for n in $(seq -w 1 "$count"); do
        id=$group-$(printf %02d "${n#0}")
        grep -q "^$id$tab" "$work/index" || echo "$id is in no index.tsv" >>"$work/absent"
    done
done <<END
$groups
END
shown=$(sort -u "$work/shown" 2>/dev/null | wc -l)
echo "$shown of 294 attacks have a test"
[ "$shown" -ge 250 ] || echo "only $shown attacks have a test; 250 are wanted" >>"$work/absent"
if [ -s "$work/absent" ]; then
    cat "$work/absent" >&2
    failed=1
    # Groups that are still missing: it tells, and asks nothing.
    for folder in $folders; do
        [ -f "$attacks/$folder/index.tsv" ] || {
            echo "not all groups are here yet"
            exit 77
        }
    done
fi
exit "$failed"
