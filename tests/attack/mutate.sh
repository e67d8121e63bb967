#!/bin/sh
# mutate.sh BUILD [POINT...] [--part K/N]: switches off one point of enforcement at a time, in a
# build made with TACKLE_MUTATE, and runs the test that mutants.txt names for it. That test must be
# green with the point and red without it. --part: only each N-th point, from the K-th on.
set -eu
list=$(dirname -- "$0")/mutants.txt
build=$1
shift
part=1
parts=1
wanted=' '
while [ $# -gt 0 ]; do
    case $1 in
    --part)
        [ $# -gt 1 ] || { echo "mutate: --part K/N" >&2 && exit 2; }
        part=${2%/*}
        parts=${2#*/}
        shift
        ;;
    -*) echo "mutate: there is no option $1" >&2 && exit 2 ;;
    *) wanted="$wanted$1 " ;;
    esac
    shift
done

run() { # POINT TEST: ctest with this point switched off ("": none)
    TACKLE_MUTANT=$1 ctest --test-dir "$build" --no-tests=error -R "$2" >"$build/mutant.log" 2>&1
}

passed=0
failed=0
number=0
while read -r point test _; do
    case $point in '' | '#'*) continue ;; esac
    number=$((number + 1))
    if [ "$wanted" != ' ' ]; then
        case $wanted in *" $point "*) ;; *) continue ;; esac
    elif [ $((number % parts)) -ne $((part % parts)) ]; then
        continue
    fi
    if ! run '' "$test"; then
        echo "$point: $test fails without a mutation, or there is no such test"
        failed=$((failed + 1))
    elif grep -q 'Skipped' "$build/mutant.log"; then
        echo "$point: $test was skipped"
        failed=$((failed + 1))
    elif run "$point" "$test"; then
        echo "$point: $test passes without it"
        failed=$((failed + 1))
    else
        echo "$point: caught by $test"
        passed=$((passed + 1))
    fi
done <"$list"
echo "mutants: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
