#!/bin/sh
# FLT-05: under umask 000 and 077 the run works; its journal is for its user alone, and what it writes in
# the workspace is never for everybody to write. And without PATH, and in a folder that is gone.
# shellcheck source-path=SCRIPTDIR source=world
. "$(dirname -- "$0")/world"
for mask in 000 077; do
    umask "$mask"
    rm -rf "$XDG_STATE_HOME"
    run env
    [ "$code" -eq 0 ] || { echo "umask $mask:" && cat "$work/out" && exit 1; }
    open=$(find "$XDG_STATE_HOME" "$XDG_CACHE_HOME" -perm /077 | head -n 3)
    [ -z "$open" ] || { echo "umask $mask: $open" && exit 1; }
    mode=$(stat -c %a "$work/workspace/new.txt")
    [ "$mode" = 664 ] || [ "$mode" = 600 ] || { echo "umask $mask: new.txt is $mode" && exit 1; }
done
run env -u PATH
[ "$code" -eq 0 ] || { echo "without PATH:" && cat "$work/out" && exit 1; }
mkdir "$work/gone"
cd "$work/gone"
rmdir "$work/gone"
run env
[ "$code" -eq 0 ] || { echo "in a folder that is gone:" && cat "$work/out" && exit 1; }
