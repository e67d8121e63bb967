/* What an endpoint tells of itself: its models, and the balance of the account. */
#include "api/keys.h"
#include "base/text.h"
#include "wire/about.h"

#define WAIT_MS 30000

/* Resolves the provider, asks, and refuses errors. Release both in any case. */
static int32_t ask(struct tackle_runtime *rt, const char *name, const char *path, const char *lack,
                   struct provider *provider, struct endpoint_answer *answer, tackle_error *error)
{
    struct err err;
    *answer = (struct endpoint_answer){0};
    buf_init(&answer->body, 0);
    if ((!name && keys_read_file(rt, &rt->settings, &err) != 0) ||
        provider_resolve_endpoint(&rt->settings, name, api_getenv, rt, provider, &err) != 0)
        return api_fail(rt, error, &err);
    if (api_ask_endpoint(rt, provider, path, WAIT_MS, answer, error) != 0)
        return -1;
    return api_check_answer(rt, provider, answer, lack, error);
}

int32_t tackle_list_models(tackle_runtime *rt, const char *provider_name, char **json,
                           tackle_error *error)
{
    struct err err;
    struct provider provider;
    struct endpoint_answer answer;
    json_t *models = NULL;
    int32_t status =
        ask(rt, provider_name, "/models", "list its models", &provider, &answer, error);
    if (status == 0 && !(models = about_models(answer.value))) {
        err_set(
            &err, ERR_API,
            "%s answers with something that is no list of models; name the model with -m as its "
            "documentation does",
            provider.base_url);
        status = api_fail(rt, error, &err);
    }
    if (status == 0)
        status = api_give_json(rt, models, json, error);
    endpoint_answer_release(&answer);
    provider_release(&provider);
    return status;
}

/* Text that is no JSON, as one. */
static json_t *body_text(const struct buf *body)
{
    struct buf clean;
    buf_init(&clean, 64u << 20);
    json_t *text = text_for_model(&clean, body->data, body->len) == 0
                       ? json_stringn(clean.data, clean.len)
                       : NULL;
    buf_release(&clean);
    return text;
}

int32_t tackle_credits(tackle_runtime *rt, const char *provider_name, char **json,
                       tackle_error *error)
{
    struct provider provider;
    struct endpoint_answer answer;
    int32_t status =
        ask(rt, provider_name, "/credits", "tell a balance", &provider, &answer, error);
    if (status == 0) {
        json_t *body = answer.value ? json_incref(answer.value) : body_text(&answer.body);
        status = api_give_json(rt,
                               json_pack("{s:s, s:i, s:o?, s:o}", "endpoint", provider.base_url,
                                         "status", answer.status, "credits",
                                         about_credits(answer.value), "body", body),
                               json, error);
    }
    endpoint_answer_release(&answer);
    provider_release(&provider);
    return status;
}
