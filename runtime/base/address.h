/* What an IP address leads to: a machine of the open Internet, or one of those that a URL from a
 * stranger must never reach. By the special-purpose registries of IANA (RFC 6890). */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct address {
    int family;              /* AF_INET or AF_INET6 */
    unsigned char bytes[16]; /* in network order; AF_INET uses four */
};

enum address_kind {
    ADDRESS_PUBLIC,
    ADDRESS_UNSPECIFIED, /* 0.0.0.0/8 and ::, which connect to this machine */
    ADDRESS_LOOPBACK,
    ADDRESS_PRIVATE, /* of a local network or a provider's: RFC 1918, 6598, 4193, 8215 */
    ADDRESS_LINK_LOCAL,
    ADDRESS_METADATA, /* where clouds hand out credentials to whoever asks */
    ADDRESS_MULTICAST,
    ADDRESS_RESERVED /* for examples, tests and the future; tunnels that nobody needs */
};

#define ADDRESS_TEXT_MAX INET6_ADDRSTRLEN

/* Reads "192.0.2.1" or "2001:db8::1": four decimal numbers without leading zeros, or RFC 4291.
 * 0, or -1 for anything else, brackets and zones included. */
int address_parse(const char *text, size_t len, struct address *out);

/* 0, or -1 when it is neither IPv4 nor IPv6. */
int address_from_socket(const struct sockaddr *from, size_t len, struct address *out);

/* An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, ISATAP) counts as what it is. */
enum address_kind address_kind(const struct address *a);

/* "a loopback address", for messages. */
const char *address_kind_text(enum address_kind kind);

bool address_equal(const struct address *a, const struct address *b);

/* The one form of it (RFC 5952 for IPv6). */
void address_text(const struct address *a, char out[ADDRESS_TEXT_MAX]);

#endif
