/* Lists of hosts, and proxies: which URL is meant by which line. */
#include "test_support.h"

#include <stdio.h>
#include <string.h>

#include "engine/hosts.h"
#include "engine/proxy.h"

static bool covers(const char *rule_text, const char *url)
{
    struct err err;
    struct hosts hosts = {.rules = NULL};
    struct url_parts parts;
    struct host host;
    if (hosts_add(&hosts, rule_text, &err) != 0)
        fail_msg("%s", err.text);
    bool found = url_split(url, &parts) == 0 && host_read(parts.host, parts.host_len, &host) == 0 &&
                 hosts_find(&hosts, &parts, &host);
    hosts_release(&hosts);
    return found;
}

static void a_rule_covers_what_it_names(void **state)
{
    static const struct {
        const char *rule, *url;
        bool covered;
    } cases[] = {
        {"example.com", "https://example.com/", true},
        {"Example.COM", "https://eXample.com/x", true},
        {"example.com", "https://example.com:8443/", true},
        {"example.com", "http://example.com/", false},
        {"https://example.com", "http://example.com/", false},
        {"http://example.com", "http://example.com/", true},
        {"http://example.com", "https://example.com/", false},
        {"example.com", "https://www.example.com/", false},
        {"example.com", "https://evil-example.com/", false},
        {"example.com", "https://example.com.evil.test/", false},
        {"example.com", "https://example.co/", false},
        {"example.com", "https://xn--exmple-cua.com/", false},
        {"example.com", "https://example.com./", false},
        {"*.example.com", "https://a.example.com/", true},
        {"*.example.com", "https://a.b.example.com/", true},
        {"*.example.com", "https://example.com/", false},
        {"*.example.com", "https://evilexample.com/", false},
        {"*.example.com", "https://.example.com/", false},
        {"example.com:8443", "https://example.com:8443/", true},
        {"example.com:8443", "https://example.com/", false},
        {"example.com:443", "https://example.com/", true},
        {"http://example.com:80", "http://example.com/", true},
        {"*", "https://anything.org:99/", true},
        {"*", "https://1.2.3.4/", true},
        {"*", "http://anything.org/", false},
        {"http://*", "http://anything.org/", true},
        {"*", "http://127.0.0.1/", false},
        {"127.0.0.1", "http://127.0.0.1:8080/", true},
        {"127.0.0.1", "https://127.0.0.1/", true},
        {"127.0.0.1:1", "http://127.0.0.1:2/", false},
        {"127.0.0.1", "http://127.0.0.2/", false},
        {"127.0.0.1", "http://[::ffff:127.0.0.1]/", false},
        {"https://127.0.0.1", "http://127.0.0.1/", false},
        {"10.0.0.1", "http://10.0.0.1/", false},
        {"http://10.0.0.1", "http://10.0.0.1/", true},
        {"localhost", "http://localhost:1/", true},
        {"localhost", "http://127.0.0.1:1/", false},
        {"[::1]", "http://[0:0::1]:8080/", true},
        {"[::1]:80", "http://[::1]:8080/", false},
        {"[2001:db8::1]", "https://[2001:DB8:0::1]/", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (covers(cases[i].rule, cases[i].url) != cases[i].covered)
            fail_msg("%s for %s", cases[i].rule, cases[i].url);
}

static void what_is_no_rule_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "example.com/",
                                      "example.com/path",
                                      "https://example.com/",
                                      "ftp://h",
                                      "user@h",
                                      "h:0",
                                      "h:65536",
                                      "h:x",
                                      "*.",
                                      "*.*.com",
                                      "a.*.com",
                                      "ex*mple.com",
                                      "**",
                                      "example.com.",
                                      ".com",
                                      "a..b",
                                      "*.127.0.0.1",
                                      "*.[::1]",
                                      "127.1",
                                      "0x7f.1",
                                      "ex\xc3\xa4mple.com",
                                      "a b",
                                      "a\tb",
                                      "::1",
                                      "[::1%lo]",
                                      "h?x",
                                      "h#x",
                                      "http://",
                                      "h,i",
                                      "999.1.1.1",
                                      "h%2e.com",
                                      "h\\",
                                      "\"h\""};
    struct host_rule rule;
    struct err err;
    char name[400];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (host_rule_parse(bad[i], &rule, &err) == 0)
            fail_msg("%s", bad[i]);
    assert_non_null(strstr(err.text, "write example.com"));
    (void)memset(name, 'a', sizeof name);
    name[64] = '\0';
    assert_int_equal(host_rule_parse(name, &rule, &err), -1); /* a label has 63 at most */
    name[64] = 'a';
    name[sizeof name - 1] = '\0';
    assert_int_equal(host_rule_parse(name, &rule, &err), -1);
}

static void a_rule_names_a_host_with_any_scheme_and_port(void **state)
{
    struct host_rule rule;
    struct host host;
    struct err err;
    (void)state;
    assert_int_equal(host_rule_parse("https://*.example.com:8443", &rule, &err), 0);
    assert_int_equal(host_read("A.Example.com", 13, &host), 0);
    assert_true(host_rule_names(&rule, &host));
    assert_int_equal(host_read("example.com", 11, &host), 0);
    assert_false(host_rule_names(&rule, &host));
    assert_int_equal(host_rule_parse("*", &rule, &err), 0);
    assert_true(host_rule_names(&rule, &host));
}

static void hosts_have_one_form(void **state)
{
    struct host host;
    (void)state;
    assert_int_equal(host_read("LOCALHOST", 9, &host), 0);
    assert_true(host_is_loopback(&host));
    assert_int_equal(host_read("127.9.9.9", 9, &host), 0);
    assert_true(host_is_loopback(&host));
    assert_int_equal(host_read("0:0::1", 6, &host), 0);
    assert_string_equal(host.name, "::1");
    assert_true(host_is_loopback(&host));
    assert_int_equal(host_read("localhost.evil.org", 18, &host), 0);
    assert_false(host_is_loopback(&host));
    assert_int_equal(host_read("a\0b", 3, &host), -1);
    assert_int_equal(host_read("a", 0, &host), -1);
}

static void the_list_is_bounded(void **state)
{
    struct hosts hosts = {.rules = NULL};
    struct err err;
    (void)state;
    for (size_t i = 0; i < 256; i++)
        assert_int_equal(hosts_add(&hosts, "h", &err), 0);
    assert_int_equal(hosts_add(&hosts, "h", &err), -1);
    hosts_release(&hosts);
    assert_int_equal(hosts.count, 0);
}

/* ---- Proxies ---- */

static const char *const *variables;

static const char *find(void *user, const char *name)
{
    const char *const *list = user;
    for (; *list; list += 2)
        if (strcmp(list[0], name) == 0)
            return list[1];
    return NULL;
}

static const char *choose(const char *setting, const char *url)
{
    struct url_parts parts;
    assert_int_equal(url_split(url, &parts), 0);
    return proxy_choose(setting, find, (void *)(uintptr_t)variables, &parts);
}

static void a_proxy_is_used_only_when_it_is_asked_for(void **state)
{
    static const char *const set[] = {"http_proxy",  "http://low:1",
                                      "HTTP_PROXY",  "http://cgi:1",
                                      "HTTPS_PROXY", "http://user:pw@up:2",
                                      "NO_PROXY",    "direct.org, .below.org,localhost,h.org:99",
                                      NULL};
    static const char *const caps[] = {"HTTP_PROXY", "http://cgi:1", NULL};
    (void)state;
    variables = set;
    assert_string_equal(choose(NULL, "https://a.org/"), "");
    assert_string_equal(choose("none", "https://a.org/"), "");
    assert_string_equal(choose("http://p:3128", "https://a.org/"), "http://p:3128");
    assert_string_equal(choose("http://p:3128", "http://127.0.0.1:1/"), "");
    assert_string_equal(choose("env", "https://a.org/"), "http://user:pw@up:2");
    assert_string_equal(choose("env", "http://a.org/"), "http://low:1");
    assert_string_equal(choose("env", "https://direct.org/"), "");
    assert_string_equal(choose("env", "https://x.DIRECT.org/"), "");
    assert_string_equal(choose("env", "https://indirect.org/"), "http://user:pw@up:2");
    assert_string_equal(choose("env", "https://a.below.org/"), "");
    assert_string_equal(choose("env", "https://h.org:99/"), "");
    assert_string_equal(choose("env", "https://h.org/"), "http://user:pw@up:2");
    assert_string_equal(choose("env", "http://localhost/"), "");
    variables = caps;
    assert_string_equal(choose("env", "http://a.org/"), "");
}

static void proxies_are_checked(void **state)
{
    static const char *const good[] = {"none", "env", "http://p:3128", "https://p/",
                                       "socks5h://127.0.0.1:9050"};
    static const char *const bad[] = {"",           "p",          "p:3128",
                                      "ftp://p",    "socks4://p", "http://",
                                      "http://p/x", "http://p q", "http://a:secret@p:1",
                                      "yes"};
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(proxy_check(good[i], &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (proxy_check(bad[i], &err) == 0)
            fail_msg("%s", bad[i]);
        assert_null(strstr(err.text, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_covers_what_it_names),
        cmocka_unit_test(what_is_no_rule_is_refused),
        cmocka_unit_test(a_rule_names_a_host_with_any_scheme_and_port),
        cmocka_unit_test(hosts_have_one_form),
        cmocka_unit_test(the_list_is_bounded),
        cmocka_unit_test(a_proxy_is_used_only_when_it_is_asked_for),
        cmocka_unit_test(proxies_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
