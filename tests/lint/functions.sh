#!/bin/sh
# functions.sh ROOT: no call of a function that writes without knowing the size, that keeps hidden
# state, or that cannot tell an error from a number.
set -eu
cd "$1"
start='(^|[^A-Za-z0-9_>.])'
unsafe='strcpy|strcat|stpcpy|strncpy|strncat|sprintf|vsprintf|gets|strtok|strtok_r|atoi|atol|atoll'
unsafe="$unsafe|atof|scanf|alloca|tmpnam|tempnam|mktemp|rand|srand|asctime|ctime"
shell='system|popen'

found=$(
    # A line that begins like one of a comment is prose.
    grep -rnE --include='*.[ch]' "$start($unsafe) *\(" runtime plugins tests |
        grep -vE '^[^:]*:[0-9]*: *(/?\*|//)' || :
    grep -rnE --include='*.[ch]' "$start($shell) *\(" runtime plugins |
        grep -vE '^[^:]*:[0-9]*: *(/?\*|//)' || :
)
[ -z "$found" ] || {
    printf '%s\n' "$found"
    exit 1
}
