#!/bin/sh
# blocks.sh FILE INFO: prints the code blocks of a Markdown file whose info string is INFO. It fails
# when there are none, so that a test of them cannot pass by finding nothing.
set -eu
awk -v info="$2" '
    /^```/ { inside = !inside && substr($0, 4) == info; found += inside; next }
    inside { print }
    END { exit !found }
' "$1"
