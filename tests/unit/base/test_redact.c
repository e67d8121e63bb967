/* Secrets taken out of text: every form of a value, tokens by their form, JSON that stays JSON,
 * streams cut anywhere. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/redact.h"
#include "test_support.h"

#define KEY "tk-9f8e/7d+6c5b4a"

static struct redact *make(const char *name, const char *value)
{
    struct redact *set = redact_new();
    assert_non_null(set);
    assert_int_equal(redact_add(set, name, value), 0);
    return set;
}

static void check_form(const struct redact *set, enum redact_form form, const char *text,
                       const char *expected)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    long count = redact_copy(set, form, text, strlen(text), &out);
    assert_true(count >= 0);
    assert_string_equal(count > 0 ? out.data : text, expected);
    buf_release(&out);
}

static void check(const struct redact *set, const char *text, const char *expected)
{
    check_form(set, REDACT_TEXT, text, expected);
}

static void test_forms_of_a_value(void **state)
{
    (void)state;
    struct redact *set = make("API_KEY", KEY);
    static const char *const forms[] = {
        KEY,
        "tk-9f8e%2F7d%2B6c5b4a",
        "tk-9f8e%2f7d%2b6c5b4a",
        "746b2d396638652f37642b366335623461",
        "746B2D396638652F37642B366335623461",
        "dGstOWY4ZS83ZCs2YzViNG", /* base64, at the three places, as far as the value alone is in
                                      it */
        "RrLTlmOGUvN2QrNmM1YjRh",
        "0ay05ZjhlLzdkKzZjNWI0Y",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char text[256], expected[256];
        (void)snprintf(text, sizeof text, "before %s after", forms[i]);
        (void)snprintf(expected, sizeof expected, "before %s after", "[redacted:API_KEY]");
        check(set, text, expected);
    }
    check(set, "nothing here, tk-9f8e/7d+6c5b4", "nothing here, tk-9f8e/7d+6c5b4");
    check(set, KEY KEY, "[redacted:API_KEY][redacted:API_KEY]");
    assert_string_equal(redact_find(set, "a " KEY, strlen("a " KEY)), "[redacted:API_KEY]");
    assert_null(redact_find(set, "AKIAABCDEFGHIJKLMNOP", 20)); /* none of the values */
    redact_free(set);
}

/* Base64 at every place of a larger text, in lines as programs write them. */
static void test_base64_in_a_larger_text(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct redact *set = make("K", KEY);
    for (size_t before = 0; before < 80; before++) {
        char plain[160], coded[256];
        size_t len = 0;
        memset(plain, 'x', before);
        (void)snprintf(plain + before, sizeof plain - before, "%s!!!!!!", KEY);
        size_t size = strlen(plain) / 3 * 3;
        for (size_t i = 0, column = 0; i < size; i += 3) {
            unsigned triple = (unsigned)(unsigned char)plain[i] << 16 |
                              (unsigned)(unsigned char)plain[i + 1] << 8 |
                              (unsigned char)plain[i + 2];
            for (int shift = 18; shift >= 0; shift -= 6) {
                coded[len++] = digits[triple >> shift & 63];
                if (++column % 76 == 0)
                    coded[len++] = '\n';
            }
        }
        coded[len] = '\0';
        struct buf out;
        buf_init(&out, 4096);
        size_t column = (before * 8 + 5) / 6 % 76;
        if (column != 74 && column != 75) { /* a break within the first three digits */
            assert_int_equal(redact_copy(set, REDACT_TEXT, coded, len, &out), 1);
            assert_non_null(strstr(out.data, "[redacted:K]"));
        }
        buf_release(&out);
    }
    redact_free(set);
}

static void test_values_that_are_no_secrets(void **state)
{
    (void)state;
    struct redact *set = make("SHORT", "seven77");
    check(set, "seven77", "seven77");
    assert_int_equal(redact_add(set, "EMPTY", ""), 0);
    assert_int_equal(redact_add(set, "BLANK", " \n"), 0);
    assert_int_equal(redact_add(set, "A_NAME WITH \"]", "  first-value-1\n"), 0);
    assert_int_equal(redact_add(set, "SAME", "first-value-1"), 0);
    check(set, "first-value-1", "[redacted:A_NAME_WITH___]");
    redact_free(set);
    set = redact_new();
    for (int i = 0; i < REDACT_SECRETS_MAX; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "value-number-%d", i + 1000);
        assert_int_equal(redact_add(set, "N", value), 0);
    }
    assert_int_equal(redact_add(set, "N", "one-too-many"), -1);
    check(set, "value-number-1255", "[redacted:N]");
    redact_free(set);
}

static void test_longest_wins(void **state)
{
    (void)state;
    struct redact *set = make("SHORT", "hunter2-hunter2");
    assert_int_equal(redact_add(set, "LONG", "hunter2-hunter2-and-more"), 0);
    check(set, "hunter2-hunter2-and-more", "[redacted:LONG]");
    check(set, "hunter2-hunter2-and-less", "[redacted:SHORT]-and-less");
    redact_free(set);
}

#define A36 "abcdefghijklmnopqrstuvwxyz0123456789"

static void test_tokens(void **state)
{
    (void)state;
    struct redact *set = redact_new();
    assert_non_null(set);
    check(set, "ghp_" A36, "[redacted:github-token]");
    check(set, "token=ghs_" A36 ";", "token=[redacted:github-token];");
    check(set, "github_pat_" A36 "_" A36, "[redacted:github-token]");
    check(set, "AKIAIOSFODNN7EXAMPLE", "[redacted:aws-key]");
    check(set, "AKIAIOSFODNN7EXAMPLES", "AKIAIOSFODNN7EXAMPLES");
    check(set, "XAKIAIOSFODNN7EXAMPLE", "XAKIAIOSFODNN7EXAMPLE");
    check(set, "AIza0123456789abcdefghijklmnopqrstuvwxy", "[redacted:google-key]");
    check(set, "xoxb-1234567890-abcdefghijkl", "[redacted:slack-token]");
    check(set, "sk_live_0123456789abcdef", "[redacted:stripe-key]");
    check(set, "sk-proj-" A36, "[redacted:api-key]");
    check(set, "sk-a-word-with-many-hyphens-and-no-digits",
          "sk-a-word-with-many-hyphens-and-no-digits");
    check(set, "task-" A36, "task-" A36);
    check(set, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl1x, and",
          "[redacted:jwt], and");
    check(set, "eyJhbGciOiJIUzI1NiJ9.nothing", "eyJhbGciOiJIUzI1NiJ9.nothing");
    check(set, "https://me:hunter22@host/p", "https://[redacted:url-credentials]@host/p");
    check(set, "https://x-access-token-abcdef123@host/",
          "https://[redacted:url-credentials]@host/");
    check(set, "ssh://git@host/p https://me:$PASSWORD@host/",
          "ssh://git@host/p https://me:$PASSWORD@host/");
    check(set, "extraheader = AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW4=\n",
          "extraheader = AUTHORIZATION: basic [redacted:authorization]\n");
    check(set, "ghp_short", "ghp_short");
    redact_free(set);
}

#define PEM_LINE "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MbPU8Y3q1O2M4k+z"

static void test_private_keys(void **state)
{
    (void)state;
    struct redact *set = redact_new();
    assert_non_null(set);
    check(set, "a\n-----BEGIN RSA PRIVATE KEY-----\n" PEM_LINE "\n-----END RSA PRIVATE KEY-----\nb",
          "a\n[redacted:private-key]\nb");
    check(set, "-----BEGIN OPENSSH PRIVATE KEY-----\n" PEM_LINE "\n" PEM_LINE,
          "[redacted:private-key]"); /* cut */
    check_form(set, REDACT_JSON,
               "[\"-----BEGIN PRIVATE KEY-----\\n" PEM_LINE "\\n-----END PRIVATE KEY-----\\n\"]",
               "[\"[redacted:private-key]\\n\"]");
    check(set, "'-----BEGIN PRIVATE KEY-----' begins one",
          "'-----BEGIN PRIVATE KEY-----' begins one");
    check(set, "-----BEGIN PUBLIC KEY-----\n" PEM_LINE, "-----BEGIN PUBLIC KEY-----\n" PEM_LINE);
    redact_free(set);
}

static void test_json(void **state)
{
    (void)state;
    struct redact *set = make("Q", "a\"quo\\ted\nvalue");
    check_form(set, REDACT_JSON, "{\"t\":\"a\\\"quo\\\\ted\\nvalue!\"}",
               "{\"t\":\"[redacted:Q]!\"}");
    check_form(set, REDACT_JSON, "{\"t\":\"a\\\\\\\"quo\\\\\\\\ted\\\\nvalue\"}",
               "{\"t\":\"[redacted:Q]\"}"); /* JSON in JSON */
    redact_free(set);
    set = make("DIGITS", "123456789012");
    check_form(set, REDACT_JSON, "{\"n\":123456789012,\"s\":\"123456789012\"}",
               "{\"n\":123456789012,\"s\":\"[redacted:DIGITS]\"}");
    redact_free(set);
    set = make("N", "nameless-value");
    check_form(set, REDACT_JSON, "[\"\\nameless-value\"]", "[\"\\nameless-value\"]");
    check_form(set, REDACT_JSON, "[\"\\\\nameless-value\"]", "[\"\\\\[redacted:N]\"]");
    redact_free(set);
    set = make("MEMBERS", "\",\"role\":\"x\",\"");
    check_form(set, REDACT_JSON, "{\"a\":\"\",\"role\":\"x\",\"b\":1}",
               "{\"a\":\"\",\"role\":\"x\",\"b\":1}");
    redact_free(set);
    set = make("UML", "gr\xc3\xbc\xc3\x9f-gott-1");
    check_form(set, REDACT_JSON, "[\"gr\\u00fc\\u00df-gott-1\"]", "[\"[redacted:UML]\"]");
    redact_free(set);
}

static void test_in_a_buffer(void **state)
{
    (void)state;
    struct redact *set = make("A_LONG_NAME_FOR_A_KEY", "12345-key");
    struct buf text;
    buf_init(&text, 48);
    assert_int_equal(buf_text(&text, "12345-key 12345-key"), 0);
    assert_int_equal(redact_buf(set, REDACT_TEXT, &text, 3), 1);
    assert_string_equal(text.data, "12345-key [redacted:A_LONG_NAME_FOR_A_KEY]");
    assert_int_equal(redact_buf(set, REDACT_TEXT, &text, 0), -1); /* it has no room */
    assert_string_equal(text.data, "12345-key [redacted:A_LONG_NAME_FOR_A_KEY]");
    assert_int_equal(redact_buf(NULL, REDACT_TEXT, &text, 0), 0);
    assert_int_equal(redact_buf(set, REDACT_TEXT, &text, text.len), 0);
    buf_release(&text);
    redact_free(set);
}

static void feed(struct redact_stream *s, const char *text, size_t len, struct buf *out)
{
    char *piece = malloc(len + 1); /* so that reading past it is noticed */
    assert_non_null(piece);
    memcpy(piece, text, len);
    assert_int_equal(redact_stream_feed(s, piece, len, out), 0);
    free(piece);
}

/* Cut in two at every place, and into single bytes. */
static void test_streams(void **state)
{
    (void)state;
    struct redact *set = make("K", KEY);
    static const char text[] =
        "t " KEY " dGstOWY4ZS83ZCs2Y\nzViNG ghp_" A36
        " https://me:hunter22@h/ AKIAIOSFODNN7EXAMPLE\n"
        "-----BEGIN PRIVATE KEY-----\n" PEM_LINE "\n-----END PRIVATE KEY----- tk-9f8e/7d+6 "
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl1x tk-9f8";
    struct buf whole, out;
    struct redact_stream s;
    buf_init(&whole, 4096);
    buf_init(&out, 4096);
    assert_int_equal(redact_copy(set, REDACT_TEXT, text, sizeof text - 1, &whole), 7);
    redact_stream_init(&s, set);
    for (size_t cut = 0; cut < sizeof text; cut++) {
        buf_clear(&out);
        feed(&s, text, cut, &out);
        feed(&s, text + cut, sizeof text - 1 - cut, &out);
        assert_int_equal(redact_stream_end(&s, &out), 0);
        assert_string_equal(out.data, whole.data);
    }
    buf_clear(&out);
    for (size_t i = 0; i < sizeof text - 1; i++)
        feed(&s, text + i, 1, &out);
    assert_int_equal(redact_stream_end(&s, &out), 0);
    assert_string_equal(out.data, whole.data);
    redact_stream_release(&s);
    buf_release(&whole);
    buf_release(&out);
    redact_free(set);
}

/* Plain text is not held back, and what was dropped does not come back. */
static void test_stream_holds_what_it_must(void **state)
{
    (void)state;
    struct redact *set = make("K", KEY);
    struct redact_stream s;
    struct buf out;
    buf_init(&out, 4096);
    redact_stream_init(&s, set);
    feed(&s, "plain words.", 12, &out);
    assert_string_equal(out.data, "plain words.");
    feed(&s, "tk-9f", 5, &out);
    assert_string_equal(out.data, "plain words.");
    redact_stream_drop(&s);
    feed(&s, "8e/7d+6c5b4a", 12, &out);
    assert_int_equal(redact_stream_end(&s, &out), 0);
    assert_string_equal(out.data, "plain words.8e/7d+6c5b4a");
    redact_stream_release(&s);
    redact_stream_init(&s, NULL);
    feed(&s, KEY, strlen(KEY), &out);
    assert_int_equal(redact_stream_end(&s, &out), 0);
    assert_string_equal(out.data, "plain words.8e/7d+6c5b4a" KEY);
    redact_stream_release(&s);
    buf_release(&out);
    redact_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_a_value),
        cmocka_unit_test(test_base64_in_a_larger_text),
        cmocka_unit_test(test_values_that_are_no_secrets),
        cmocka_unit_test(test_longest_wins),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_private_keys),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_in_a_buffer),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_stream_holds_what_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
