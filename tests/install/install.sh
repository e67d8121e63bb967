#!/bin/sh
# install.sh SOURCE BUILD CC CFLAGS: what `cmake --install` gives works outside the tree, for people,
# for plugins and for embedding programs, with no variable that says where it is, and after a move.
# CFLAGS is what a program needs to use a library built with sanitizers, or "".
set -eu
source=$1
build=$2
cc=$3
cflags=$4
outside=$source/tests/install/outside
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

# expect TEXT COMMAND...: the command succeeds and its output has the text.
expect() {
    text=$1
    shift
    output=$("$@" 2>&1) || fail "$* failed: $output"
    case $output in
    *"$text"*) ;;
    *) fail "$* does not say '$text' but: $output" ;;
    esac
}

echo "Install, then move"
cmake --install "$build" --prefix "$dir/first" >/dev/null
mkdir "$dir/home" "$dir/work"
export HOME="$dir/home" LC_ALL=C.UTF-8 PATH="$dir/first/bin:$PATH"
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_STATE_HOME TACKLE_PLUGIN_PATH TACKLE_API_KEY LD_LIBRARY_PATH
cd "$dir/work"
expect "tackle 0." tackle version
expect repo-chores tackle agents ls
mv "$dir/first" "$dir/prefix"
prefix=$dir/prefix
PATH="$prefix/bin:$PATH"
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
pkgconfig_file=$(find "$prefix" -name tackle.pc)
PKG_CONFIG_PATH=$(dirname "$pkgconfig_file")

echo "The program"
expect "tackle 0." tackle version
expect repo-chores tackle agents ls
expect "Hello, Ada!" tackle tools call greet '{"name":"Ada"}' --plugin hello
printf 'one\ntwo\n' >numbers.txt
expect two tackle tools call read_file '{"path":"numbers.txt"}'
if [ -e "$(pkg-config --variable=plugindir tackle-plugin)/git.so" ]; then
    expect recorded tackle demo --dir "$dir/demo"
    # What it left is what counts: the check passes, two commits, nothing uncommitted.
    expect "Join words by a single dash" tackle tools call git_log '{"max":1}' -C "$dir/demo"
    expect "Begin" tackle tools call git_log '{}' -C "$dir/demo"
    expect "slug.sh" tackle tools call git_show '{"rev":"HEAD","stat_only":true}' -C "$dir/demo"
    status=$(tackle tools call git_status '{}' -C "$dir/demo")
    case $status in
    *slug.sh* | *CHANGELOG.md*) fail "the demo leaves changes behind: $status" ;;
    esac
    (cd "$dir/demo" && sh check.sh >/dev/null) || fail "the demo's check does not pass"
fi
if [ "$(find "$prefix" -name 'lib*.a')" ]; then fail "static libraries are installed"; fi
man=$(find "$prefix" -name tackle.1)
expect TACKLE head -n 3 "$man"
for completion in bash-completion/completions/tackle zsh/site-functions/_tackle \
    fish/vendor_completions.d/tackle.fish; do
    expect run cat "$prefix/share/$completion"
done

echo "A plugin, with pkg-config"
cp "$source/plugins/hello.c" .
# shellcheck disable=SC2046 # flags
expect "" "$cc" $(pkg-config --cflags tackle-plugin) -shared -fPIC hello.c -o hello.so
expect "" tackle plugins check ./hello.so
expect "Hello, Grace!" tackle tools call greet '{"name":"Grace"}' --plugin ./hello.so

echo "An embedding program, with pkg-config"
# shellcheck disable=SC2046,SC2086
expect "" "$cc" $cflags -Wall -Wextra -Werror "$outside/embed.c" -o embed \
    $(pkg-config --cflags --libs tackle) "-Wl,-rpath,$(pkg-config --variable=libdir tackle)"
expect "12 boxes are left" ./embed "$outside/replies"

echo "Both, with find_package"
expect "" cmake -S "$outside" -B cmake -G Ninja "-DCMAKE_C_COMPILER=$cc" "-DCMAKE_C_FLAGS=$cflags" \
    "-DCMAKE_PREFIX_PATH=$prefix" "-DHELLO_SOURCE=$source/plugins/hello.c"
expect "" cmake --build cmake
expect "12 boxes are left" cmake/embed "$outside/replies"
expect "" tackle plugins check cmake/hello.so
expect "Hello, Ada!" tackle tools call greet '{"name":"Ada"}' --plugin cmake/hello.so
