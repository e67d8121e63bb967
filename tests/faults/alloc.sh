#!/bin/sh
# alloc.sh BUILD [RUNS]: runs each unit test as often as it allocates memory, RUNS times at most
# (40), evenly spread; in each run one allocation fails. The test may fail then. It must not crash in
# the code that it tests, and must end.
set -eu
build=$1
most=${2:-40}
preload=$(cd "$build/tests" && pwd)/fail_alloc.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ours FILE: is the first frame of a crash that is in this tree in the code under test?
ours() {
    sed -n 's/^crash: \(.*\)+\(0x[0-9a-f]*\)$/\1 \2/p' "$1" | while read -r object offset; do
        case $object in "$build"/* | "$(cd "$build" && pwd)"/*) ;; *) continue ;; esac
        place=$(addr2line -i -e "$object" "$offset" | xargs) # an inlined function has more lines
        case $place in
        *tests/faults/* | '??'*) ;;
        *tests/*) exit 0 ;;
        *) echo "$place" && exit 0 ;;
        esac
    done
}

# one PROGRAM: its runs; a line for each crash, and the number of runs in a file.
one() {
    program=$1
    name=$(basename "$program")
    mkdir "$work/$name"
    count=$work/$name/count
    out=$work/$name/out
    (cd "$work/$name" && FAIL_ALLOC_COUNT=$count LD_PRELOAD=$preload timeout 60 "$program") \
        >/dev/null 2>&1 || true
    total=$(cat "$count" 2>/dev/null || echo 0)
    step=$(((total + most - 1) / most))
    [ "$step" -gt 0 ] || step=1
    n=1
    runs=0
    while [ "$n" -le "$total" ]; do
        code=0
        (cd "$work/$name" && FAIL_ALLOC=$n LD_PRELOAD=$preload exec timeout -k 5 20 "$program") \
            >"$out" 2>&1 || code=$?
        if [ "$code" -ge 124 ]; then
            place=$(ours "$out")
            [ "$code" -ne 124 ] || grep -q '^crash: ' "$out" || place="it does not end"
            [ -z "$place" ] || echo "$name, allocation $n: $place"
        fi
        n=$((n + step))
        runs=$((runs + 1))
    done
    echo "$runs" >"$work/$name/runs"
}

if [ "${3-}" = one ]; then
    one "$4" >"$5"
    cp "$work/$(basename "$4")/runs" "$6"
    exit 0
fi
# shellcheck disable=SC2016 # it is the inner shell that expands it
job='name=$(basename "$4")
    "$1" "$2" "$3" one "$4" "$5/$name.found" "$5/$name.runs"'
for program in "$build"/tests/test_*_*; do
    case $program in
    *.*) continue ;;
    */test_cli_program) continue ;; # waits for programs of its own, whose memory is taken too
    esac
    echo "$program"
done | xargs -P "$(nproc)" -I '{}' sh -c "$job" - "$0" "$build" "$most" '{}' "$work"
cat "$work"/*.found
crashes=$(cat "$work"/*.found | wc -l)
echo "$(cat "$work"/*.runs | awk '{ sum += $1 } END { print sum + 0 }') runs with memory missing," \
    "$crashes crashes"
[ "$crashes" -eq 0 ]
