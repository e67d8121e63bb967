#!/bin/sh
# bench.sh BUILD: what tackle itself costs on this machine: the model's replies come from files, so
# that nothing of a network or of an endpoint is measured.
set -eu
build=$(cd "$1" && pwd)
tackle=$build/bin/tackle
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/home" "$dir/work"
cd "$dir/work"
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_STATE_HOME TACKLE_PLUGIN_PATH
export HOME="$dir/home"

# reply FILE DELTA FINISH_REASON: one recorded reply.
reply() {
    cat >"$1" <<END
data: {"id":"r","object":"chat.completion.chunk","choices":[{"index":0,"delta":$2,"finish_reason":"$3"}]}

data: [DONE]

END
}

# recording FOLDER STEPS: a tool call in each step but the last, which answers.
recording() {
    mkdir "$1"
    step=1
    while [ "$step" -lt "$2" ]; do
        echo "This is file $step." >"$step.txt"
        function="{\"name\":\"read_file\",\"arguments\":\"{\\\"path\\\":\\\"$step.txt\\\"}\"}"
        call="{\"index\":0,\"id\":\"call_$step\",\"type\":\"function\",\"function\":$function}"
        reply "$1/$(printf %03d "$step").sse" "{\"tool_calls\":[$call]}" tool_calls
        step=$((step + 1))
    done
    reply "$1/$(printf %03d "$step").sse" '{"content":"Done."}' stop
}

# row LABEL TIMES COMMAND...: sets $cpu, milliseconds.
row() {
    label=$1
    shift
    result=$("$build/tests/measure" "$@")
    # shellcheck disable=SC2086 # four numbers
    printf '%-44s %9s %9s %9s %9s\n' "$label" $result
    cpu=$(echo "$result" | cut -d ' ' -f 3)
}

recording "$dir/one" 1
recording "$dir/two" 2
recording "$dir/twenty" 20

cpu_name=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
load=$(cut -d ' ' -f 1 /proc/loadavg)
echo "machine: ${cpu_name:-unknown}, $(nproc) cores, Linux $(uname -r), load $load"
echo "program: $("$tackle" version), $(basename "$build") build"
if awk "BEGIN { exit !($load > 1) }"; then
    echo "The machine is busy: only the processor times mean something."
fi
echo
printf '%-44s %9s %9s %9s %9s\n' "" "median ms" "least ms" "CPU ms" "most MiB"
row "start a program: true" 50 true
row "start tackle: tackle version" 50 "$tackle" version
row "list the tools: tackle tools ls" 50 "$tackle" tools ls
row "one tool call: tackle tools call read_file" 50 "$tackle" tools call read_file '{"path":"1.txt"}'
row "a run of 1 step" 50 "$tackle" run -q --replay "$dir/one" Go
row "a run of 2 steps, 1 of them a tool call" 50 "$tackle" run -q --replay "$dir/two" Go
two=$cpu
row "a run of 20 steps, 19 of them a tool call" 50 "$tackle" run -q --replay "$dir/twenty" Go
echo
echo "$cpu $two" |
    awk '{ printf "each further step with a tool call: %.2f ms of processor time\n", ($1 - $2) / 18 }'
