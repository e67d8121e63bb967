#!/bin/sh
# FLT-02: a system call of the program fails, each kind at several places of a run: it ends by itself,
# with one of its exit codes, and what its journal has is whole.
# shellcheck source-path=SCRIPTDIR source=world
. "$(dirname -- "$0")/world"
command -v strace >/dev/null || skip "strace is not installed"
strace -o /dev/null true 2>/dev/null || skip "processes cannot be traced here"
run env
[ "$code" -eq 0 ] || { cat "$work/out" && exit 1; }

tried=0
inject() { # CALL ERROR PLACE...
    call=$1
    error=$2
    shift 2
    for place; do
        rm -rf "$XDG_STATE_HOME"
        run strace -qq -o /dev/null -e "inject=$call:error=$error:when=$place"
        # It has not begun: the dynamic linker has found no library.
        grep -q 'error while loading shared libraries' "$work/out" && continue
        ends "$call $error, the one with number $place"
        journal=$(find "$XDG_STATE_HOME" -name journal.jsonl -size +0 2>/dev/null || true)
        if [ -n "$journal" ]; then
            id=$(basename "$(dirname "$journal")")
            "$bin/tackle" runs verify "$id" >"$work/out" 2>&1 || { cat "$work/out" && exit 1; }
        fi
        tried=$((tried + 1))
    done
}
inject write EIO 1 2 3 5 8 13 21
inject write ENOSPC 2 4 7 11 17
inject write EINTR 1 4 9
inject read EIO 3 6 10 15 20
inject read EINTR 2 8 14
inject recvfrom ECONNRESET 1 2 3 5 8
inject recvfrom EAGAIN 1 4
inject sendto EPIPE 1 2 3 4
inject openat EMFILE 4 9 14 20 27 33
inject openat EIO 6 12 18 24
inject openat2 EAGAIN 1
inject socket EMFILE 1 2
inject connect ECONNREFUSED 1
inject connect ENETUNREACH 1
inject socketpair EMFILE 1 2 3
inject pipe2 EMFILE 1 2 3
inject epoll_ctl ENOSPC 1 3 6
inject epoll_wait EINTR 1 3 5
inject mkdir ENOSPC 1 2 3
inject fcntl EINVAL 2 5
inject getrandom EINTR 1
echo "$tried failed calls, no crash"
