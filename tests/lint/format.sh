#!/bin/sh
# format.sh ROOT [--write]: every C file is laid out as clang-format does it; --write: lays them out.
# Other versions of clang-format lay out differently, so only one counts.
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
# What lies in tests/abi/1.0 is frozen.
case ${2:-} in
--write) set -- -i ;;
*) set -- --dry-run --Werror ;;
esac
find runtime plugins tests -name '*.[ch]' ! -path 'tests/abi/1.0/*' -exec "$tool" "$@" {} +
