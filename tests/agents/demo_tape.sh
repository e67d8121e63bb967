#!/bin/bash
# demo_tape.sh SOURCE_DIR BIN_DIR: the demo's recording is one of the tools and the agent of now: each request is the
# recorded one, with real tools and with recorded ones.
set -euo pipefail
demo=$1/agents/demo bin=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder
tackle() {
    "$bin/tackle" "$@"
}

for mode in model full; do
    rm -rf "$folder/repository"
    cp -r "$demo/files" "$folder/repository"
    cd "$folder/repository"
    for call in 'git_init {}' 'git_add {"paths":["."]}' \
        'git_commit {"message":"Begin","author":"Tackle Demo <demo@example.org>"}'; do
        tackle tools call --bare --plugin git --sandbox workspace-write "${call%% *}" "${call#* }" >"$folder/log"
    done
    code=0
    tackle run --bare --ephemeral -q --replay "$demo/tape" --replay-mode $mode --agent repo-chores \
        "$(cat "$demo/prompt.txt")" >"$folder/log" 2>&1 || code=$?
    if [ "$code" -eq 12 ]; then
        echo "the sandbox cannot be had here: $(cat "$folder/log")"
        exit 77
    elif [ "$code" -eq 11 ] && grep -q "changed since it was recorded" "$folder/log"; then
        cat "$folder/log"
        echo "the demo was recorded with other tools or another agent: tests/agents/record_demo.sh does it again"
        exit 77
    elif [ "$code" -ne 0 ]; then
        echo "with --replay-mode $mode it ended with $code: $(cat "$folder/log")"
        exit 1
    fi
done
