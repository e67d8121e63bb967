#!/bin/sh
# ci_block.sh FILE NAME: prints a script out of a CI file: of the step "- name: NAME" of an action its
# run block, of a GitLab template the block of the key NAME. It fails when there is none.
set -eu
awk -v name="$2" '
    function depth(line) { match(line, /^ */); return RLENGTH }
    inside && (!/^ *$/) && depth($0) < indent { inside = 0 }
    inside { print substr($0, indent + 1); next }
    $0 ~ "^ *- name: " name "$" || $0 ~ "^ *" name ":$" { wanted = 1; next }
    wanted && /^ *(run:|-) \|$/ {
        wanted = 0; inside = 1; found = 1
        getline; indent = depth($0); print substr($0, indent + 1)
    }
    /^ *- name: / { wanted = 0 }
    END { exit !found }
' "$1"
