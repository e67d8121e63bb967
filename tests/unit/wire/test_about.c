/* Lists of models and balances, in the forms that endpoints use. */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "wire/about.h"

struct row {
    const char *body, *expected; /* expected NULL: none */
};

static void check(json_t *(*read)(const json_t *body), const struct row *row)
{
    json_t *body = json_loads(row->body, JSON_DECODE_ANY, NULL);
    assert_non_null(body);
    json_t *got = read(body);
    char *text =
        got ? json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;
    if (row->expected)
        assert_string_equal(text ? text : "(nothing)", row->expected);
    else
        assert_null(text);
    free(text);
    json_decref(got);
    json_decref(body);
}

static void models_are_found_in_every_form(void **state)
{
    static const struct row rows[] = {
        /* OpenAI, and what follows it */
        {"{\"object\":\"list\",\"data\":[{\"id\":\"gpt-5\",\"object\":\"model\",\"created\":1,"
         "\"owned_by\":\"openai\"},{\"id\":\"gpt-4\",\"owned_by\":\"openai\"}]}",
         "[{\"id\":\"gpt-4\",\"owned_by\":\"openai\"},{\"id\":\"gpt-5\",\"owned_by\":\"openai\"}]"},
        /* Google */
        {"{\"data\":[{\"id\":\"models/gemini-2.5-pro\"}]}", "[{\"id\":\"gemini-2.5-pro\"}]"},
        {"{\"models\":[{\"name\":\"models/g\",\"inputTokenLimit\":1048576}]}",
         "[{\"id\":\"g\",\"context\":1048576}]"},
        /* OpenRouter, vLLM */
        {"{\"data\":[{\"id\":\"a/b\",\"name\":\"A: B\",\"context_length\":128000}]}",
         "[{\"id\":\"a/b\",\"context\":128000}]"},
        {"{\"data\":[{\"id\":\"q\",\"owned_by\":\"vllm\",\"max_model_len\":32768}]}",
         "[{\"id\":\"q\",\"owned_by\":\"vllm\",\"context\":32768}]"},
        /* llama.cpp tells twice */
        {"{\"models\":[{\"name\":\"x.gguf\"}],\"data\":[{\"id\":\"x.gguf\"}]}",
         "[{\"id\":\"x.gguf\"}]"},
        /* Together, and a list of names */
        {"[{\"id\":\"b\"},{\"id\":\"a\"},{\"id\":\"b\"}]", "[{\"id\":\"a\"},{\"id\":\"b\"}]"},
        {"[\"b\",\"a\"]", "[{\"id\":\"a\"},{\"id\":\"b\"}]"},
        /* Ollama without a model */
        {"{\"object\":\"list\",\"data\":null}", "[]"},
        {"{\"data\":[]}", "[]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(about_models, &rows[i]);
}

static void members_that_name_no_model_are_passed_over(void **state)
{
    static const struct row rows[] = {
        {"{\"data\":[null,1,{},{\"id\":7},{\"id\":\"\"},{\"id\":\"models/"
         "\"},[\"x\"],{\"id\":\"a\"}]}",
         "[{\"id\":\"a\"}]"},
        {"[{\"id\":\"a\",\"owned_by\":{},\"context_length\":\"8k\"}]", "[{\"id\":\"a\"}]"},
        {"[{\"id\":\"a\",\"context_length\":-1}]", "[{\"id\":\"a\"}]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(about_models, &rows[i]);
}

static void what_is_no_list_of_models_is_none(void **state)
{
    static const char *const bodies[] = {"null",
                                         "7",
                                         "\"gpt\"",
                                         "{}",
                                         "{\"data\":7}",
                                         "{\"data\":null}",
                                         "{\"data\":{\"id\":\"a\"}}"};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        check(about_models, &(struct row){bodies[i], NULL});
    assert_null(about_models(NULL));
}

static void a_balance_is_found_in_every_form(void **state)
{
    static const struct row rows[] = {
        {"{\"credits\":1234}", "1234"},
        {"{\"credits\":12.5,\"currency\":\"USD\"}", "12.5"},
        {"{\"balance\":0}", "0"},
        {"{\"balance\":-3}", "-3"},
        {"{\"code\":200,\"message\":\"ok\",\"data\":{\"credits\":7}}", "7"},
        {"{\"code\":200,\"msg\":\"success\",\"data\":100}", "100"},
        {"{\"credits\":5,\"remaining\":3}", "3"},
        {"{\"credits\":{\"total\":10,\"remaining\":4}}", "4"},
        /* OpenRouter */
        {"{\"data\":{\"total_credits\":25,\"total_usage\":0.5}}", "24.5"},
        {"{\"total_credits\":25}", "25"},
        {"1234", "1234"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(about_credits, &rows[i]);
}

static void no_number_is_made_up(void **state)
{
    static const char *const bodies[] = {
        "null",
        "{}",
        "[]",
        "\"12\"",
        "{\"credits\":\"many\"}",
        "{\"code\":200,\"plan\":\"free\"}",
        "{\"a\":{\"b\":{\"credits\":7}}}",
        "{\"total_usage\":3}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        check(about_credits, &(struct row){bodies[i], NULL});
    assert_null(about_credits(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_found_in_every_form),
        cmocka_unit_test(members_that_name_no_model_are_passed_over),
        cmocka_unit_test(what_is_no_list_of_models_is_none),
        cmocka_unit_test(a_balance_is_found_in_every_form),
        cmocka_unit_test(no_number_is_made_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
