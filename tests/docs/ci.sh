#!/bin/bash
# ci.sh SOURCE_DIR BIN_DIR ENDPOINT: the steps of docs/ci/ run as a CI system would run them, with the
# tackle that was built and a model that is a script.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$1 bin=$2 endpoint=$3
action=$source/docs/ci/action.yml gitlab=$source/docs/ci/gitlab.yml
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

# has FILE TEXT
has() {
    grep -qF -- "$2" "$1" || fail "$1 has no \"$2\":
$(cat "$1")"
}

# ---- The model ----

cat >"$folder/script" <<'END'
=== reply
text The answer
text ::error::of the model
when /messages/-1/content contains please
times forever
=== reply
error insufficient_credits no credits left
when /messages/-1/content contains broke
times forever
END
"$endpoint" "$folder/script" >"$folder/url" &
server=$!
for _ in $(seq 100); do
    [ ! -s "$folder/url" ] || break
    sleep 0.1
done
url=$(head -n 1 "$folder/url")
[ -n "$url" ] || fail "the scripted endpoint did not start"

# ---- GitHub ----

# The inputs of the action that a step gets, with their defaults.
step_inputs() {
    awk '
        /^inputs:/ { inputs = 1 }
        /^outputs:/ { inputs = 0 }
        inputs && /^  [a-z-]+:$/ { input = $1; sub(":", "", input) }
        inputs && /^    default: / { sub("^    default: ", ""); gsub("\"", ""); value[input] = $0 }
        /^ +INPUT_[A-Z_]+: \$\{\{ inputs\.[a-z-]+ \}\}$/ {
            split($3, part, "."); sub(":", "", $1); print $1 "=" value[part[2]]
        }
    ' "$action"
}

# github NAME SCRIPT INPUT=VALUE...: runs a step; its exit code is in $code.
github() {
    local script=$1
    shift
    mapfile -t environment < <(step_inputs)
    environment+=("$@")
    mkdir -p "$folder/job" "$folder/runner" "$folder/home"
    : >"$folder/output" && : >"$folder/summary"
    code=0
    (cd "$folder/job" && env -i PATH="$bin:$PATH" HOME="$folder/home" LC_ALL=C.UTF-8 CI=true \
        GITHUB_ACTIONS=true GITHUB_OUTPUT="$folder/output" GITHUB_STEP_SUMMARY="$folder/summary" \
        GITHUB_PATH="$folder/path" RUNNER_TEMP="$folder/runner" "${environment[@]}" \
        bash --noprofile --norc -eo pipefail "$script") >"$folder/log" 2>&1 || code=$?
}

sh "$here/ci_block.sh" "$action" Install >"$folder/install"
sh "$here/ci_block.sh" "$action" Run >"$folder/run"
for script in "$folder/install" "$folder/run"; do
    # shellcheck disable=SC2016 # an expression of GitHub
    ! grep -F '${{' "$script" || fail "an expression becomes part of a script in action.yml"
done
[ "$(step_inputs | grep -c '^INPUT_')" -eq 11 ] || fail "not every input reaches the step"

github "$folder/install"
[ "$code" -eq 0 ] || fail "Install ended with $code"
has "$folder/log" "$bin/tackle"

key=sk-of-this-test
# shellcheck disable=SC2016 # what must not be expanded
github "$folder/run" INPUT_PROMPT='please; $(touch pwned) `touch pwned` "; touch pwned' \
    INPUT_BASE_URL="$url" INPUT_API_KEY=$key INPUT_OPTIONS=$'--no-stream\n--tools=read_file'
[ "$code" -eq 0 ] || fail "Run ended with $code: $(cat "$folder/log")"
[ ! -e "$folder/job/pwned" ] || fail "a prompt was run as a command"
has "$folder/output" "exit-code=0"
has "$folder/output" "The answer"
has "$folder/summary" "## tackle: success"
has "$folder/log" ": :error::of the model"
has "$(sed -n 's/^junit-file=//p' "$folder/output")" 'tests="1" failures="0" errors="0"'
has "$(sed -n 's/^answer-file=//p' "$folder/output")" "The answer"
! grep -rF "$key" "$folder/output" "$folder/summary" "$folder/log" "$folder/runner" ||
    fail "the key is told"

github "$folder/run" INPUT_PROMPT="I am broke" INPUT_BASE_URL="$url"
[ "$code" -eq 5 ] || fail "Run ended with $code, not with 5: $(cat "$folder/log")"
has "$folder/output" "exit-code=5"
has "$folder/log" "::error title=tackle::"
has "$folder/summary" "## tackle: error"
grep -qx "answer-file=" "$folder/output" || fail "there is an answer to a run that failed"

github "$folder/run" INPUT_PROMPT="I am broke" INPUT_BASE_URL="$url" INPUT_FAIL=false
[ "$code" -eq 0 ] || fail "with fail: false Run ended with $code"
has "$folder/output" "exit-code=5"

# ---- GitLab ----

# gitlab SCRIPT NAME=VALUE...: the variables of the template, then those of the job.
gitlab() {
    local script=$1
    shift
    mapfile -t environment < <(
        sed -n '/^  variables:/,/^  [a-z_]*script:/s/^    \(TACKLE_[A-Z_]*\): "\{0,1\}\([^"]*\)"\{0,1\}$/\1=\2/p' \
            "$gitlab"
    )
    environment+=("$@")
    mkdir -p "$folder/project"
    code=0
    (cd "$folder/project" && env -i PATH="$bin:$PATH" HOME="$folder/home" LC_ALL=C.UTF-8 CI=true \
        GITLAB_CI=true "${environment[@]}" bash -eo pipefail "$script") >"$folder/log" 2>&1 || code=$?
}

sh "$here/ci_block.sh" "$gitlab" before_script >"$folder/before"
sh "$here/ci_block.sh" "$gitlab" script >"$folder/script.sh"
gitlab "$folder/before" PATH="$bin:$PATH"
[ "$code" -eq 0 ] || fail "before_script ended with $code: $(cat "$folder/log")"
gitlab "$folder/before" PATH=/usr/bin:/bin
[ "$code" -eq 3 ] || fail "without tackle before_script ended with $code: $(cat "$folder/log")"
has "$folder/log" "set TACKLE_REPOSITORY"

gitlab "$folder/script.sh" TACKLE_PROMPT='please "; touch pwned' TACKLE_BASE_URL="$url"
[ "$code" -eq 0 ] || fail "script ended with $code: $(cat "$folder/log")"
[ ! -e "$folder/project/pwned" ] || fail "a prompt was run as a command"
has "$folder/log" "section_start:"
has "$folder/project/tackle-answer.md" "The answer"
has "$folder/project/tackle.xml" 'tests="1" failures="0" errors="0"'
gitlab "$folder/script.sh" TACKLE_PROMPT="I am broke" TACKLE_BASE_URL="$url"
[ "$code" -eq 5 ] || fail "script ended with $code, not with 5: $(cat "$folder/log")"
