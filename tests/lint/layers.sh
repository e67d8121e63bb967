#!/bin/sh
# layers.sh ROOT: which folder may include what. An arrow points down only: cli -> api -> io ->
# engine -> wire -> base, and host -> wire -> base; each library is known in one place; the layers
# that decide touch no file and no socket.
set -eu
cd "$1"

# shellcheck disable=SC2016 # a program in awk
find runtime plugins -name '*.[ch]' | LC_ALL=C sort | xargs awk '
    function complain(why) {
        print FILENAME ":" FNR ": " why
        bad = 1
    }
    # places: files and folders that may include it, separated by blanks
    function only_in(header, places,    place, n, i) {
        if (included != header)
            return
        n = split(places, place, " ")
        for (i = 1; i <= n; i++)
            if (index(FILENAME, place[i]) == 1)
                return
        complain("<" header "> is included only in " places)
    }
    BEGIN {
        below["base"] = "base"
        below["wire"] = "wire base"
        below["engine"] = "engine wire base"
        below["io"] = "io engine wire base"
        below["api"] = "api io engine wire base"
        below["host"] = "host wire base"
        untouched = "(open|openat|creat|fopen|opendir|socket|connect|bind|fork|execve|popen)[ ]*[(]"
    }
    FNR == 1 {
        split(FILENAME, part, "/")
        top = part[1]
        layer = part[2]
        files++
    }
    /^[ \t]*#[ \t]*include/ {
        match($0, /["<][^">]*[">]/)
        included = substr($0, RSTART + 1, RLENGTH - 2)
        own = substr($0, RSTART, 1) == "\""
        slash = index(included, "/")
        folder = slash ? substr(included, 1, slash - 1) : layer

        only_in("curl/curl.h", "runtime/io/curl.h tests/bench/floor.c")
        only_in("dlfcn.h", "runtime/host/ runtime/io/layout.c runtime/io/curl.c")
        only_in("yaml.h", "runtime/base/yaml.c")
        only_in("git2.h", "plugins/git/")
        if (top == "plugins" && included == "tackle/tackle.h")
            complain("a plugin knows <tackle/plugin.h> only")
        if (layer == "wire" || layer == "engine")
            if (included ~ /^(fcntl|dirent|unistd|netdb|spawn|poll|sys\/(socket|stat|epoll|wait|mman))\.h$/)
                complain(layer "/ opens no file and no socket: <" included "> has no place here")

        if (own && top == "runtime" && layer == "include")
            complain("a public header includes nothing of the runtime")
        else if (own && layer == "cli" && slash)
            complain("cli/ knows <tackle/tackle.h> only, not \"" included "\"")
        else if (own && top == "runtime" && layer != "cli" && index(" " below[layer] " ", " " folder " ") == 0)
            complain(layer "/ may include " below[layer] ", not \"" included "\"")
        else if (own && top == "plugins" && included == "base/enforce.h")
            next # no code, but in a build that tests the tests
        else if (own && top == "plugins" && included ~ /^(\.\.|base|wire|engine|io|api|host|cli)\//)
            complain("a plugin includes nothing of the runtime but <tackle/plugin.h>")
        next
    }
    (layer == "wire" || layer == "engine") && !/^[ \t]*(\/?\*|\/\/)/ && $0 ~ "(^|[^A-Za-z0-9_])" untouched {
        complain(layer "/ opens no file and no socket")
    }
    /(^|[^A-Za-z0-9_])(dlopen|dlsym)[ ]*[(]/ && !/^[ \t]*(\/?\*|\/\/)/ && layer != "host" && top == "runtime" && FILENAME !~ /io\/curl\.c$/ {
        complain("plugins are loaded in runtime/host/ only")
    }
    END {
        if (files < 50) {
            print "only " files + 0 " files were looked at"
            bad = 1
        }
        exit bad
    }
'
