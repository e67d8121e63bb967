#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

/* The first `bits` of an address, and what that makes it. The first row that fits counts. */
struct range {
    unsigned char prefix[16];
    unsigned bits;
    enum address_kind kind;
};

static const struct range ipv4[] = {
    {{169, 254, 169, 254}, 32, ADDRESS_METADATA}, /* AWS, Google, Azure, ... */
    {{169, 254, 170, 2}, 32, ADDRESS_METADATA},   /* AWS: of containers */
    {{169, 254, 170, 23}, 32, ADDRESS_METADATA},  /* AWS: of pods */
    {{100, 100, 100, 200}, 32, ADDRESS_METADATA}, /* Alibaba */
    {{192, 0, 0, 192}, 32, ADDRESS_METADATA},     /* Oracle */
    {{168, 63, 129, 16}, 32, ADDRESS_METADATA},   /* Azure: public by its number only */
    {{0}, 8, ADDRESS_UNSPECIFIED},
    {{10}, 8, ADDRESS_PRIVATE},
    {{100, 64}, 10, ADDRESS_PRIVATE},
    {{127}, 8, ADDRESS_LOOPBACK},
    {{169, 254}, 16, ADDRESS_LINK_LOCAL},
    {{172, 16}, 12, ADDRESS_PRIVATE},
    {{192, 0, 0}, 24, ADDRESS_RESERVED},
    {{192, 0, 2}, 24, ADDRESS_RESERVED},
    {{192, 88, 99}, 24, ADDRESS_RESERVED},
    {{192, 168}, 16, ADDRESS_PRIVATE},
    {{198, 18}, 15, ADDRESS_RESERVED},
    {{198, 51, 100}, 24, ADDRESS_RESERVED},
    {{203, 0, 113}, 24, ADDRESS_RESERVED},
    {{224}, 4, ADDRESS_MULTICAST},
    {{240}, 4, ADDRESS_RESERVED},
    {{0}, 0, ADDRESS_PUBLIC},
};

static const struct range ipv6[] = {
    {{[15] = 0}, 128, ADDRESS_UNSPECIFIED},
    {{[15] = 1}, 128, ADDRESS_LOOPBACK},
    {{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128, ADDRESS_METADATA}, /* AWS */
    {{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54}, 128, ADDRESS_METADATA}, /* Google */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, ADDRESS_PRIVATE},          /* RFC 8215 */
    {{0xfc}, 7, ADDRESS_PRIVATE},
    {{0xfe, 0xc0}, 10, ADDRESS_PRIVATE}, /* once site-local */
    {{0xfe, 0x80}, 10, ADDRESS_LINK_LOCAL},
    {{0xff}, 8, ADDRESS_MULTICAST},
    {{0x20, 0x01, 0x00}, 23, ADDRESS_RESERVED}, /* Teredo, ORCHID, benchmarks */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, ADDRESS_RESERVED},
    {{0x3f, 0xff}, 20, ADDRESS_RESERVED},
    {{0x20}, 3, ADDRESS_PUBLIC},
    {{0}, 0, ADDRESS_RESERVED},
};

/* Where an IPv4 address stands in an IPv6 one. */
static const struct {
    unsigned char prefix[16];
    unsigned bits, at;
} embedded[] = {
    {{[10] = 0xff, 0xff}, 96, 12},      /* mapped: RFC 4291 */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12}, /* NAT64: RFC 6052 */
    {{0x20, 0x02}, 16, 2},              /* 6to4: RFC 3056 */
};

static bool has_prefix(const unsigned char *bytes, const unsigned char *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(bytes, prefix, whole) != 0)
        return false;
    return rest == 0 || ((bytes[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

static enum address_kind look_up(const struct range *range, const unsigned char *bytes)
{
    while (!has_prefix(bytes, range->prefix, range->bits))
        range++; /* the last row fits all */
    return range->kind;
}

enum address_kind address_kind(const struct address *a)
{
    static const unsigned char isatap[] = {0x00, 0x00, 0x5e, 0xfe}; /* RFC 5214 */
    const unsigned char *b = a->bytes;
    if (a->family == AF_INET)
        return look_up(ipv4, b);
    for (size_t i = 0; i < sizeof embedded / sizeof *embedded; i++)
        if (has_prefix(b, embedded[i].prefix, embedded[i].bits))
            return look_up(ipv4, b + embedded[i].at);
    enum address_kind kind = look_up(ipv6, b);
    if (kind == ADDRESS_PUBLIC && (b[8] & 0xfd) == 0 && memcmp(b + 9, isatap + 1, 3) == 0)
        return look_up(ipv4, b + 12);
    return kind;
}

const char *address_kind_text(enum address_kind kind)
{
    static const char *const texts[] = {
        "a public address",     "an address that means this machine",
        "a loopback address",   "a private address",
        "a link-local address", "a cloud's metadata address",
        "a multicast address",  "a reserved address"};
    return texts[kind];
}

int address_parse(const char *text, size_t len, struct address *out)
{
    char copy[ADDRESS_TEXT_MAX];
    *out = (struct address){.family = AF_INET};
    if (len == 0 || len >= sizeof copy || memchr(text, '\0', len))
        return -1;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, out->bytes) == 1)
        return 0;
    *out = (struct address){.family = AF_INET6};
    return inet_pton(AF_INET6, copy, out->bytes) == 1 ? 0 : -1;
}

int address_from_socket(const struct sockaddr *from, size_t len, struct address *out)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    *out = (struct address){.family = from->sa_family};
    if (from->sa_family == AF_INET && len >= sizeof v4) {
        memcpy(&v4, from, sizeof v4);
        memcpy(out->bytes, &v4.sin_addr, 4);
        return 0;
    }
    if (from->sa_family == AF_INET6 && len >= sizeof v6) {
        memcpy(&v6, from, sizeof v6);
        memcpy(out->bytes, &v6.sin6_addr, 16);
        return 0;
    }
    return -1;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void address_text(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
    if (!inet_ntop(a->family, a->bytes, out, ADDRESS_TEXT_MAX))
        out[0] = '\0';
}
