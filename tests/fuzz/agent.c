/* engine/agent: an agent file is read, or the error says where it is wrong; one from a workspace
 * never gets more than the default agent has. */
#include <string.h>

#include "base/text.h"
#include "engine/agent.h"
#include "fuzz.h"

static void check_rights(const struct agent *agent)
{
    struct settings s;
    struct err err = {0};
    bool held_back = false;
    FUZZ_CHECK(settings_init(&s) == 0);
    if (agent_apply(agent, &s, false, &held_back, &err) == 0) {
        FUZZ_CHECK(strcmp(settings_text(&s, SET_SANDBOX), "read-only") == 0);
        for (size_t i = 0; i < settings_count(&s, SET_PLUGIN); i++)
            FUZZ_CHECK(!strchr(settings_item(&s, SET_PLUGIN, i), '/'));
    } else {
        FUZZ_CHECK(*err.text);
    }
    settings_release(&s);
    FUZZ_CHECK(settings_init(&s) == 0);
    (void)agent_apply(agent, &s, true, &held_back, &err);
    settings_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agent agent;
    struct err err = {0};
    if (agent_parse("dir/from-file.md", (const char *)data, size, &agent, &err) != 0) {
        FUZZ_CHECK(err.code == ERR_CONFIG || err.code == ERR_LIMIT);
        FUZZ_CHECK(*err.text && text_is_utf8(err.text, strlen(err.text)));
        return 0;
    }
    size_t len = strlen(agent.name);
    FUZZ_CHECK(len > 0 && len <= 64);
    FUZZ_CHECK(strspn(agent.name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len);
    FUZZ_CHECK(agent.description && agent.prompt && json_is_object(agent.settings));
    FUZZ_CHECK(text_is_utf8(agent.prompt, strlen(agent.prompt)));
    check_rights(&agent);
    agent_release(&agent);
    return 0;
}
