/* What a call may reach: by the URL, by the address, through a proxy. */
#include "test_support.h"

#include <stdio.h>
#include <string.h>

#include "engine/reach.h"

struct world {
    struct settings settings;
    struct network network;
    struct hosts granted;
    struct reach reach;
    struct reach_target target;
    struct buf url;
    struct err err;
    const char *option; /* of the plugin */
    bool by_operator;
    const char *https_proxy;
};

static const char *variable(void *user, const char *name)
{
    const struct world *w = user;
    return strcmp(name, "https_proxy") == 0 ? w->https_proxy : NULL;
}

static const char *option(void *user, const char *name, bool *by_operator)
{
    const struct world *w = user;
    assert_string_equal(name, "url");
    *by_operator = w->by_operator;
    return w->option;
}

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.option = NULL};
    buf_init(&w.url, 1000);
    *state = &w;
    return settings_init(&w.settings);
}

static int tear_down(void **state)
{
    struct world *w = *state;
    buf_release(&w->url);
    reach_release(&w->reach);
    hosts_release(&w->granted);
    network_release(&w->network);
    settings_release(&w->settings);
    return 0;
}

static void set(struct world *w, const char *key, const char *value)
{
    if (settings_set(&w->settings, LAYER_FLAG, key, value, &w->err) != 0)
        fail_msg("%s", w->err.text);
}

/* A tool with these hosts, in a run with the settings so far. */
static void offer(struct world *w, const char *const *hosts, const char *args)
{
    json_t *declared = json_loads("{\"properties\":{\"url\":{\"format\":\"url\"},"
                                  "\"text\":{},\"urls\":{\"format\":\"url\"}}}",
                                  0, NULL);
    json_t *given = json_loads(args ? args : "{}", 0, NULL);
    const struct tool tool = {.hosts = (char **)(uintptr_t)hosts, .declared = declared};
    assert_int_equal(reach_grant(&w->granted, &tool, given, &w->err), 0);
    json_decref(given);
    json_decref(declared);
    assert_int_equal(network_init(&w->network, &w->settings, variable, w, &w->err), 0);
    assert_int_equal(reach_init(&w->reach, &w->network, &tool, &w->granted, option, w, &w->err), 0);
}

static enum err_code judge(struct world *w, const char *url)
{
    buf_clear(&w->url);
    w->err = (struct err){.code = ERR_NONE};
    (void)reach_judge(&w->reach, url, &w->target, &w->url, &w->err);
    return w->err.code;
}

static bool may_connect(struct world *w, const char *address)
{
    struct address a;
    assert_int_equal(address_parse(address, strlen(address), &a), 0);
    return reach_may_connect(&w->target, &a, &w->err);
}

static const char *const any[] = {"*", NULL};

static void a_tool_reaches_what_it_declares(void **state)
{
    static const char *const hosts[] = {"api.example.org", "other.org:8443", "no..host", NULL};
    struct world *w = *state;
    set(w, "allow_host", "allowed.org");
    offer(w, hosts, NULL);
    assert_int_equal(judge(w, "https://API.example.org/a?b=c#d"), ERR_NONE);
    assert_string_equal(w->url.data, "https://api.example.org:443/a?b=c");
    assert_string_equal(w->target.shown, "api.example.org");
    assert_int_equal(judge(w, "https://api.example.org:99?x"), ERR_NONE);
    assert_string_equal(w->url.data, "https://api.example.org:99/?x");
    assert_string_equal(w->target.shown, "api.example.org:99");
    assert_int_equal(judge(w, "https://other.org:8443/"), ERR_NONE);
    assert_int_equal(judge(w, "https://other.org/"), ERR_DENIED);
    assert_int_equal(judge(w, "https://allowed.org/"), ERR_DENIED); /* it does not say "*" */
    assert_null(strstr(w->err.text, "--allow-host"));
    assert_int_equal(judge(w, "http://api.example.org/"), ERR_DENIED);
    assert_non_null(strstr(w->err.text, "--allow-host http://api.example.org"));
}

static void a_person_may_allow_http_for_what_it_declares(void **state)
{
    static const char *const hosts[] = {"api.example.org", "127.0.0.1", NULL};
    struct world *w = *state;
    set(w, "allow_host", "http://api.example.org");
    offer(w, hosts, NULL);
    assert_int_equal(judge(w, "http://api.example.org/"), ERR_NONE);
    assert_int_equal(judge(w, "https://api.example.org/"), ERR_NONE);
    /* A plugin's word opens no private address. */
    assert_int_equal(judge(w, "http://127.0.0.1/"), ERR_DENIED);
    assert_int_equal(judge(w, "https://127.0.0.1/"), ERR_NONE);
    assert_false(may_connect(w, "127.0.0.1"));
}

static void options_are_the_operators_or_the_plugins(void **state)
{
    static const char *const hosts[] = {"$url", NULL};
    struct world *w = *state;
    w->option = "http://127.0.0.1:8080/v1";
    offer(w, hosts, NULL);
    assert_int_equal(judge(w, "http://127.0.0.1:8080/"), ERR_DENIED);
    reach_release(&w->reach);
    network_release(&w->network);
    w->by_operator = true;
    offer(w, hosts, NULL);
    assert_int_equal(judge(w, "http://127.0.0.1:8080/"), ERR_NONE);
    assert_true(may_connect(w, "127.0.0.1"));
    assert_false(may_connect(w, "127.0.0.2"));
    assert_false(may_connect(w, "::1"));
    assert_int_equal(judge(w, "http://127.0.0.2:8080/"), ERR_DENIED);
    reach_release(&w->reach);
    network_release(&w->network);
    w->option = "no URL";
    offer(w, hosts, NULL);
    assert_int_equal(judge(w, "https://no/"), ERR_DENIED);
    reach_release(&w->reach);
    network_release(&w->network);
    w->option = NULL;
    offer(w, hosts, NULL);
    assert_int_equal(judge(w, "https://no/"), ERR_DENIED);
}

static void any_means_what_the_person_allows(void **state)
{
    struct world *w = *state;
    set(w, "allow_host", "allowed.org");
    set(w, "allow_host", "*.below.org");
    set(w, "allow_host", "http://plain.org:8080");
    offer(w, any, "{\"url\":\"https://asked.org/x\",\"text\":\"https://evil.org/\"}");
    assert_int_equal(judge(w, "https://allowed.org/"), ERR_NONE);
    assert_int_equal(judge(w, "http://allowed.org/"), ERR_DENIED);
    assert_int_equal(judge(w, "https://a.below.org/"), ERR_NONE);
    assert_int_equal(judge(w, "https://below.org/"), ERR_DENIED);
    assert_int_equal(judge(w, "http://plain.org:8080/"), ERR_NONE);
    assert_int_equal(judge(w, "http://plain.org/"), ERR_DENIED);
    assert_int_equal(judge(w, "https://asked.org/"), ERR_NONE); /* for this call */
    assert_int_equal(judge(w, "https://evil.org/"), ERR_DENIED);
    assert_non_null(strstr(w->err.text, "--allow-host evil.org would allow it"));
    assert_int_equal(judge(w, "http://evil.org:1/"), ERR_DENIED);
    assert_non_null(strstr(w->err.text, "--allow-host http://evil.org:1 would allow it"));
}

/* What the policy let pass is the URL that it saw. */
static void a_call_grants_its_own_hosts(void **state)
{
    struct world *w = *state;
    offer(w, any,
          "{\"url\":\"http://127.0.0.1:80/\",\"urls\":[\"https://b.org/\",\"https://c.org:99/\","
          "\"no URL\",7]}");
    assert_int_equal(judge(w, "https://b.org/other"), ERR_NONE);
    assert_int_equal(judge(w, "https://c.org/"), ERR_NONE);
    assert_int_equal(judge(w, "http://b.org/"), ERR_DENIED);
    assert_int_equal(judge(w, "https://d.org/"), ERR_DENIED);
    assert_int_equal(judge(w, "http://127.0.0.1/"), ERR_DENIED);
    assert_int_equal(judge(w, "https://127.0.0.1/"), ERR_NONE);
    assert_false(may_connect(w, "127.0.0.1"));
}

/* A tool that declares its hosts reaches no others, whatever URL it is called with. */
static void only_open_tools_are_granted_hosts(void **state)
{
    static const char *const hosts[] = {"api.example.org", NULL};
    struct world *w = *state;
    offer(w, hosts, "{\"url\":\"https://asked.org/x\"}");
    assert_int_equal(judge(w, "https://asked.org/"), ERR_DENIED);
}

static void without_settings_nothing_is_allowed(void **state)
{
    struct world *w = *state;
    const struct tool tool = {.hosts = (char **)(uintptr_t)any};
    assert_int_equal(reach_init(&w->reach, NULL, &tool, NULL, option, w, &w->err), 0);
    assert_int_equal(judge(w, "https://example.org/"), ERR_DENIED);
}

static void urls_that_parsers_read_in_two_ways_are_no_urls(void **state)
{
    static const char *const urls[] = {"https://example.org@evil.org/",
                                       "https://evil.org\\@example.org/",
                                       "https://evil.org%00.example.org/",
                                       "https://example.org./",
                                       "https://example.org:/",
                                       "https://ex\xd0\xb0mple.org/",
                                       "https://example.org/\xc3\xa9",
                                       "https://exa mple.org/",
                                       "https://example.org/a b",
                                       "https://example.org\t/",
                                       "https:example.org",
                                       "//example.org/",
                                       "https://[::1%25lo]/",
                                       "https://0x7f.1/",
                                       "https://2130706433/",
                                       "https://017700000001/",
                                       "https://0/",
                                       "file:///etc/passwd",
                                       "ftp://example.org/",
                                       "gopher://example.org/",
                                       "dict://example.org/",
                                       "scp://example.org/",
                                       "smb://example.org/",
                                       "ldap://example.org/",
                                       "",
                                       "javascript:x",
                                       "https://",
                                       "https://example.org\r\nX: y"};
    struct world *w = *state;
    set(w, "allow_host", "*");
    set(w, "allow_host", "http://*");
    offer(w, any, NULL);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        if (judge(w, urls[i]) != ERR_USAGE)
            fail_msg("%s: %d %s", urls[i], (int)w->err.code, w->err.text);
    char long_url[1200] = "https://example.org/";
    memset(long_url + strlen(long_url), 'a', sizeof long_url - strlen(long_url) - 1);
    long_url[sizeof long_url - 1] = '\0';
    assert_int_equal(judge(w, long_url), ERR_LIMIT);
}

static void only_public_addresses_are_connected(void **state)
{
    static const char *const never[] = {
        "127.0.0.1",        "0.0.0.0",         "10.0.0.1",  "100.64.0.1", "192.168.0.1",
        "172.16.0.1",       "169.254.169.254", "fe80::1",   "::1",        "::",
        "::ffff:127.0.0.1", "fd00:ec2::254",   "224.0.0.1", "fc00::1",    "64:ff9b::7f00:1",
        "2002:7f00:1::",    "168.63.129.16",   "192.0.2.1", "2001:db8::1"};
    struct world *w = *state;
    set(w, "allow_host", "*");
    offer(w, any, NULL);
    assert_int_equal(judge(w, "https://example.org/"), ERR_NONE);
    assert_true(may_connect(w, "93.184.216.34"));
    assert_true(may_connect(w, "2606:4700::1111"));
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (may_connect(w, never[i]))
            fail_msg("%s", never[i]);
    assert_non_null(strstr(w->err.text, "--allow-private-host example.org"));
    assert_int_equal(judge(w, "https://127.0.0.1/"), ERR_NONE); /* "*" names no address */
    assert_false(may_connect(w, "127.0.0.1"));
    assert_int_equal(judge(w, "https://localhost/"), ERR_NONE);
    assert_false(may_connect(w, "127.0.0.1"));
}

static void names_may_be_private_when_the_person_says_so(void **state)
{
    struct world *w = *state;
    set(w, "allow_host", "*");
    set(w, "allow_private_host", "*.corp.example");
    offer(w, any, NULL);
    assert_int_equal(judge(w, "https://wiki.corp.example/"), ERR_NONE);
    assert_true(may_connect(w, "10.1.2.3"));
    assert_true(may_connect(w, "127.0.0.1"));
    assert_true(may_connect(w, "fd12::1"));
    assert_false(may_connect(w, "169.254.169.254"));
    assert_false(may_connect(w, "100.100.100.200"));
    assert_false(may_connect(w, "fe80::1"));
    assert_false(may_connect(w, "0.0.0.0"));
    assert_false(may_connect(w, "224.0.0.1"));
    assert_int_equal(judge(w, "https://other.example/"), ERR_NONE);
    assert_false(may_connect(w, "10.1.2.3"));
}

static void a_named_address_is_that_one_only(void **state)
{
    struct world *w = *state;
    set(w, "allow_host", "localhost");
    set(w, "allow_host", "http://10.0.0.1:80");
    set(w, "allow_host", "https://[::1]");
    offer(w, any, NULL);
    assert_int_equal(judge(w, "http://localhost:8080/"), ERR_NONE);
    assert_true(may_connect(w, "127.0.0.1"));
    assert_true(may_connect(w, "::1"));
    assert_false(may_connect(w, "10.0.0.1")); /* a lying /etc/hosts */
    assert_int_equal(judge(w, "http://10.0.0.1/"), ERR_NONE);
    assert_true(may_connect(w, "10.0.0.1"));
    assert_int_equal(judge(w, "http://10.0.0.1:81/"), ERR_DENIED);
    assert_int_equal(judge(w, "https://[0::1]/"), ERR_NONE);
    assert_string_equal(w->url.data, "https://[::1]:443/");
    assert_string_equal(w->target.shown, "[::1]");
    assert_true(may_connect(w, "::1"));
}

static void a_proxy_is_asked_for_public_things_only(void **state)
{
    struct world *w = *state;
    set(w, "allow_host", "*");
    set(w, "proxy", "env");
    w->https_proxy = "http://proxy:1";
    offer(w, any, NULL);
    assert_int_equal(judge(w, "https://example.org/"), ERR_NONE);
    assert_string_equal(w->target.proxy, "http://proxy:1");
    assert_int_equal(judge(w, "https://169.254.169.254/"), ERR_DENIED);
    assert_int_equal(judge(w, "https://localhost/"), ERR_DENIED);
    assert_int_equal(judge(w, "https://93.184.216.34/"), ERR_NONE);
    w->https_proxy = NULL;
    assert_int_equal(judge(w, "https://example.org/"), ERR_NONE);
    assert_string_equal(w->target.proxy, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tool_reaches_what_it_declares),
        TEST(a_person_may_allow_http_for_what_it_declares),
        TEST(options_are_the_operators_or_the_plugins),
        TEST(any_means_what_the_person_allows),
        TEST(a_call_grants_its_own_hosts),
        TEST(only_open_tools_are_granted_hosts),
        TEST(without_settings_nothing_is_allowed),
        TEST(urls_that_parsers_read_in_two_ways_are_no_urls),
        TEST(only_public_addresses_are_connected),
        TEST(names_may_be_private_when_the_person_says_so),
        TEST(a_named_address_is_that_one_only),
        TEST(a_proxy_is_asked_for_public_things_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
