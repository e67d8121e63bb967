#!/bin/sh
# FLT-03: no process, no pipe, no program can be had for a tool: its call fails and the run goes on.
# shellcheck source-path=SCRIPTDIR source=world
. "$(dirname -- "$0")/world"
command -v strace >/dev/null || skip "strace is not installed"
strace -o /dev/null true 2>/dev/null || skip "processes cannot be traced here"

goes_on() { # CALL ERROR WHEN
    run strace -f -qq -o /dev/null -e "inject=$1:error=$2:when=$3"
    ends "$1 $2"
}
goes_on clone EAGAIN 1
goes_on clone3 EAGAIN 1+
goes_on vfork EAGAIN 1+
goes_on fork EAGAIN 1+
goes_on execve E2BIG 2
goes_on execve ENOEXEC 2+
goes_on execve ETXTBSY 3
goes_on pipe2 EMFILE 2+
goes_on pidfd_open EMFILE 1
# A program that is none is the call's failure, and the model's to look at.
printf 'no program' >"$work/workspace/odd"
chmod +x "$work/workspace/odd"
"$bin/tackle" tools call -C "$work/workspace" --plugin shell --sandbox workspace-write run_command \
    '{"argv":["./odd"]}' >"$work/out" 2>&1 && { echo "a text was run" && exit 1; }
grep -qi "exec\|program" "$work/out" || { cat "$work/out" && exit 1; }
