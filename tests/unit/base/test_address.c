#include "test_support.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/address.h"

static enum address_kind kind_of(const char *text)
{
    struct address a;
    if (address_parse(text, strlen(text), &a) != 0)
        fail_msg("%s", text);
    return address_kind(&a);
}

static void each_range_has_its_kind(void **state)
{
    static const struct {
        const char *text;
        enum address_kind kind;
    } cases[] = {
        {"93.184.216.34", ADDRESS_PUBLIC},
        {"1.1.1.1", ADDRESS_PUBLIC},
        {"9.255.255.255", ADDRESS_PUBLIC},
        {"11.0.0.0", ADDRESS_PUBLIC},
        {"172.15.255.255", ADDRESS_PUBLIC},
        {"172.32.0.0", ADDRESS_PUBLIC},
        {"100.63.255.255", ADDRESS_PUBLIC},
        {"100.128.0.0", ADDRESS_PUBLIC},
        {"192.167.255.255", ADDRESS_PUBLIC},
        {"223.255.255.255", ADDRESS_PUBLIC},
        {"0.0.0.0", ADDRESS_UNSPECIFIED},
        {"0.1.2.3", ADDRESS_UNSPECIFIED},
        {"10.0.0.1", ADDRESS_PRIVATE},
        {"100.64.0.1", ADDRESS_PRIVATE},
        {"100.127.255.255", ADDRESS_PRIVATE},
        {"172.16.0.1", ADDRESS_PRIVATE},
        {"172.31.255.255", ADDRESS_PRIVATE},
        {"192.168.0.1", ADDRESS_PRIVATE},
        {"127.0.0.1", ADDRESS_LOOPBACK},
        {"127.255.255.254", ADDRESS_LOOPBACK},
        {"169.254.0.1", ADDRESS_LINK_LOCAL},
        {"169.254.169.254", ADDRESS_METADATA},
        {"169.254.170.2", ADDRESS_METADATA},
        {"100.100.100.200", ADDRESS_METADATA},
        {"192.0.0.192", ADDRESS_METADATA},
        {"168.63.129.16", ADDRESS_METADATA},
        {"192.0.2.1", ADDRESS_RESERVED},
        {"192.88.99.1", ADDRESS_RESERVED},
        {"198.18.0.1", ADDRESS_RESERVED},
        {"198.19.255.255", ADDRESS_RESERVED},
        {"198.51.100.7", ADDRESS_RESERVED},
        {"203.0.113.9", ADDRESS_RESERVED},
        {"224.0.0.1", ADDRESS_MULTICAST},
        {"239.255.255.255", ADDRESS_MULTICAST},
        {"240.0.0.1", ADDRESS_RESERVED},
        {"255.255.255.255", ADDRESS_RESERVED},
        {"2606:4700:4700::1111", ADDRESS_PUBLIC},
        {"2001:4860:4860::8888", ADDRESS_PUBLIC},
        {"::", ADDRESS_UNSPECIFIED},
        {"::1", ADDRESS_LOOPBACK},
        {"::2", ADDRESS_RESERVED},
        {"::127.0.0.1", ADDRESS_RESERVED},
        {"fc00::1", ADDRESS_PRIVATE},
        {"fdff::1", ADDRESS_PRIVATE},
        {"fd00:ec2::254", ADDRESS_METADATA},
        {"fd20:ce::254", ADDRESS_METADATA},
        {"fec0::1", ADDRESS_PRIVATE},
        {"fe80::1", ADDRESS_LINK_LOCAL},
        {"febf::1", ADDRESS_LINK_LOCAL},
        {"ff02::1", ADDRESS_MULTICAST},
        {"100::1", ADDRESS_RESERVED},
        {"2001::1", ADDRESS_RESERVED},
        {"2001:1ff::1", ADDRESS_RESERVED},
        {"2001:200::1", ADDRESS_PUBLIC},
        {"2001:db8::1", ADDRESS_RESERVED},
        {"3fff::1", ADDRESS_RESERVED},
        {"3fff:1000::1", ADDRESS_PUBLIC},
        {"4000::1", ADDRESS_RESERVED},
        {"5f00::1", ADDRESS_RESERVED},
        {"64:ff9b:1::1", ADDRESS_PRIVATE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (kind_of(cases[i].text) != cases[i].kind)
            fail_msg("%s is %s", cases[i].text, address_kind_text(kind_of(cases[i].text)));
}

static void an_address_inside_another_counts(void **state)
{
    static const struct {
        const char *text;
        enum address_kind kind;
    } cases[] = {
        {"::ffff:127.0.0.1", ADDRESS_LOOPBACK},
        {"::ffff:7f00:1", ADDRESS_LOOPBACK},
        {"::ffff:10.1.2.3", ADDRESS_PRIVATE},
        {"::ffff:169.254.169.254", ADDRESS_METADATA},
        {"::ffff:0.0.0.0", ADDRESS_UNSPECIFIED},
        {"::ffff:1.1.1.1", ADDRESS_PUBLIC},
        {"::ffff:0:127.0.0.1", ADDRESS_RESERVED}, /* IPv4-translated */
        {"64:ff9b::127.0.0.1", ADDRESS_LOOPBACK},
        {"64:ff9b::a9fe:a9fe", ADDRESS_METADATA},
        {"64:ff9b::8.8.8.8", ADDRESS_PUBLIC},
        {"2002:7f00:1::1", ADDRESS_LOOPBACK},
        {"2002:c0a8:1::1", ADDRESS_PRIVATE},
        {"2002:0808:0808::1", ADDRESS_PUBLIC},
        {"2606:4700::5efe:192.168.0.1", ADDRESS_PRIVATE},
        {"2606:4700::200:5efe:127.0.0.1", ADDRESS_LOOPBACK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (kind_of(cases[i].text) != cases[i].kind)
            fail_msg("%s is %s", cases[i].text, address_kind_text(kind_of(cases[i].text)));
}

static void only_addresses_are_read(void **state)
{
    static const char *const bad[] = {
        "",          "1",           "127.1",    "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01",
        "1.2.3.4.5", "256.0.0.1",   "1.2.3.4 ", "[::1]",      "fe80::1%lo", ":::",
        "1::2::3",   "example.org", "12345::",  "1.2.3.",     "::1/64",     "::ffff:1.2.3"};
    struct address a;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (address_parse(bad[i], strlen(bad[i]), &a) == 0)
            fail_msg("%s", bad[i]);
    assert_int_equal(address_parse("1.2.3.4\0x", 9, &a), -1);
    char long_text[200];
    memset(long_text, '1', sizeof long_text);
    assert_int_equal(address_parse(long_text, sizeof long_text, &a), -1);
}

static void there_is_one_form(void **state)
{
    static const char *const forms[][2] = {
        {"0:0:0:0:0:0:0:1", "::1"}, {"2001:DB8:0:0::1", "2001:db8::1"}, {"1.2.3.4", "1.2.3.4"}};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct address a, b;
        char text[ADDRESS_TEXT_MAX];
        assert_int_equal(address_parse(forms[i][0], strlen(forms[i][0]), &a), 0);
        assert_int_equal(address_parse(forms[i][1], strlen(forms[i][1]), &b), 0);
        assert_true(address_equal(&a, &b));
        address_text(&a, text);
        assert_string_equal(text, forms[i][1]);
    }
    struct address v4, mapped;
    assert_int_equal(address_parse("127.0.0.1", 9, &v4), 0);
    assert_int_equal(address_parse("::ffff:127.0.0.1", 16, &mapped), 0);
    assert_false(address_equal(&v4, &mapped));
}

static void sockets_have_addresses(void **state)
{
    struct address a;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    struct sockaddr other = {.sa_family = AF_UNIX};
    (void)state;
    assert_int_equal(address_from_socket((const struct sockaddr *)&v4, sizeof v4, &a), 0);
    assert_int_equal(address_kind(&a), ADDRESS_LOOPBACK);
    assert_int_equal(address_from_socket((const struct sockaddr *)&v4, sizeof v4 - 1, &a), -1);
    assert_int_equal(address_from_socket((const struct sockaddr *)&v6, sizeof v6, &a), 0);
    assert_int_equal(address_kind(&a), ADDRESS_LOOPBACK);
    assert_int_equal(address_from_socket((const struct sockaddr *)&v6, sizeof v4, &a), -1);
    assert_int_equal(address_from_socket(&other, sizeof other, &a), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_range_has_its_kind),
        cmocka_unit_test(an_address_inside_another_counts),
        cmocka_unit_test(only_addresses_are_read),
        cmocka_unit_test(there_is_one_form),
        cmocka_unit_test(sockets_have_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
