#!/bin/sh
# shellcheck disable=SC1091,SC2154
# RES-21: after a power cut there is on disk what was synced, and no more. At the moment an effect begins, the record
# that announces it must be there: each write of the journal and each sync of a run is looked at in its order.
set -eu
. "$(dirname "$0")/traced.inc"
replies <<'END'
=== reply
call write_file {"path":"one.txt","content":"1\n"}
call run_command {"command":"echo 2 > two.txt"}
=== reply
call write_file {"path":"three.txt","content":"3\n"}
=== reply
text Done.
END
traced -e trace=write,fdatasync,linkat,renameat,renameat2,rename,execve || fail "it ended with $?"
awk '
    # What another process does in between cuts a line in two.
    /resumed>/ && /fdatasync/ && / = 0$/ { for (n in written) durable[n] = 1; next }
    /fdatasync\(.*journal.jsonl/ && / = 0$/ { for (n in written) durable[n] = 1; next }
    /write\(.*journal.jsonl/ && /tool_started/ { written[++started] = 1; next }
    /(linkat|rename[a-z0-9]*)\(.*(one|three)\.txt"/ || /execve\(.*echo 2/ {
        effects++
        if (effects > started || !durable[effects]) {
            print "effect " effects " began before its record was on disk: " $0
            bad = 1
        }
    }
    END {
        if (effects != 3 || started != 3) {
            print effects + 0 " effects and " started + 0 " records were seen, and not 3"
            bad = 1
        }
        exit bad
    }
' "$folder/trace" || fail "see above"
