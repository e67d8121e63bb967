/* Whether a sandbox can be had is asked once, of a tackle-host; good answers are kept, bad ones
 * not. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/confine_probe.h"

#define GOOD "{\"tier\":\"t3\",\"landlock\":7,\"cgroup\":\"pids\",\"via\":\"self\"}"

struct world {
    char *dir, *cache, *host, *asked, *file;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->dir = test_temp_dir();
    w->cache = test_join(w->dir, "cache/tackle");
    w->host = test_join(w->dir, "host");
    w->asked = test_join(w->dir, "asked");
    w->file = test_join(w->cache, "sandbox/t3.json");
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    test_remove_tree(w->dir);
    free(w->dir);
    free(w->cache);
    free(w->host);
    free(w->asked);
    free(w->file);
    free(w);
    return 0;
}

/* A tackle-host that notes each time it is asked, then does this. */
static void make_host(const struct world *w, const char *script)
{
    char text[1024];
    int len = snprintf(text, sizeof text, "#!/bin/sh\necho \"$*\" >> '%s'\n%s\n", w->asked, script);
    (void)unlink(w->host);
    test_write_file(w->host, text, (size_t)len);
    assert_int_equal(chmod(w->host, 0755), 0);
}

static size_t times_asked(const struct world *w)
{
    size_t len = 0, lines = 0;
    char *text = test_read_file(w->asked, &len);
    for (size_t i = 0; text && i < len; i++)
        lines += text[i] == '\n';
    free(text);
    return lines;
}

static void a_good_answer_is_kept(void **state)
{
    const struct world *w = *state;
    struct confine_offer offer;
    struct err err;
    make_host(w, "echo '" GOOD "'");
    for (int i = 0; i < 3; i++) {
        if (confine_probe(w->host, w->cache, "t3", &offer, &err) != 0)
            fail_msg("%s", err.text);
        assert_true(offer.had);
        assert_int_equal(offer.landlock, 7);
        assert_string_equal(offer.cgroup, "pids");
        assert_string_equal(offer.via, "self");
    }
    assert_int_equal(times_asked(w), 1);
    size_t len;
    char *asked = test_read_file(w->asked, &len);
    assert_string_equal(asked, "probe t3\n");
    free(asked);
    /* Another program: what the old one could do is nothing to it. */
    make_host(w, "echo '" GOOD "' # another");
    assert_int_equal(confine_probe(w->host, w->cache, "t3", &offer, &err), 0);
    assert_int_equal(times_asked(w), 2);
    /* Without a cache it is asked each time. */
    assert_int_equal(confine_probe(w->host, NULL, "t3", &offer, &err), 0);
    assert_int_equal(times_asked(w), 3);
}

static void a_bad_answer_is_not_kept(void **state)
{
    const struct world *w = *state;
    struct confine_offer offer;
    struct err err;
    make_host(w, "echo '{\"problem\":\"no\",\"step\":\"uid_map\"}'; exit 3");
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(confine_probe(w->host, w->cache, "t3", &offer, &err), -1);
        assert_int_equal(err.code, ERR_SANDBOX);
        assert_false(offer.had);
        assert_non_null(strstr(err.text, "'uid_map': no; user namespaces are"));
        assert_int_equal(times_asked(w), i);
    }
    assert_int_equal(access(w->file, F_OK), -1);
}

static void an_answer_that_is_none_is_a_refusal(void **state)
{
    static const struct {
        const char *script, *text;
    } cases[] = {
        {"exit 3", "tackle-host ended with exit status 3"},
        {"kill -SEGV $$", "tackle-host was killed by SIGSEGV"},
        {"echo rubbish", "tackle-host ended with exit status 0"},
        {"echo '[]'", "tackle-host ended with exit status 0"},
        {"echo '{}'", "tackle-host ended"},
        {"echo '{\"tier\":\"t2\"}'", "cannot be had"},
        {"echo '{\"tier\":7}'", "cannot be had"},
        {"echo '{\"tier\":\"t3\",\"problem\":\"half of it\"}'", "half of it"},
    };
    const struct world *w = *state;
    struct confine_offer offer;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {.text = ""};
        make_host(w, cases[i].script);
        assert_int_equal(confine_probe(w->host, w->cache, "t3", &offer, &err), -1);
        assert_int_equal(err.code, ERR_SANDBOX);
        assert_false(offer.had);
        if (!strstr(err.text, cases[i].text))
            fail_msg("%s: %s", cases[i].script, err.text);
    }
    struct err err;
    assert_int_equal(confine_probe("/no/such/program", w->cache, "t3", &offer, &err), -1);
    assert_int_equal(err.code, ERR_SANDBOX);
}

/* What lies in the cache may be damaged, of another tier, or of another boot. */
static void a_cache_is_believed_only_as_far_as_its_key(void **state)
{
    const struct world *w = *state;
    struct confine_offer offer;
    struct err err;
    size_t len;
    make_host(w, "echo '" GOOD "'");
    assert_int_equal(confine_probe(w->host, w->cache, "t3", &offer, &err), 0);
    char *good = test_read_file(w->file, &len);
    assert_non_null(good);
    static const char *const bad[] = {"", "{", "[]", "{\"key\":\"1\",\"had\":" GOOD "}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        test_write_file(w->file, bad[i], strlen(bad[i]));
        assert_int_equal(confine_probe(w->host, w->cache, "t3", &offer, &err), 0);
        assert_int_equal(times_asked(w), i + 2);
        char *again = test_read_file(w->file, &len);
        assert_string_equal(again, good);
        free(again);
    }
    /* A link to a good one is nobody's cache. */
    char *elsewhere = test_join(w->dir, "elsewhere");
    assert_int_equal(rename(w->file, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, w->file), 0);
    size_t before = times_asked(w);
    assert_int_equal(confine_probe(w->host, w->cache, "t3", &offer, &err), 0);
    assert_int_equal(times_asked(w), before + 1);
    free(elsewhere);
    free(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_answer_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_answer_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_that_is_none_is_a_refusal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cache_is_believed_only_as_far_as_its_key, set_up,
                                        tear_down),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
