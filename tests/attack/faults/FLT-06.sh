#!/bin/sh
# FLT-06: a user without a name, no folder for temporary files, a home that cannot be written, no
# /proc, no /dev/null: a clear message, or a run that does without.
# shellcheck source-path=SCRIPTDIR source=world
. "$(dirname -- "$0")/world"
ask() { # COMMAND...: a run that only answers, in $code and $work/out
    code=0
    timeout -k 5 60 "$@" "$bin/tackle" run -C "$work/workspace" --no-tools --retries 0 "Go." \
        >"$work/out" 2>&1 </dev/null || code=$?
}
says() { # WHAT PATTERN
    grep -q "$2" "$work/out" || { echo "$1 says:" && cat "$work/out" && exit 1; }
}
run env TMPDIR="$work/nowhere"
ends "without a folder for temporary files"
ask env HOME=/nonexistent XDG_STATE_HOME= XDG_CONFIG_HOME= XDG_CACHE_HOME=
ends "without a home"
[ "$code" -eq 0 ] || says "without a home" "state\|journal\|home"
[ "$(id -u)" -eq 0 ] || skip "not root: no other user and no other root folder can be tried"
unshare -m true 2>/dev/null || skip "mounts cannot be changed here"
chmod -R a+rX "$work"
chown -R 54321 "$work/home" "$work/tmp" "$work/workspace"
case $(stat -c %A "$build") in *x) ;; *) skip "the build folder is closed to other users" ;; esac
if setpriv --reuid 54321 --regid 54321 --clear-groups test -x "$bin/tackle"; then
    run setpriv --reuid 54321 --regid 54321 --clear-groups
    ends "a user without a name"
fi
chown -R 0 "$work/home" "$work/tmp" "$work/workspace"
within() { # SCRIPT WHAT: a run where the script has changed the mounts
    run unshare -m sh -c "$1"' && exec "$@"' -
    ends "$2"
}
within 'umount -l /proc' "without /proc"
within 'mount -t tmpfs none /dev' "without /dev/null"
within 'mount -o remount,ro / 2>/dev/null || mount --bind -o ro / /' "on a root that is read-only"
echo "each ended by itself"
