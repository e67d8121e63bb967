#!/bin/sh
# tidy.sh ROOT: clang-tidy has nothing to say about the runtime (.clang-tidy says what it looks for).
# It reads how files are compiled from build/dev.
set -eu
cd "$1"
if ! command -v clang-tidy >/dev/null; then
    echo "clang-tidy is not installed"
    exit 77
fi
if [ ! -e build/dev/compile_commands.json ]; then
    echo "there is no build/dev/compile_commands.json; ./dev build dev makes it"
    exit 77
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
find runtime plugins -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 4 \
    clang-tidy --quiet --extra-arg=-Wno-unknown-warning-option -p build/dev >"$log" 2>/dev/null || {
    cat "$log"
    exit 1
}
