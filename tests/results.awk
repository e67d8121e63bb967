# results.awk: what ./dev test tells people of ctest's results (--output-junit): every failed test
# with the end of its output, every skipped one with its reason, and a last line "counts PASSED
# FAILED SKIPPED". A test that did not run, or that was skipped without a reason, has failed.

function plain(text) {
    gsub(/&lt;/, "<", text)
    gsub(/&gt;/, ">", text)
    gsub(/&quot;/, "\"", text)
    gsub(/&apos;/, "'", text)
    gsub(/&#9;/, "\t", text)
    gsub(/&amp;/, "\\&", text)
    return text
}

function attribute(name,    at) {
    at = index($0, " " name "=\"")
    if (!at)
        return ""
    at = substr($0, at + length(name) + 3)
    return plain(substr(at, 1, index(at, "\"") - 1))
}

function reason(text) {
    sub(/^[Ss](KIPPED|kipped):? +/, "", text)
    return text
}

# The end of the output, without what says that all is well.
function fail(why,    i, kept, text) {
    failed++
    print "failed: " test ": " why
    for (i = 1; i <= count; i++)
        if (line[i] !~ /^\[ RUN  |^\[       OK \]|^--[0-9]+-- /)
            text[++kept] = length(line[i]) > 300 ? substr(line[i], 1, 300) " ..." : line[i]
    for (i = kept > 40 ? kept - 39 : 1; i <= kept; i++)
        print "    " text[i]
}

# The cases that a cmocka program skipped; the line before says why. Returns the name of one that
# was skipped without a reason. After each group cmocka lists them once more.
function tell_skipped_cases(    i, listed) {
    for (i = 1; i <= count; i++) {
        if (line[i] ~ /^\[==========\]/)
            listed = line[i] !~ /Running/
        if (listed || line[i] !~ /^\[  SKIPPED \] /)
            continue
        if (line[i - 1] ~ /^\[/)
            return substr(line[i], 14)
        print "skipped case: " test ": " substr(line[i], 14) ": " reason(line[i - 1])
    }
    return ""
}

function finish(    lost) {
    while (count && line[count] ~ /^[ \t]*$/)
        count--
    if (status == "run") {
        lost = tell_skipped_cases()
        if (lost == "")
            passed++
        else
            fail("case " lost " was skipped without a reason")
    } else if (message ~ /^SKIP_/ && count) {
        skipped++
        print "skipped: " test ": " reason(line[count])
    } else if (message ~ /^SKIP_/) {
        fail("skipped without a reason")
    } else if (status == "fail") {
        fail(count ? "the end of its output:" : "no output: out of time, or killed")
    } else {
        fail("did not run: " (message == "" ? status : message))
    }
}

/^\t<testcase / {
    test = attribute("name")
    status = attribute("status")
    message = ""
    count = inside = 0
    next
}
/^\t\t<(skipped|failure) / {
    message = attribute("message")
    next
}
/^\t\t<system-out>/ {
    inside = 1
    sub(/^\t\t<system-out>/, "")
}
inside {
    inside = !sub(/<\/system-out>$/, "")
    line[++count] = plain($0)
    next
}
/^\t<\/testcase>/ { finish() }
END { print "counts", passed + 0, failed + 0, skipped + 0 }
