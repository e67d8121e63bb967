/* http_get and http_post: what is asked, what the model reads of the answer, where redirects end.
 */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_test.h"

extern const tackle_plugin tackle_plugin_v1;

#define HOPS 8

struct answer {
    int32_t status;
    const char *type, *body, *location;
    size_t len; /* 0: that of the text */
};

struct world {
    struct plugin_test *plugin;
    const struct plugin_result *result;
    struct answer answers[HOPS];
    int asked;
    char urls[HOPS][200], method[20], headers[400], body[100];
};

static int32_t fetch(void *user, const tackle_http_request *request, tackle_http_response *response)
{
    struct world *w = user;
    assert_in_range(w->asked, 0, HOPS - 1);
    const struct answer *a = &w->answers[w->asked];
    (void)snprintf(w->urls[w->asked++], sizeof w->urls[0], "%s", request->url);
    (void)snprintf(w->method, sizeof w->method, "%s", request->method);
    (void)snprintf(w->body, sizeof w->body, "%.*s", (int)request->body_len,
                   request->body ? (const char *)request->body : "");
    w->headers[0] = '\0';
    for (const char *const *h = request->headers; *h; h++) {
        size_t used = strlen(w->headers);
        (void)snprintf(w->headers + used, sizeof w->headers - used, "%s\n", *h);
    }
    if (a->status == 0)
        return TACKLE_E_DENIED;
    response->status = a->status;
    response->content_type = a->type ? a->type : "";
    response->body = a->body ? a->body : "";
    response->body_len = a->len ? a->len : strlen(response->body);
    response->location = a->location;
    return TACKLE_OK;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->plugin = plugin_test_new(&tackle_plugin_v1, NULL);
    plugin_test_on_fetch(w->plugin, fetch, w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    plugin_test_free(w->plugin);
    free(w);
    return 0;
}

static void get(struct world *w, struct answer answer)
{
    w->asked = 0;
    w->answers[0] = answer;
    w->result = plugin_test_call(w->plugin, "http_get", "{\"url\":\"https://a.org/x\"}");
}

static void says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is missing in: %s", part, text);
}

static void text_is_shown(void **state)
{
    static const char *const types[] = {"",
                                        "text/plain; charset=utf-8",
                                        "application/json",
                                        "application/ld+json; x=y",
                                        "image/svg+xml",
                                        "Text/Markdown"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        get(w, (struct answer){200, types[i], "the text", NULL, 0});
        assert_int_equal(w->result->code, TACKLE_OK);
        says(w->result->output, "HTTP 200, ");
        says(w->result->output, "8 bytes, from https://a.org/x\nthe text");
    }
    assert_string_equal(w->method, "GET");
    assert_null(strcasestr(w->headers, "authorization"));
    assert_null(strcasestr(w->headers, "cookie"));
}

static void binary_is_told_not_shown(void **state)
{
    struct world *w = *state;
    get(w, (struct answer){200, "image/png", "\x89PNG data", NULL, 0});
    says(w->result->output, "image/png, 9 bytes");
    says(w->result->output, "[binary: not shown]");
    assert_null(strstr(w->result->output, "PNG data"));
    get(w, (struct answer){200, "text/plain", "a\0secret", NULL, 8});
    says(w->result->output, "[binary: not shown]");
    assert_null(strstr(w->result->output, "secret"));
}

static void pages_lose_what_nobody_reads(void **state)
{
    struct world *w = *state;
    get(w, (struct answer){200, "text/html",
                           "<p>one<SCRIPT a=b>evil('<p>')</script >two<!-- no --> three"
                           "<style>p{}</style><svg><path/></svg><b>four</b><script>open",
                           NULL, 0});
    says(w->result->output, "\n<p>onetwo three<b>four</b>");
    assert_null(strstr(w->result->output, "evil"));
    assert_null(strstr(w->result->output, "open"));
    get(w, (struct answer){200, "text/html", "<", NULL, 0});
    says(w->result->output, "\n<");
}

static void long_text_is_cut_at_a_character(void **state)
{
    struct world *w = *state;
    w->answers[0] = (struct answer){200, "text/plain", "ab\xc3\xa4\xc3\xb6", NULL, 0};
    w->result =
        plugin_test_call(w->plugin, "http_get", "{\"url\":\"https://a.org/\",\"max_bytes\":3}");
    says(w->result->output, "\nab\n[2 of 6 bytes; max_bytes shows up to 1048576]");
}

static void failures_tell_the_status(void **state)
{
    struct world *w = *state;
    get(w, (struct answer){404, "text/plain", "no such page", NULL, 0});
    assert_int_equal(w->result->code, TACKLE_E_NOT_FOUND);
    says(w->result->message, "https://a.org/x answered HTTP 404: no such page");
    get(w, (struct answer){500, "image/png", "\x89PNG", NULL, 0});
    assert_int_equal(w->result->code, TACKLE_E_FAILED);
    says(w->result->message, "HTTP 500");
    get(w, (struct answer){0, NULL, NULL, NULL, 0});
    assert_int_equal(w->result->code, TACKLE_E_DENIED);
}

static void redirects_are_followed_as_new_requests(void **state)
{
    struct world *w = *state;
    w->answers[1] = (struct answer){307, "", "", "https://c.org/z", 0};
    w->answers[2] = (struct answer){200, "text/plain", "there", NULL, 0};
    get(w, (struct answer){302, "", "", "https://b.org/y", 0});
    assert_int_equal(w->asked, 3);
    assert_string_equal(w->urls[1], "https://b.org/y");
    assert_string_equal(w->urls[2], "https://c.org/z");
    says(w->result->output, "from https://c.org/z\nthere");
    w->answers[1] = (struct answer){0, NULL, NULL, NULL, 0}; /* that hop is denied */
    get(w, (struct answer){302, "", "", "https://b.org/y", 0});
    assert_int_equal(w->asked, 2);
    assert_int_equal(w->result->code, TACKLE_E_DENIED);
}

static void redirects_end(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < HOPS; i++)
        w->answers[i] = (struct answer){301, "", "", "https://a.org/x", 0};
    get(w, w->answers[0]);
    assert_int_equal(w->asked, 6);
    assert_int_equal(w->result->code, TACKLE_E_FAILED);
    says(w->result->message, "more than 5 times");
    get(w, (struct answer){304, "", "", NULL, 0}); /* points nowhere */
    assert_int_equal(w->asked, 1);
    says(w->result->message, "HTTP 304");
}

static void a_post_carries_a_key_and_follows_nothing(void **state)
{
    struct world *w = *state;
    w->answers[0] = (struct answer){200, "application/json", "{}", NULL, 0};
    w->result = plugin_test_call(w->plugin, "http_post",
                                 "{\"url\":\"https://a.org/x\",\"body\":\"{\\\"a\\\":1}\"}");
    assert_int_equal(w->result->code, TACKLE_OK);
    assert_string_equal(w->method, "POST");
    assert_string_equal(w->body, "{\"a\":1}");
    says(w->headers, "Content-Type: application/json\n");
    says(w->headers, "Idempotency-Key: ");
    w->asked = 0;
    w->answers[0] = (struct answer){302, "", "", "https://b.org/", 0};
    w->result = plugin_test_call(
        w->plugin, "http_post",
        "{\"url\":\"https://a.org/x\",\"body\":\"x\",\"content_type\":\"text/plain\"}");
    assert_int_equal(w->asked, 1);
    says(w->headers, "Content-Type: text/plain\n");
    says(w->result->output, "HTTP 302: redirects to https://b.org/");
    w->result = plugin_test_call(
        w->plugin, "http_post",
        "{\"url\":\"https://a.org/x\",\"body\":\"x\",\"content_type\":\"a\\r\\nX: y\"}");
    assert_int_equal(w->result->code, TACKLE_E_ARGS);
}

static void what_is_no_url_is_refused(void **state)
{
    static const char *const bad[] = {
        "{\"url\":\"file:///etc/passwd\"}", "{\"url\":\"https://a.org/\\r\\nX: y\"}",
        "{\"url\":\"https://u@a.org/\"}", "{\"url\":\"short\"}", "{}"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        w->result = plugin_test_call(w->plugin, "http_get", bad[i]);
        assert_int_equal(w->result->code, TACKLE_E_ARGS);
    }
    assert_int_equal(w->asked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text_is_shown),
        TEST(binary_is_told_not_shown),
        TEST(pages_lose_what_nobody_reads),
        TEST(long_text_is_cut_at_a_character),
        TEST(failures_tell_the_status),
        TEST(redirects_are_followed_as_new_requests),
        TEST(redirects_end),
        TEST(a_post_carries_a_key_and_follows_nothing),
        TEST(what_is_no_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
