#!/bin/sh
# security.sh SOURCE BUILD: what SECURITY.md promises is shown by tests that exist. A promise begins with
# "### P1"; a test is named as [`NAME`](FILE), where NAME is a test, or a group of tests that ends with a slash.
set -eu
doc=$1/SECURITY.md
failed=0

complain() {
    echo "SECURITY.md: $*" >&2
    failed=1
}

tests=$(ctest --test-dir "$2" -N | sed -n 's/^ *Test *#[0-9]*: //p')
[ -n "$tests" ] || complain "no tests are known in $2"

# shellcheck disable=SC2016 # backquotes of Markdown
named=$(grep -oE '\[`[^`]+`\]\([^)]+\)' "$doc")
while IFS= read -r link; do
    # shellcheck disable=SC2016
    name=$(echo "$link" | sed 's/^\[`\(.*\)`.*/\1/')
    file=$(echo "$link" | sed 's/.*(\(.*\))$/\1/')
    case $name in
    */) echo "$tests" | grep -q "^$name" || complain "there is no test $name..." ;;
    *) echo "$tests" | grep -qxF "$name" || complain "there is no test $name" ;;
    esac
    [ -e "$1/$file" ] || complain "there is no file $file"
done <<END
$named
END

for promise in P1 P2 P3 P4 P5 P6 P7 P8; do
    # shellcheck disable=SC2016
    count=$(awk -v p="### $promise " 'index($0, p) == 1 {on = 1; next} /^##/ {on = 0} on' "$doc" |
        grep -oE '\[`[^`]+`\]\(' | wc -l)
    [ "$count" -ge 3 ] || complain "$promise is shown by $count tests"
done
exit "$failed"
