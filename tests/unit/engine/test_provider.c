#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "engine/provider.h"

/* An environment of names and values, ended by NULL. */
static const char *lookup(void *user, const char *name)
{
    for (const char *const *pair = user; *pair; pair += 2)
        if (strcmp(pair[0], name) == 0)
            return pair[1];
    return NULL;
}

static const char *const all_keys[] = {"TACKLE_API_KEY",     "k-default",      "OPENAI_API_KEY",
                                       "k-openai",           "GEMINI_API_KEY", "k-google",
                                       "OPENROUTER_API_KEY", "k-router",       NULL};

static int resolve(const char *model, const char *base_url, const char *const *env, bool need_key,
                   struct provider *p, struct err *err)
{
    struct settings s;
    assert_int_equal(settings_init(&s), 0);
    if (model)
        assert_int_equal(settings_set(&s, LAYER_FLAG, "model", model, err), 0);
    if (base_url)
        assert_int_equal(settings_set(&s, LAYER_FLAG, "base_url", base_url, err), 0);
    int status = provider_resolve(&s, lookup, (void *)(uintptr_t)env, need_key, p, err);
    settings_release(&s);
    return status;
}

static void a_model_names_its_provider(void **state)
{
    static const struct {
        const char *setting, *name, *model, *key, *base_url;
    } cases[] = {
        {NULL, "default", "gemini-2.5-pro", "k-default", NULL},
        {"", "default", "gemini-2.5-pro", "k-default", NULL},
        {"other", "default", "other", "k-default", NULL},
        {"openai/gpt-5", "openai", "gpt-5", "k-openai", "https://api.openai.com/v1"},
        {"google/", "google", "gemini-2.5-pro", "k-google", NULL},
        {"openrouter/meta-llama/llama-3", "openrouter", "meta-llama/llama-3", "k-router", NULL},
        {"meta-llama/llama-3", "default", "meta-llama/llama-3", "k-default", NULL},
        {"/x", "default", "/x", "k-default", NULL},
        {"ollama/qwen3:8b", "ollama", "qwen3:8b", NULL, "http://127.0.0.1:11434/v1"},
        {"llama.cpp/", "llama.cpp", "default", NULL, "http://127.0.0.1:8080/v1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct provider p;
        struct err err;
        if (resolve(cases[i].setting, NULL, all_keys, true, &p, &err) != 0)
            fail_msg("%s", err.text);
        assert_string_equal(p.name, cases[i].name);
        assert_string_equal(p.model, cases[i].model);
        if (cases[i].base_url)
            assert_string_equal(p.base_url, cases[i].base_url);
        if (cases[i].key)
            assert_string_equal(p.key, cases[i].key);
        else
            assert_null(p.key);
        provider_release(&p);
        provider_release(&p);
    }
}

static void a_provider_without_a_model_asks_for_one(void **state)
{
    (void)state;
    struct provider p;
    struct err err;
    assert_int_equal(resolve("openai/", NULL, all_keys, true, &p, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "--model openai/MODEL"));
}

static void a_missing_key_is_named(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const empty[] = {"TACKLE_API_KEY", "", "OPENAI_API_KEY", "", NULL};
    static const char *const other[] = {"OPENAI_API_KEY", "k", NULL};
    static const char *const *const envs[] = {none, empty, other};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct provider p;
        struct err err;
        assert_int_equal(resolve(NULL, NULL, envs[i], true, &p, &err), -1);
        assert_int_equal(err.code, ERR_AUTH);
        assert_non_null(strstr(err.text, "TACKLE_API_KEY"));
        assert_int_equal(resolve(NULL, NULL, envs[i], false, &p, &err), 0);
        assert_null(p.key);
        provider_release(&p);
    }
}

/* A key goes to its own endpoint and to no other. */
static void another_address_does_not_get_the_providers_key(void **state)
{
    static const char *const openai[] = {"OPENAI_API_KEY", "k-openai", NULL};
    (void)state;
    struct provider p;
    struct err err;
    assert_int_equal(resolve("openai/gpt-5", "https://elsewhere.org/v1/", openai, true, &p, &err),
                     0);
    assert_string_equal(p.base_url, "https://elsewhere.org/v1");
    assert_null(p.key);
    provider_release(&p);
    assert_int_equal(resolve("openai/gpt-5", "https://elsewhere.org/v1", all_keys, true, &p, &err),
                     0);
    assert_string_equal(p.key, "k-default"); /* TACKLE_API_KEY is the one for such an address */
    provider_release(&p);
}

static void openai_may_be_elsewhere(void **state)
{
    static const char *const env[] = {"OPENAI_API_KEY", "k", "OPENAI_BASE_URL",
                                      "https://proxy.org/openai/", NULL};
    (void)state;
    struct provider p;
    struct err err;
    assert_int_equal(resolve("openai/gpt-5", NULL, env, true, &p, &err), 0);
    assert_string_equal(p.base_url, "https://proxy.org/openai");
    assert_string_equal(p.key, "k");
    provider_release(&p);
}

static void bad_addresses_are_refused(void **state)
{
    static const char *const bad[] = {
        "localhost:8080",      "ftp://h/v1",      "http://",           "https:///v1",
        "http://user:pw@h/v1", "http://h/v1?x=y", "http://h/v1#x",     "http://h /v1",
        "http://h/v1\r\nX: y", "http://h:0/v1",   "http://h:99999/v1", "http://h\\x/v1"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct provider p;
        struct err err;
        if (resolve(NULL, bad[i], all_keys, true, &p, &err) != -1)
            fail_msg("%s", bad[i]);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.text, "base_url"));
    }
}

static void a_key_with_a_line_break_is_refused(void **state)
{
    static const char *const env[] = {"TACKLE_API_KEY", "secret\nX-Evil: 1", NULL};
    (void)state;
    struct provider p;
    struct err err;
    assert_int_equal(resolve(NULL, NULL, env, true, &p, &err), -1);
    assert_int_equal(err.code, ERR_AUTH);
    assert_non_null(strstr(err.text, "TACKLE_API_KEY"));
    assert_null(strstr(err.text, "secret"));
}

static void prices_are_known_or_not(void **state)
{
    (void)state;
    struct provider p;
    struct err err;
    assert_int_equal(resolve(NULL, NULL, all_keys, true, &p, &err), 0);
    double cost = provider_cost(&p, 1000000, 1000000);
    assert_true(cost > 2.534 && cost < 2.536);
    assert_true(provider_cost(&p, 0, 0) >= 0);
    provider_release(&p);
    assert_int_equal(resolve("openai/gpt-5", NULL, all_keys, true, &p, &err), 0);
    assert_true(provider_cost(&p, 1000, 1000) < 0);
    provider_release(&p);
}

static void check_fallback(const char *fallback, const char *base_url, const char *name,
                           const char *url, const char *key)
{
    struct settings s;
    struct provider first, second;
    struct err err;
    void *env = (void *)(uintptr_t)all_keys;
    assert_int_equal(settings_init(&s), 0);
    assert_int_equal(settings_set(&s, LAYER_FLAG, "model", "openai/gpt-5", &err), 0);
    assert_int_equal(settings_set(&s, LAYER_FLAG, "fallback_model", fallback, &err), 0);
    if (base_url)
        assert_int_equal(settings_set(&s, LAYER_FLAG, "base_url", base_url, &err), 0);
    assert_int_equal(provider_resolve(&s, lookup, env, true, &first, &err), 0);
    assert_int_equal(provider_resolve_fallback(&s, &first, lookup, env, true, &second, &err), 0);
    assert_string_equal(second.name, name);
    assert_string_equal(second.base_url, url);
    assert_string_equal(second.key, key);
    provider_release(&first);
    provider_release(&second);
    settings_release(&s);
}

static void the_other_model_is_the_same_providers_or_its_own(void **state)
{
    (void)state;
    check_fallback("gpt-5-mini", NULL, "openai", "https://api.openai.com/v1", "k-openai");
    check_fallback("gpt-5-mini", "https://h/v1", "openai", "https://h/v1", "k-default");
    check_fallback("google/", "https://h/v1", "google",
                   "https://generativelanguage.googleapis.com/v1beta/openai", "k-google");
}

static void all_of_them(void **state)
{
    static const char *const env[] = {"OPENAI_API_KEY", "k-openai", NULL};
    (void)state;
    json_t *all = provider_list(lookup, (void *)(uintptr_t)env);
    char *text = json_dumps(all, 0);
    assert_null(strstr(text, "k-openai"));
    free(text);
    size_t index, found = 0;
    json_t *row;
    json_array_foreach(all, index, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        bool present = json_is_true(json_object_get(row, "key_present"));
        assert_int_equal(present, strcmp(name, "openai") == 0);
        found += strcmp(name, "default") == 0 || strcmp(name, "ollama") == 0;
    }
    assert_int_equal(found, 2);
    json_decref(all);
}

/* Each variable that may hold a key is known as one, so that programs can take them away. */
static void no_key_variable_is_forgotten(void **state)
{
    static const char *const none[] = {NULL};
    (void)state;
    json_t *all = provider_list(lookup, (void *)(uintptr_t)none);
    size_t index;
    json_t *row;
    json_array_foreach(all, index, row)
    {
        const char *variable = json_string_value(json_object_get(row, "key_env"));
        bool known = !variable;
        for (const char *const *name = provider_key_variables(); *name; name++)
            known = known || strcmp(*name, variable) == 0;
        assert_true(known);
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_names_its_provider),
        cmocka_unit_test(a_provider_without_a_model_asks_for_one),
        cmocka_unit_test(a_missing_key_is_named),
        cmocka_unit_test(another_address_does_not_get_the_providers_key),
        cmocka_unit_test(openai_may_be_elsewhere),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(a_key_with_a_line_break_is_refused),
        cmocka_unit_test(prices_are_known_or_not),
        cmocka_unit_test(the_other_model_is_the_same_providers_or_its_own),
        cmocka_unit_test(all_of_them),
        cmocka_unit_test(no_key_variable_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
