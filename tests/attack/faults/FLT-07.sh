#!/bin/sh
# FLT-07: killed again and again in one place: nothing piles up, neither temporary files nor processes.
# With a number as third argument: so many times (40).
# shellcheck source-path=SCRIPTDIR source=world
. "$(dirname -- "$0")/world"
number=${3:-40}
n=0
while [ "$n" -lt "$number" ]; do
    "$bin/tackle" run -C "$work/workspace" --sandbox workspace-write --plugin file --plugin shell \
        --retries 0 "Go." >"$work/out" 2>&1 </dev/null &
    run=$!
    sleep "0.$((n % 9 + 1))"
    kill -KILL "$run" 2>/dev/null || true
    wait "$run" 2>/dev/null || true
    n=$((n + 1))
done
sleep 1
run env
[ "$code" -eq 0 ] || { cat "$work/out" && exit 1; }
left=$(find "$work/tmp" -mindepth 1 -maxdepth 1 | wc -l)
[ "$left" -le 1 ] || { echo "$left things are left in TMPDIR" && ls -la "$work/tmp" && exit 1; }
left=$(find "$work/workspace" -mindepth 1 ! -name new.txt | wc -l)
[ "$left" -le 1 ] || { echo "files are left in the workspace" && ls -la "$work/workspace" && exit 1; }
# Those that are still there have this folder as their home.
for process in /proc/[0-9]*; do
    if tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -q "^TMPDIR=$work"; then
        case $(cat "$process/comm" 2>/dev/null) in
        tackle*) echo "a process is left: $process" && exit 1 ;;
        esac
    fi
done
echo "$number kills, nothing is left"
