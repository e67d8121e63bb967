/* base/url: a URL that is taken is one that libcurl reads the same way, so that a key or a request
 * goes where the check said it would. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/url.h"
#include "fuzz.h"

/* libcurl writes an IPv6 address in its shortest form. */
static void check_ipv6(CURLU *curl, const char *expected, size_t len)
{
    unsigned char here[16], there[16];
    char *text = NULL, *own = fuzz_text(expected, len);
    FUZZ_CHECK(curl_url_get(curl, CURLUPART_HOST, &text, 0) == CURLUE_OK);
    text[strcspn(text, "]")] = '\0';
    FUZZ_CHECK(inet_pton(AF_INET6, own, here) == 1 && inet_pton(AF_INET6, text + 1, there) == 1);
    FUZZ_CHECK(memcmp(here, there, sizeof here) == 0);
    curl_free(text);
    free(own);
}

static void check_part(CURLU *curl, CURLUPart part, const char *expected, size_t len)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(curl, part, &text, CURLU_DEFAULT_PORT);
    const char *got = code == CURLUE_OK ? text : "";
    size_t got_len = strlen(got);
    if (got_len != len || strncasecmp(got, expected, len) != 0)
        (void)fprintf(stderr, "here %.*s, in libcurl %s\n", (int)len, expected, got);
    FUZZ_CHECK(got_len == len && strncasecmp(got, expected, len) == 0);
    curl_free(text);
}

static void compare(const char *url, const struct url_parts *parts)
{
    char port[16];
    CURLU *curl = curl_url();
    FUZZ_CHECK(curl);
    if (curl_url_set(curl, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK) {
        (void)snprintf(port, sizeof port, "%u", parts->port);
        check_part(curl, CURLUPART_SCHEME, parts->https ? "https" : "http", parts->https ? 5 : 4);
        if (memchr(parts->host, ':', parts->host_len))
            check_ipv6(curl, parts->host, parts->host_len);
        else
            check_part(curl, CURLUPART_HOST, parts->host, parts->host_len);
        check_part(curl, CURLUPART_PORT, port, strlen(port));
        check_part(curl, CURLUPART_USER, "", 0);
        check_part(curl, CURLUPART_PASSWORD, "", 0);
    }
    curl_url_cleanup(curl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct url_parts parts;
    char *url = fuzz_text((const char *)data, size);
    if (url_split(url, &parts) == 0) {
        FUZZ_CHECK(parts.host > url && parts.host_len > 0 && parts.host_len <= 255);
        FUZZ_CHECK(parts.host + parts.host_len <= parts.path);
        FUZZ_CHECK(parts.path <= url + strlen(url));
        FUZZ_CHECK(parts.port >= 1 && parts.port <= 65535);
        (void)url_is_loopback(&parts);
        compare(url, &parts);
    }
    free(url);
    return 0;
}
