#!/bin/sh
# format.sh ROOT: every C file is laid out as clang-format does it. Other versions of clang-format
# lay out differently, so only one counts.
set -eu
cd "$1"
version=14
tool=clang-format-$version
command -v "$tool" >/dev/null || tool=clang-format
if ! command -v "$tool" >/dev/null; then
    echo "clang-format is not installed"
    exit 77
fi
case $("$tool" --version) in
*"version $version."*) ;;
*)
    echo "this is $("$tool" --version), and the layout is that of version $version"
    exit 77
    ;;
esac
find runtime plugins tests -name '*.[ch]' -exec "$tool" --dry-run --Werror {} +
