/* The journal of a run: where it is, and what its first record says. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/runtime.h"
#include "base/crc32c.h"
#include "base/path.h"
#include "base/text.h"

#define PROMPT_SHOWN 400

char *journal_folder(const struct tackle_runtime *rt, const struct settings *s, struct err *err)
{
    const char *state = settings_text(s, SET_STATE_DIR);
    *err = (struct err){.code = ERR_NONE};
    if (!state)
        state = rt->state_dir;
    if (!state)
        return NULL;
    char *path = path_join(state, "runs");
    if (!path)
        err_set(err, ERR_NOMEM, "out of memory");
    return path;
}

enum durability journal_durability(const struct settings *s)
{
    const char *word = settings_text(s, SET_DURABILITY);
    if (strcmp(word, "none") == 0)
        return DURABILITY_NONE;
    return strcmp(word, "power") == 0 ? DURABILITY_POWER : DURABILITY_PROCESS;
}

/* Tells whether the tools are those of another time: names, schemas, effects. */
void journal_tools_sum(const struct prepared *p, char out[16])
{
    uint32_t sum = 0;
    for (size_t i = 0; i < p->tool_count; i++) {
        const struct tool *t = p->tools[i];
        sum = crc32c(sum, t->name, strlen(t->name) + 1);
        sum = crc32c(sum, t->description, strlen(t->description) + 1);
        sum = crc32c(sum, t->params ? t->params : "", t->params ? strlen(t->params) : 0);
        sum = crc32c(sum, &t->effect, sizeof t->effect);
    }
    (void)snprintf(out, 16, "%08" PRIx32, sum);
}

/* An option that is set for a plugin may be a secret of its user. */
static bool may_be_told(enum setting id)
{
    return id != SET_PLUGIN_OPTION && id != SET_FILE && id != SET_SYSTEM && id != SET_STATE_DIR &&
           id != SET_API_KEY_FILE && id != SET_RECORD && id != SET_REFRESH;
}

/* What was chosen for this run, by variable or flag: the rest is found again. {key: text or texts}
 */
static json_t *chosen(const struct settings *s)
{
    json_t *all = json_object();
    for (enum setting id = 0; all && id < SETTING_COUNT; id++) {
        if (!may_be_told(id) || settings_layer(s, id) < LAYER_ENVIRONMENT)
            continue;
        if (settings_count(s, id) == 0) {
            (void)json_object_set_new(all, settings_key(id), json_string(settings_text(s, id)));
            continue;
        }
        json_t *items = json_array();
        for (size_t i = 0; items && i < settings_count(s, id); i++)
            if (settings_item_layer(s, id, i) >= LAYER_ENVIRONMENT)
                (void)json_array_append_new(items, json_string(settings_item(s, id, i)));
        (void)json_object_set_new(all, settings_key(id), items);
    }
    return all;
}

/* Paths and prompts may be anything; a journal is UTF-8. */
static json_t *text_json(const char *text, size_t max)
{
    struct buf fixed;
    buf_init(&fixed, 3 * max + 1);
    (void)text_fix_utf8(&fixed, text, text_edge(text, strlen(text), max), NULL);
    json_t *value = json_stringn(fixed.data, fixed.len);
    buf_release(&fixed);
    return value;
}

static json_t *first_record(const struct prepared *p, const struct provider *provider,
                            const char *run, const char *prompt)
{
    char sum[16], rules[16];
    journal_tools_sum(p, sum);
    policy_sum(p->policy, rules);
    return json_pack("{s:i, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:o}", "v",
                     JOURNAL_VERSION, "run", run, "tackle", tackle_version(), "prompt",
                     text_json(prompt, PROMPT_SHOWN), "agent", p->agent.name, "model",
                     provider->model, "provider", provider->name, "base_url", provider->base_url,
                     "workspace", text_json(p->workspace, sizeof p->workspace), "tools", sum,
                     "policy", rules, "settings", chosen(&p->settings));
}

static int write_first(const struct tackle_runtime *rt, struct journal_file *file, json_t *record,
                       struct err *err)
{
    tackle_error ignored = TACKLE_ERROR_INIT;
    char *text = NULL;
    if (record)
        (void)api_give_text(rt, json_dumps(record, JSON_COMPACT), &text, &ignored);
    int status =
        text ? journal_file_append(file, "run_started", text + 1, strlen(text) - 2, false, err)
             : err_set(err, ERR_NOMEM, "out of memory");
    free(text);
    json_decref(record);
    return status;
}

static void offer_ephemeral(struct err *err)
{
    size_t len = strlen(err->text);
    (void)snprintf(err->text + len, sizeof err->text - len, "; --ephemeral runs without a journal");
}

bool journal_wanted(const struct tackle_runtime *rt, const struct settings *s)
{
    return !settings_flag(s, SET_EPHEMERAL) && !settings_text(s, SET_REPLAY) &&
           (rt->state_dir || settings_text(s, SET_STATE_DIR));
}

int journal_begin(struct tackle_runtime *rt, const struct prepared *p,
                  const struct provider *provider, const char *run, const char *prompt,
                  struct journal_file **out, struct err *err)
{
    const struct settings *s = &p->settings;
    *out = NULL;
    if (!journal_wanted(rt, s))
        return 0;
    char *folder = journal_folder(rt, s, err);
    if (!folder)
        return -1;
    struct journal_file *file = journal_file_create(folder, run, journal_durability(s), err);
    free(folder);
    int status = file ? write_first(rt, file, first_record(p, provider, run, prompt), err) : -1;
    if (status == 0)
        *out = file;
    else if (file)
        journal_file_discard(file);
    if (status != 0 && err->code == ERR_SESSION)
        offer_ephemeral(err);
    return status;
}
