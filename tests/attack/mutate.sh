#!/bin/sh
# mutate.sh BUILD [POINT...] [--part K/N] [--jobs N] [--list]: switches off one point of enforcement
# at a time, in a build made with TACKLE_MUTATE, and runs the tests that mutants.txt names for it.
# They must be green with the point and red without it.
#   --part K/N   only each N-th point, from the K-th on
#   --jobs N     so many points at the same time (2)
#   --list       only say which points there are, and their tests
set -eu
list=$(dirname -- "$0")/mutants.txt
build=$1
shift
part=1
parts=1
jobs=2
only_list=no
wanted=' '

die() {
    echo "mutate: $*" >&2
    exit 2
}

# number NAME TEXT
number() {
    case $2 in '' | *[!0-9]* | 0) die "$1 takes a number from 1 on, not '$2'" ;; esac
}

while [ $# -gt 0 ]; do
    case $1 in
    --part)
        [ $# -gt 1 ] || die "--part takes K/N"
        part=${2%/*}
        parts=${2#*/}
        number --part "$part"
        number --part "$parts"
        shift
        ;;
    --jobs)
        [ $# -gt 1 ] || die "--jobs takes a number"
        jobs=$2
        number --jobs "$jobs"
        shift
        ;;
    --list) only_list=yes ;;
    -*) die "there is no option $1; the options are --part, --jobs, --list" ;;
    *)
        grep -q "^$1 " "$list" || die "there is no point $1; --list names them"
        wanted="$wanted$1 "
        ;;
    esac
    shift
done

# The points to try: "POINT TEST" a line.
chosen() {
    position=0
    while read -r point test _; do
        case $point in '' | '#'*) continue ;; esac
        position=$((position + 1))
        if [ "$wanted" != ' ' ]; then
            case $wanted in *" $point "*) ;; *) continue ;; esac
        elif [ $((position % parts)) -ne $((part % parts)) ]; then
            continue
        fi
        echo "$point $test"
    done <"$list"
}

if [ "$only_list" = yes ]; then
    chosen | awk '{ printf "%-28s %s\n", $1, $2 }'
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# xargs would pass an interrupt on too late.
trap 'exit 130' INT TERM

# One point in a process of its own; its last line is the verdict.
cat >"$work/try" <<'END'
#!/bin/sh
set -u
build=$1 work=$2 point=$3 test=$4
log=$work/$point.log
run() { # POINT: ctest with this point switched off ("": none)
    TACKLE_MUTANT=$1 ctest --test-dir "$build" --no-tests=error --output-on-failure -R "$test" >"$log" 2>&1
}
say() {
    printf '%-10s %-28s %s\n' "$1" "$point" "$2"
    printf '%s\n' "$1" >"$work/$point.verdict"
    [ "$1" = caught ] || [ "$1" = skipped ] || sed 's/^/    /' "$log" | tail -n 30
}
if ! run ''; then
    say broken "$test fails with every point in force, or there is no such test"
elif ! grep -q ' Passed ' "$log"; then
    say skipped "$test is skipped on this machine"
elif run "$point"; then
    say SURVIVED "$test passes without it"
else
    say caught "by $test"
fi
END
chosen >"$work/chosen"
# Each line is two words: POINT TEST, neither with blanks or quotes.
xargs -L 1 -P "$jobs" sh "$work/try" "$build" "$work" <"$work/chosen" || :

count() {
    cat "$work"/*.verdict 2>/dev/null | grep -cx "$1" || :
}
total=$(wc -l <"$work/chosen")
caught=$(count caught)
skipped=$(count skipped)
echo "mutants: $caught of $total caught, $skipped skipped, $(count SURVIVED) survived, $(count broken) broken"
[ "$caught" -gt 0 ] && [ $((caught + skipped)) -eq "$total" ]
