#!/bin/sh
# valgrind.sh PROGRAM...: runs it under memcheck; any error or lost block fails it. Valgrind's own
# remarks (lines with "--PID--", five for each call of openat2, which it does not know) are dropped.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
valgrind --quiet --error-exitcode=99 --leak-check=full --child-silent-after-fork=yes \
    "--suppressions=$(dirname "$0")/valgrind.supp" "--log-file=$log" "$@"
status=$?
grep -v '^--[0-9]*-- ' "$log" >&2
exit $status
