#!/bin/sh
# without_git.sh SOURCE CC: without libgit2 the git plugin is left out with one clear line, and the
# rest is there to be built.
set -eu
source=$1
cc=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A pkg-config that does not know libgit2.
cat >"$dir/pkg-config" <<END
#!/bin/sh
case "\$*" in *libgit2*) exit 1 ;; esac
exec $(command -v pkg-config) "\$@"
END
chmod +x "$dir/pkg-config"

# check NAME LINE OPTION...
check() {
    name=$1
    line=$2
    shift 2
    cmake -S "$source" -B "$dir/$name" -G Ninja "-DCMAKE_C_COMPILER=$cc" -DTACKLE_TESTS=OFF "$@" \
        >"$dir/$name.log" 2>&1 || {
        cat "$dir/$name.log"
        exit 1
    }
    lines=$(grep -i git "$dir/$name.log")
    if [ "$lines" != "-- The git plugin is left out: $line" ]; then
        echo "$name: said of git: $lines"
        exit 1
    fi
    cmake --build "$dir/$name" --target help >"$dir/$name.targets"
    for target in tackle tackle-host plugin_file plugin_shell; do
        grep -q "^$target:" "$dir/$name.targets"
    done
    if grep -q "^plugin_git:" "$dir/$name.targets"; then
        echo "$name: the git plugin is still there"
        exit 1
    fi
}

check missing "there is no libgit2 (Debian: apt install libgit2-dev)" \
    "-DPKG_CONFIG_EXECUTABLE=$dir/pkg-config"
check off "TACKLE_GIT is off" -DTACKLE_GIT=OFF
