#!/bin/sh
# shellcheck disable=SC1091,SC2154
# RES-13: calls of the system that are interrupted by a signal are made again: nothing else changes.
set -eu
. "$(dirname "$0")/traced.inc"
replies <<'END'
=== reply
call write_file {"path":"new.txt","content":"hello\n"}
call run_command {"argv":["cat","in.txt"]}
=== reply
text Done.
when /messages/-1/content contains from a command
END
echo from a command >"$work/in.txt"
# Not read: the loader of programs does not bear it.
calls=write,epoll_wait,epoll_pwait,poll,ppoll,wait4,waitid,fdatasync
traced -e trace=$calls -e inject=$calls:error=EINTR:when=1+3 || fail "it ended with $?"
[ "$(cat "$work/new.txt")" = hello ] || fail "the tool was not run"
[ "$(grep -c INJECTED "$folder/trace")" -gt 10 ] || fail "hardly anything was injected"
run=$(ls "$folder/state/runs")
"$bin/tackle" runs verify --bare --state-dir "$folder/state" "$run" >/dev/null || fail "the journal is damaged"
