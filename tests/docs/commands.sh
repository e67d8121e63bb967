#!/bin/sh
# commands.sh README BIN_DIR: the sh blocks of the README run, one after the other, in a new folder
# and for a user who has set up nothing.
set -eu
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sh "$here/blocks.sh" "$1" sh >"$folder/commands"
mkdir "$folder/home" "$folder/work"
cd "$folder/work"
env -i HOME="$folder/home" PATH="$2:$PATH" LC_ALL=C.UTF-8 sh -eux "$folder/commands"
