#!/bin/sh
# embed.sh README INCLUDE_DIR CC: the embedding example of the README compiles as it stands.
set -eu
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sh "$here/blocks.sh" "$1" "c embed" >"$folder/example.c"
"$3" -std=c17 -Wall -Wextra -Werror -I"$2" -c "$folder/example.c" -o "$folder/example.o"
