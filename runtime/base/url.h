/* The parts of an http or https URL that decide where a request goes. */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>
#include <stddef.h>

struct url_parts {
    bool https;
    const char *host; /* into the URL; without the brackets of an IPv6 address */
    size_t host_len;
    unsigned port;    /* 80 or 443 when the URL names none */
    const char *path; /* from the first '/', '?' or '#' after the authority, or the end */
};

/* 0, or -1 for anything but http://host[:port]... and https://host[:port]... without user name,
 * blanks, control characters and addresses such as 127.1 (RFC 3986; the forms on which parsers
 * disagree are refused). */
int url_split(const char *url, struct url_parts *out);

/* Is the host this machine by its name: localhost, 127.x.x.x, ::1? */
bool url_is_loopback(const struct url_parts *parts);

#endif
