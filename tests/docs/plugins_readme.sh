#!/bin/sh
# plugins_readme.sh SOURCE_DIR CC: every ```c block of plugins/README.md compiles without a warning;
# a "c plugin" block is a whole plugin that exports one symbol, the first of them is hello.c, and
# the printed cc command builds it.
set -eu
source=$1
cc=$2
readme=$source/plugins/README.md
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
flags="-std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Werror -fPIC -I$source/runtime/include"

fail() {
    echo "$*" >&2
    exit 1
}

exports_one_symbol() {
    symbols=$(nm -D --defined-only "$1" | awk '{ print $3 }')
    [ "$symbols" = tackle_plugin_v1 ] || fail "$2 exports: $symbols"
}

# Each block becomes NUMBER.plugin.c or NUMBER.part.c.
awk -v dir="$dir" '
    /^```c plugin$/ { n++; file = dir "/" n ".plugin.c"; next }
    /^```c$/        { n++; file = dir "/" n ".part.c"; next }
    /^```/          { if (file) close(file); file = ""; next }
    file            { print > file }
' "$readme"

plugins=0
for block in "$dir"/*.plugin.c; do
    # shellcheck disable=SC2086
    "$cc" -shared $flags "$block" -o "$block.so" || fail "block $block of $readme does not compile"
    exports_one_symbol "$block.so" "$block"
    plugins=$((plugins + 1))
done
[ "$plugins" -ge 3 ] || fail "only $plugins whole plugins found in $readme"

parts=0
for block in "$dir"/*.part.c; do
    # shellcheck disable=SC2086
    "$cc" -c $flags -Wno-unused-function -Wno-unused-const-variable -include tackle/plugin.h \
        "$block" -o "$block.o" || fail "block $block of $readme does not compile"
    parts=$((parts + 1))
done
[ "$parts" -ge 5 ] || fail "only $parts examples found in $readme"

cmp "$dir/1.plugin.c" "$source/plugins/hello.c"
lines=$(wc -l < "$source/plugins/hello.c")
[ "$lines" -lt 30 ] || fail "hello.c has $lines lines; it promises to be under 30"

# As a reader does it: the printed command, in a folder that looks like the top of the tree.
command=$(sed -n 's/^\(cc -shared .*\)$/\1/p' "$readme")
[ "$(printf '%s\n' "$command" | wc -l)" = 1 ] || fail "the cc commands in $readme: $command"
mkdir "$dir/top"
ln -s "$source/runtime" "$dir/top/runtime"
cp "$dir/1.plugin.c" "$dir/top/hello.c"
said=$(cd "$dir/top" && sh -c "$command" 2>&1) || fail "$command: $said"
[ -z "$said" ] || fail "$command says: $said"
exports_one_symbol "$dir/top/hello.so" hello.so
