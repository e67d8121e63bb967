#!/bin/bash
# record_demo.sh SOURCE_DIR BIN_DIR ENDPOINT: records the demo again, from the replies that are in its recording: for
# when the tools or the agent have changed, and what the model is told with them.
set -euo pipefail
demo=$1/agents/demo bin=$2 endpoint=$3
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT

cp -r "$demo/tape" "$folder/replies"
for reply in "$folder"/replies/*.response; do
    # In pieces of about one event, as fast as a model writes.
    printf '=== reply\nbody-file %s\ntype text/event-stream\nchunk 160\nwait-chunk 24ms\n' "$reply"
done >"$folder/script"
"$endpoint" "$folder/script" >"$folder/url" &
server=$!
for _ in $(seq 100); do
    [ ! -s "$folder/url" ] || break
    sleep 0.1
done

export HOME=$folder TACKLE_API_KEY=none
cp -r "$demo/files" "$folder/repository"
cd "$folder/repository"
git_tool() {
    "$bin/tackle" tools call --bare --plugin git --sandbox workspace-write "$@"
}
git_tool git_init '{}'
git_tool git_add '{"paths":["."]}'
git_tool git_commit '{"message":"Begin","author":"Tackle Demo <demo@example.org>"}'
"$bin/tackle" run --bare --ephemeral -q --base-url "$(head -n 1 "$folder/url")" --record "$demo/tape" --refresh \
    --agent repo-chores "$(cat "$demo/prompt.txt")"
