/* Descriptions of plugins: from tackle-host, from the cache, and from hosts that misbehave. */
#include "test_support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/plugin.h"

#define HOST    TEST_BUILD_DIR "/bin/tackle-host"
#define PLUGINS TEST_BUILD_DIR "/tests/plugins"

struct world {
    char *dir, *cache, *so; /* a copy of unruly.so */
};

static void copy(const char *from, const char *to)
{
    size_t len;
    char *data = test_read_file(from, &len);
    assert_non_null(data);
    test_write_file(to, data, len);
    free(data);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->dir = test_temp_dir();
    w->cache = test_join(w->dir, "cache/tackle");
    w->so = test_join(w->dir, "unruly.so");
    copy(PLUGINS "/unruly.so", w->so);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    test_remove_tree(w->dir);
    free(w->dir);
    free(w->cache);
    free(w->so);
    free(w);
    return 0;
}

/* A program that does not do what tackle-host does. */
static char *fake_host(const struct world *w, const char *script)
{
    char *path = test_join(w->dir, "host.sh");
    char text[500];
    (void)snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
    test_write_file(path, text, strlen(text));
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static void a_plugin_is_described(void **state)
{
    const struct world *w = *state;
    struct err err;
    struct plugin *p = plugin_load(HOST, NULL, w->so, &err);
    if (!p)
        fail_msg("%s", err.text);
    assert_string_equal(p->name, "unruly");
    assert_string_equal(p->version, "1");
    assert_string_equal(p->description, "Does what it is told.");
    assert_string_equal(p->path, w->so);
    assert_int_equal(p->tool_count, 2);
    assert_string_equal(p->tools[0].name, "act");
    assert_true(p->tools[0].parallel);
    assert_false(p->tools[1].parallel);
    assert_ptr_equal(p->tools[0].owner, p);
    plugin_free(p);
    plugin_free(NULL);
}

static void a_path_is_made_absolute_and_free_of_links(void **state)
{
    const struct world *w = *state;
    struct err err;
    char *link = test_join(w->dir, "link.so");
    assert_int_equal(symlink("unruly.so", link), 0);
    struct plugin *p = plugin_load(HOST, NULL, link, &err);
    assert_non_null(p);
    assert_string_equal(p->path, w->so);
    plugin_free(p);
    free(link);
}

static void what_is_no_plugin_says_why(void **state)
{
    const struct world *w = *state;
    struct err err;
    assert_null(plugin_load(HOST, w->cache, "/no/such.so", &err));
    assert_int_equal(err.code, ERR_PLUGIN);
    assert_non_null(strstr(err.text, "/no/such.so"));
    char *text = test_join(w->dir, "text.so");
    test_write_file(text, "no plugin", 9);
    assert_null(plugin_load(HOST, w->cache, text, &err));
    assert_int_equal(err.code, ERR_PLUGIN);
    assert_non_null(strstr(err.text, text));
    assert_null(plugin_load(HOST, w->cache, w->dir, &err));
    assert_int_equal(err.code, ERR_PLUGIN);
    free(text);
}

static void a_plugin_that_anyone_may_write_is_refused(void **state)
{
    const struct world *w = *state;
    struct err err;
    struct plugin *p = plugin_load(HOST, w->cache, w->so, &err);
    assert_non_null(p); /* it is in the cache now */
    plugin_free(p);
    assert_int_equal(chmod(w->so, 0777), 0);
    assert_null(plugin_load(HOST, w->cache, w->so, &err));
    assert_int_equal(err.code, ERR_PLUGIN);
}

static void the_cache_saves_the_process(void **state)
{
    const struct world *w = *state;
    struct err err;
    struct plugin *p = plugin_load(HOST, w->cache, w->so, &err);
    assert_non_null(p);
    plugin_free(p);
    p = plugin_load("/no/such/host", w->cache, w->so, &err);
    if (!p)
        fail_msg("%s", err.text);
    assert_string_equal(p->name, "unruly");
    assert_int_equal(p->tool_count, 2);
    plugin_free(p);
}

static void a_file_that_has_changed_is_described_anew(void **state)
{
    const struct world *w = *state;
    struct err err;
    struct plugin *p = plugin_load(HOST, w->cache, w->so, &err);
    assert_non_null(p);
    plugin_free(p);
    copy(PLUGINS "/twin.so", w->so);
    p = plugin_load(HOST, w->cache, w->so, &err);
    assert_non_null(p);
    assert_string_equal(p->name, "twin");
    plugin_free(p);
}

/* The one file in the cache, wherever it is. */
static char *cache_file(const struct world *w)
{
    char command[300], path[300] = "";
    (void)snprintf(command, sizeof command, "find %s -type f", w->cache);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    assert_non_null(fgets(path, sizeof path, pipe));
    assert_int_equal(pclose(pipe), 0);
    path[strcspn(path, "\n")] = '\0';
    return strdup(path);
}

static void a_broken_cache_costs_time_only(void **state)
{
    static const char *const contents[] = {"", "{", "[]", "{\"v\":1}", "\xff\xfe", "null"};
    const struct world *w = *state;
    struct err err;
    struct plugin *p = plugin_load(HOST, w->cache, w->so, &err);
    assert_non_null(p);
    plugin_free(p);
    char *file = cache_file(w);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        test_write_file(file, contents[i], strlen(contents[i]));
        p = plugin_load(HOST, w->cache, w->so, &err);
        assert_non_null(p);
        plugin_free(p);
    }
    assert_int_equal(unlink(file), 0);
    assert_int_equal(symlink("/etc/passwd", file), 0); /* not followed, not written through */
    p = plugin_load(HOST, w->cache, w->so, &err);
    assert_non_null(p);
    plugin_free(p);
    assert_int_equal(lstat(file, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkdir(file, 0700), 0);
    p = plugin_load(HOST, w->cache, w->so, &err);
    assert_non_null(p);
    plugin_free(p);
    free(file);
}

static void a_cache_that_cannot_be_written_costs_time_only(void **state)
{
    const struct world *w = *state;
    struct err err;
    struct plugin *p = plugin_load(HOST, "/proc/nowhere", w->so, &err);
    assert_non_null(p);
    plugin_free(p);
}

static void check_host(const struct world *w, const char *script, const char *message)
{
    struct err err = {.code = ERR_NONE};
    char *host = fake_host(w, script);
    assert_null(plugin_load(host, w->cache, w->so, &err));
    assert_int_equal(err.code, ERR_PLUGIN);
    if (!strstr(err.text, message))
        fail_msg("%s: %s", script, err.text);
    free(host);
}

static void a_host_that_dies_is_a_message(void **state)
{
    check_host(*state, "exit 3", "ended with exit status 3 while it loaded the plugin");
    check_host(*state, "kill -SEGV $$", "was killed by SIGSEGV while it loaded the plugin");
    check_host(*state, "echo '{\"path\":'; exit 1", "ended with exit status 1");
    check_host(*state, "echo rubbish", "ended with exit status 0");
    check_host(*state, "echo '[1]'", "ended with exit status 0");
    check_host(*state, "yes | head -c 3000000", "more than 2 MiB");
    check_host(*state, "echo '{\"tools\":[{\"name\":7}]}'", "tool ''");
    check_host(*state, "echo '{\"problems\":[{\"what\":\"it is odd\",\"fix\":\"make it even\"}]}'",
               "it is odd; make it even");
}

/* It has closed its output, and does not end all the same: that must not be waited for. */
static void a_host_that_hangs_without_output_is_ended(void **state)
{
    const struct world *w = *state;
    struct err err;
    char *host = fake_host(w, "exec >&- 2>&- <&-\nexec sleep 1000");
    assert_null(plugin_load(host, w->cache, w->so, &err));
    assert_int_equal(err.code, ERR_PLUGIN);
    assert_non_null(strstr(err.text, "loading it: did not finish"));
    free(host);
}

static void a_host_that_is_missing_says_so(void **state)
{
    const struct world *w = *state;
    struct err err;
    assert_null(plugin_load("/no/such/host", w->cache, w->so, &err));
    assert_non_null(strstr(err.text, "/no/such/host"));
}

static void check_option(const struct plugin *p, const char *option, const char *value,
                         const char *message)
{
    struct err err = {.code = ERR_NONE};
    int status = plugin_check_option(p, option, value, &err);
    if (!message) {
        if (status != 0)
            fail_msg("%s", err.text);
        return;
    }
    assert_int_equal(status, -1);
    assert_int_equal(err.code, ERR_USAGE);
    if (!strstr(err.text, message))
        fail_msg("%s", err.text);
}

static void options_are_checked(void **state)
{
    const struct world *w = *state;
    struct err err;
    struct plugin *p = plugin_load(HOST, NULL, w->so, &err);
    assert_non_null(p);
    check_option(p, "open", "anything", NULL);
    check_option(p, "open", "", NULL);
    check_option(p, "url", "https://example.org/x", NULL);
    check_option(p, "url", "example.org", "is not a plain http or https URL");
    check_option(p, "count", "-7", NULL);
    check_option(p, "count", "seven", "is not a whole number");
    check_option(p, "count", "", "is not a whole number");
    check_option(p, "count", "99999999999999999999", "is not a whole number");
    check_option(p, "count", " 7", "is not a whole number");
    check_option(p, "loud", "true", NULL);
    check_option(p, "loud", "maybe", "is not true or false");
    check_option(p, "opne", "x", "did you mean 'open'");
    check_option(p, "colour_of_it", "x", "tackle plugins info unruly");
    assert_string_equal(plugin_option_default(p, "open"), "well");
    assert_null(plugin_option_default(p, "count"));
    assert_null(plugin_option_default(p, "nothing"));
    plugin_free(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plugin_is_described),          TEST(a_path_is_made_absolute_and_free_of_links),
        TEST(what_is_no_plugin_says_why),     TEST(a_plugin_that_anyone_may_write_is_refused),
        TEST(the_cache_saves_the_process),    TEST(a_file_that_has_changed_is_described_anew),
        TEST(a_broken_cache_costs_time_only), TEST(a_cache_that_cannot_be_written_costs_time_only),
        TEST(a_host_that_dies_is_a_message),  TEST(a_host_that_hangs_without_output_is_ended),
        TEST(a_host_that_is_missing_says_so), TEST(options_are_checked),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
