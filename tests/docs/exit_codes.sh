#!/bin/sh
# exit_codes.sh SOURCE_DIR: the table of exit codes in the README is whole and true. Each row's example
# is a case that ends so; each code that the program uses, and each stop reason, has a row.
set -eu
readme=$1/README.md
failed=0

complain() {
    echo "$*" >&2
    failed=1
}

# Rows as "CODE CASE".
rows=$(sed -n 's,^| \([0-9]*\) |.*(tests/cases/\([a-z0-9_]*\)\.case) |$,\1 \2,p' "$readme")
[ "$(echo "$rows" | wc -l)" -ge 15 ] || complain "README.md: rows of the table of exit codes are missing"

while read -r code name; do
    grep -q "^exit $code\$" "$1/tests/cases/$name.case" ||
        complain "README.md: $name.case is no example of exit $code"
done <<END
$rows
END

# What the program can end with: the names that its sources use, as numbers.
names=$(grep -rhoE 'TACKLE_EXIT_[A-Z]+' "$1/runtime" --include='*.c' | sort -u)
for name in $names; do
    [ "$name" != TACKLE_EXIT_SIGNALLED ] || continue
    code=$(sed -n "s/^#define $name  *\\([0-9]*\\).*/\\1/p" "$1/runtime/include/tackle/tackle.h")
    [ -n "$code" ] || complain "tackle.h has no $name"
    echo "$rows" | grep -q "^$code " || complain "README.md has no row for exit $code ($name)"
done
for code in 129 130 141 143; do
    echo "$rows" | grep -q "^$code " || complain "README.md has no row for exit $code"
done

reasons=$(sed -n 's/.*\[STOP_[A-Z_]*\] = {"\([a-z_]*\)".*/\1/p' "$1/runtime/engine/outcome.c")
[ -n "$reasons" ] || complain "outcome.c: no stop reasons found"
for reason in $reasons; do
    grep -q "^| [0-9]* |.*\`$reason\`" "$readme" || complain "README.md has no row for $reason"
done
exit "$failed"
