#!/bin/sh
# shellcheck disable=SC1091,SC2154
# RES-12: the disk says once that it has lost what was written. The tool is not run, the run ends with 13, and nobody
# asks the disk again as if all was well.
set -eu
. "$(dirname "$0")/traced.inc"
replies <<'END'
=== reply
call write_file {"path":"new.txt","content":"hello\n"}
=== reply
text Done.
times forever
END
code=0
traced -e trace=fdatasync -e inject=fdatasync:error=EIO:when=1 || code=$?
[ "$code" -eq 13 ] || fail "it ended with $code"
[ ! -e "$work/new.txt" ] || fail "the tool was run"
[ "$(grep -c 'fdatasync(.*INJECTED' "$folder/trace")" -eq 1 ] || fail "it was not injected once"
[ "$(grep -c 'fdatasync(' "$folder/trace")" -eq 1 ] || fail "the disk was asked again"
grep -q "cannot be written" "$folder/log" || fail "nobody says why"
