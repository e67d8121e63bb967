/* engine/reach, engine/hosts: a line of allow_host, and a URL on the next one. A URL that may be
 * asked names the host of that line, and libcurl reads the URL that is sent as we do. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/reach.h"
#include "fuzz.h"

/* By the text alone, not as hosts.c does it. */
static bool is_below(const char *name, const char *top)
{
    const char *at = strstr(name, top);
    while (at && at[strlen(top)] != '\0')
        at = strstr(at + 1, top);
    return at && at > name && at[-1] == '.';
}

static void check_sent(const struct reach_target *t, const char *url)
{
    char *host = NULL, *scheme = NULL, port[16], *port_there = NULL;
    CURLU *curl = curl_url();
    FUZZ_CHECK(curl && curl_url_set(curl, CURLUPART_URL, url, 0) == CURLUE_OK);
    FUZZ_CHECK(curl_url_get(curl, CURLUPART_HOST, &host, 0) == CURLUE_OK);
    FUZZ_CHECK(curl_url_get(curl, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
    FUZZ_CHECK(curl_url_get(curl, CURLUPART_PORT, &port_there, 0) == CURLUE_OK);
    (void)snprintf(port, sizeof port, "%u", t->port);
    FUZZ_CHECK(strcmp(port, port_there) == 0);
    FUZZ_CHECK(strcmp(scheme, t->https ? "https" : "http") == 0);
    if (t->host.is_address && t->host.address.family == AF_INET6)
        FUZZ_CHECK(host[0] == '[' && strchr(host, ']')[1] == '\0');
    else
        FUZZ_CHECK(strcmp(host, t->host.name) == 0);
    char *user = NULL;
    FUZZ_CHECK(curl_url_get(curl, CURLUPART_USER, &user, 0) != CURLUE_OK);
    curl_free(host);
    curl_free(scheme);
    curl_free(port_there);
    curl_url_cleanup(curl);
}

static void judge(const char *line, const char *text)
{
    static char any[] = "*";
    static char *const hosts[] = {any, NULL};
    const struct tool tool = {.hosts = (char **)(uintptr_t)hosts};
    struct network network = {.proxy = "none"};
    struct reach reach;
    struct reach_target target;
    struct err err;
    struct buf url;
    buf_init(&url, 8192);
    if (hosts_add(&network.allow, line, &err) == 0 &&
        reach_init(&reach, &network, &tool, NULL, NULL, NULL, &err) == 0) {
        if (reach_judge(&reach, text, &target, &url, &err) == 0) {
            const struct host_rule *rule = &network.allow.rules[0];
            FUZZ_CHECK(rule->any || (rule->below ? is_below(target.host.name, rule->host.name)
                                                 : strcmp(target.host.name, rule->host.name) == 0));
            FUZZ_CHECK(!rule->port || rule->port == target.port);
            FUZZ_CHECK(target.https || rule->http || host_is_loopback(&target.host));
            FUZZ_CHECK(*target.shown);
            check_sent(&target, url.data);
        }
        reach_release(&reach);
    }
    network_release(&network);
    buf_release(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text((const char *)data, size);
    char *end = strchr(text, '\n');
    if (end) {
        *end = '\0';
        judge(text, end + 1);
    }
    free(text);
    return 0;
}
