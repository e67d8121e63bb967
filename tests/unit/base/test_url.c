#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/url.h"

static void parts(void **state)
{
    static const struct {
        const char *url, *host;
        unsigned port;
        bool https;
        const char *path;
    } cases[] = {
        {"http://example.org", "example.org", 80, false, ""},
        {"https://example.org/", "example.org", 443, true, "/"},
        {"HTTPS://Example.ORG:8443/a/b?c#d", "Example.ORG", 8443, true, "/a/b?c#d"},
        {"http://127.0.0.1:41234/v1", "127.0.0.1", 41234, false, "/v1"},
        {"http://[::1]:8080/x", "::1", 8080, false, "/x"},
        {"http://[2001:db8::1]", "2001:db8::1", 80, false, ""},
        {"http://h?q=a@b", "h", 80, false, "?q=a@b"},
        {"http://h#@x", "h", 80, false, "#@x"},
        {"http://h:65535/", "h", 65535, false, "/"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct url_parts p;
        if (url_split(cases[i].url, &p) != 0)
            fail_msg("%s", cases[i].url);
        assert_int_equal(p.host_len, strlen(cases[i].host));
        assert_memory_equal(p.host, cases[i].host, p.host_len);
        assert_int_equal(p.port, cases[i].port);
        assert_int_equal(p.https, cases[i].https);
        assert_string_equal(p.path, cases[i].path);
    }
}

static void what_parsers_disagree_on_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "http",
        "http:",
        "http://",
        "http:///x",
        "https://:80",
        "ftp://h/",
        "file:///etc/passwd",
        "//h/x",
        "h/x",
        "http://user@h/",
        "http://user:pw@h/",
        "http://good.org@evil.org/",
        "http://good.org\\@evil.org/",
        "http://h\\x",
        "http://h /",
        " http://h/",
        "http://h/a b",
        "http://h/\r\nHost: x",
        "http://h/\x7f",
        "http://h\t/",
        "http://h:/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:999999/",
        "http://h:8o/",
        "http://h:+80/",
        "http://h:80:80/",
        "http://[::1/",
        "http://[]/",
        "http://[::1]x/",
        "http://[fe80::1%eth0]/",
        "http://[h]/",
        "http://%31%32%37.0.0.1/",
        "http:/h/",
        "javascript:alert(1)",
        /* addresses that a resolver reads as others than they look */
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.0.0.0x1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://1.2.3.4.5/",
        "http://256.0.0.1/",
        "http://a.1/",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct url_parts p;
        if (url_split(bad[i], &p) != -1)
            fail_msg("%s", bad[i]);
    }
}

static void a_host_has_255_bytes_at_most(void **state)
{
    (void)state;
    struct url_parts p;
    char url[300];
    for (int len = 255; len <= 256; len++) {
        (void)snprintf(url, sizeof url, "http://h%0*d/", len - 1, 7);
        assert_int_equal(url_split(url, &p), len == 255 ? 0 : -1);
    }
}

static void this_machine_by_its_names(void **state)
{
    static const struct {
        const char *url;
        bool loopback;
    } cases[] = {
        {"http://localhost/", true},
        {"http://LOCALHOST:80/", true},
        {"http://127.0.0.1/", true},
        {"http://127.1.2.3:99/", true},
        {"http://[::1]/", true},
        {"http://localhost.evil.org/", false},
        {"http://127.0.0.1.evil.org/", false},
        {"http://128.0.0.1/", false},
        {"http://[::2]/", false},
        {"http://0.0.0.0/", false},
        {"http://example.org/127.0.0.1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct url_parts p;
        assert_int_equal(url_split(cases[i].url, &p), 0);
        if (url_is_loopback(&p) != cases[i].loopback)
            fail_msg("%s", cases[i].url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(what_parsers_disagree_on_is_refused),
        cmocka_unit_test(a_host_has_255_bytes_at_most),
        cmocka_unit_test(this_machine_by_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
