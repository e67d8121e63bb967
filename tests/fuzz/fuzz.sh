#!/bin/sh
# fuzz.sh BUILD [TARGET] [--time 60s]: runs the fuzz targets of a build with libFuzzer, as many at a
# time as there are processors, and prints a line each. What they find is kept: inputs that reach something new in
# BUILD/found/TARGET, inputs that crash in BUILD/crashes.
set -eu
here=$(dirname -- "$0")
build=$1
shift

die() {
    echo "fuzz: $*" >&2
    exit 2
}

# "90", "60s", "5m", "1h" in seconds.
seconds() {
    case ${1%[smh]} in
    '' | *[!0-9]*) die "'$1' is no time; write 60s, 5m or 1h" ;;
    esac
    case $1 in
    *m) echo $((${1%m} * 60)) ;;
    *h) echo $((${1%h} * 3600)) ;;
    *) echo "${1%s}" ;;
    esac
}

targets=$(ls "$here/corpus")
wanted=
one=
time=60
while [ "$#" -gt 0 ]; do
    case $1 in
    --time)
        [ "$#" -ge 2 ] || die "--time needs a time, such as 60s"
        time=$(seconds "$2")
        shift
        ;;
    --time=*) time=$(seconds "${1#*=}") ;;
    --one) one=yes ;; # how this script calls itself
    -*) die "there is no option '$1'; write: fuzz [TARGET] [--time 60s]" ;;
    *)
        [ -d "$here/corpus/$1" ] || die "there is no target '$1'; there are: $(echo "$targets" | xargs)"
        wanted="$wanted $1"
        ;;
    esac
    shift
done

# A number of libFuzzer's statistics.
statistic() {
    sed -n "s/^stat::$1: *//p" "$log"
}

mkdir -p "$build/crashes" "$build/log"
if [ -z "$one" ]; then
    # shellcheck disable=SC2086 # words on purpose
    printf '%s\n' ${wanted:-$targets} |
        xargs -P "$(nproc)" -I TARGET sh "$0" "$build" TARGET --one --time "$time" || exit 1
    exit 0
fi

target=${wanted# }
found=$build/found/$target
log=$build/log/$target.log
mkdir -p "$found"
set -- -max_total_time="$time" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$build/crashes/$target-"
[ ! -e "$here/dict/$target.dict" ] || set -- "$@" -dict="$here/dict/$target.dict"
result=0
"$build/fuzz/$target" "$@" "$found" "$here/corpus/$target" >"$log" 2>&1 || result=$?
line=$(printf '%-10s %10s runs %6s new units' "$target" "$(statistic number_of_executed_units)" \
    "$(statistic new_units_added)")
if [ "$result" -eq 0 ]; then
    echo "$line  ok"
    exit 0
fi
crash=$(sed -n 's/^.*Test unit written to //p' "$log" | tail -n 1)
echo "$line  FAILED: ${crash:-no input was kept}"
grep -m 1 -E 'does not hold|runtime error|SUMMARY' "$log" | sed 's/^/    /' || :
echo "    see $log"
exit 1
