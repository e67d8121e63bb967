#!/bin/bash
# testing_agents.sh SOURCE_DIR BIN_DIR ENDPOINT: docs/testing-agents.md, followed from top to bottom in a new
# repository, with a model that is a script.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
page=$1/docs/testing-agents.md bin=$2 endpoint=$3
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

# block INFO: the block of that info string.
block() {
    sh "$here/blocks.sh" "$page" "$1"
}

cat >"$folder/script" <<'END'
=== reply
call read_file {"path":"manual.md"}
call read_file {"path":"glossary.md"}
when /messages/-1/role is user
times forever
=== reply
text I added one term.
when /messages/-1/name is edit_file
times forever
=== reply
call edit_file {"path":"glossary.md","old_text":"run\n","new_text":"run\n- probe: asks a tool whether it had done its work\n"}
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

# Each block whose info string has a path is that file.
mkdir "$folder/home" "$folder/work"
cd "$folder/work"
git init -q .
git config user.name Ann
git config user.email ann@example.org
sed -n 's/^```[a-z]* \([^ ]*[./][^ ]*\)$/\1/p' "$page" >"$folder/files"
[ "$(wc -l <"$folder/files")" -eq 6 ] || fail "the page has other files: $(cat "$folder/files")"
while read -r path; do
    mkdir -p "$(dirname "$path")"
    block "$(sed -n 's/^```\([a-z]* [^ ]*\)$/\1/p' "$page" | grep -F -- " $path")" >"$path"
done <"$folder/files"

# follow NAME [SED]: runs the block "sh NAME", its commands changed by SED.
follow() {
    block "sh $1" | sed "${2-}" >"$folder/block"
    env -i HOME="$folder/home" PATH="$bin:$PATH" LC_ALL=C.UTF-8 sh -eux "$folder/block" >"$folder/log" 2>&1 ||
        fail "the block $1 failed: $(cat "$folder/log")"
}

record="s#--record#--record --base-url $url#"
follow record "$record"
[ -s tests/agent/tape/manifest.json ] || fail "nothing was recorded"
kill "$server" # from here on there is no model
wait "$server" || :
server=
follow replay
grep -q "no file was written" "$folder/log" || fail "the tools were run: $(cat "$folder/log")"
follow change
# What it says is what the page says.
block text | while read -r line; do
    grep -qF -- "$line" "$folder/log" || fail "the page says \"$line\", and not: $(cat "$folder/log")"
done
sed -n 's/^ *- run: //p' .github/workflows/agent.yml >"$folder/ci"
git stash -q
env -i HOME="$folder/home" PATH="$bin:$PATH" CI=true sh -e "$folder/ci" || fail "the CI step failed"
git stash pop -q

"$endpoint" "$folder/script" >"$folder/url" &
server=$!
for _ in $(seq 100); do
    [ "$(head -n 1 "$folder/url")" != "" ] && break
    sleep 0.1
done
record="s#--record#--record --base-url $(head -n 1 "$folder/url")#"
follow refresh "$record"
