#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/agent.h"

static void parse(struct agent *a, const char *file, const char *text)
{
    struct err err;
    if (agent_parse(file, text, strlen(text), a, &err) != 0)
        fail_msg("%s", err.text);
}

static void a_whole_file(void **state)
{
    (void)state;
    struct agent a;
    parse(
        &a, "/x/agents/file-name.md",
        "---\nname: reviewer\ndescription: Reads code.\nmax_steps: 7\ntools: [a, b]\n"
        "plugins: [file, git?]\nsandbox: workspace-write\n---\n\n\nYou review.\n\n---\nStill.\n\n");
    assert_string_equal(a.name, "reviewer");
    assert_string_equal(a.description, "Reads code.");
    assert_string_equal(a.prompt, "You review.\n\n---\nStill.");
    assert_int_equal(json_object_size(a.settings), 4);
    assert_int_equal(json_array_size(json_object_get(a.settings, "plugin")), 2);
    agent_release(&a);
    agent_release(&a);
}

static void a_file_without_front_matter_is_a_prompt(void **state)
{
    static const char *const texts[] = {"Be brief.\n", "---- no front matter\n", "--\nx\n",
                                        "\n---\nname: x\n---\ny"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct agent a;
        parse(&a, "brief.md", texts[i]);
        assert_string_equal(a.name, "brief");
        assert_string_equal(a.description, "");
        assert_int_equal(json_object_size(a.settings), 0);
        agent_release(&a);
    }
}

/* What editors on other systems put into files. */
static void line_ends_and_byte_order_marks(void **state)
{
    static const char *const texts[] = {
        "---\r\nname: x\r\nmax_steps: 3\r\n---\r\nHello.\r\n",
        "\xef\xbb\xbf---\nname: x\nmax_steps: 3\n---\nHello.\n",
        "---\nname: x\nmax_steps: 3\n---\nHello.",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct agent a;
        parse(&a, "y.md", texts[i]);
        assert_string_equal(a.name, "x");
        assert_string_equal(a.prompt, "Hello.");
        assert_int_equal(json_integer_value(json_object_get(a.settings, "max_steps")), 3);
        agent_release(&a);
    }
}

static void check_refused_bytes(const char *file, const char *text, size_t len, const char *message)
{
    struct agent a;
    struct err err = {.code = ERR_NONE};
    assert_int_equal(agent_parse(file, text, len, &a, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (!strstr(err.text, message))
        fail_msg("\"%s\" is not in \"%s\"", message, err.text);
    assert_null(a.prompt);
    assert_null(a.settings);
}

static void check_refused(const char *file, const char *text, const char *message)
{
    check_refused_bytes(file, text, strlen(text), message);
}

static void what_is_wrong_is_told_with_file_and_line(void **state)
{
    (void)state;
    check_refused("a.md", "---\nname: x\n", "a.md: line 1: the front matter has no closing '---'");
    check_refused("a.md", "---\nname: x\nmax_steps: [1\n---\nHello.", "a.md: line ");
    check_refused("a.md", "---\nname: x\nmax_stesp: 3\n---\nHello.",
                  "a.md: line 3: unknown key 'max_stesp'; did you mean 'max_steps'?");
    check_refused("a.md", "---\nsilly: 3\n---\nHello.",
                  "a.md: line 2: unknown key 'silly' in the front matter");
    check_refused("a.md", "---\nname: x\nmax_steps: many\n---\nHello.",
                  "a.md: line 3: max_steps: 'many'");
    check_refused("a.md", "---\nname: x\nname: y\n---\nHello.",
                  "a.md: line 3: 'name' is there twice");
    check_refused("a.md", "---\nname: [x]\n---\nHello.", "a.md: line 2: name: it must be text");
    check_refused("a.md", "---\ndescription: 7\n---\nHello.",
                  "a.md: line 2: description: it must be text");
    check_refused("a.md", "---\nname: No Good\n---\nHello.", "a.md: line 2: name: 'No Good'");
    check_refused("a.md", "---\nname: -x\n---\nHello.", "name: '-x'");
    check_refused("a.md", "---\n- x\n---\nHello.", "'key: value' lines");
    check_refused("a.md", "---\njust text\n---\nHello.", "'key: value' lines");
    check_refused("a.md", "---\nname: x\n---\n \n", "there is no prompt");
    check_refused("a.md", "", "there is no prompt");
    check_refused("Big Name.md", "Hello.", "name: 'Big Name'");
    check_refused("a.md", "---\nsandbox: off\n---\nHello.",
                  "a.md: line 2: sandbox: an agent file may not turn it off");
    check_refused("a.md", "---\nsandbox: no\n---\nHello.", "a.md: line 2: sandbox: 'no'");
    check_refused("a.md", "---\nname: a\nsandbox_tier: external\n---\nHello.",
                  "a.md: line 3: sandbox_tier: an agent file may not say this");
    check_refused("a.md", "---\nsandbox_read: [/home]\n---\nHello.", "sandbox_read: an agent");
    check_refused("a.md", "---\ncommand_network: host\n---\nHello.", "command_network: an agent");
    check_refused("a.md", "---\ncommand-memory: 0\n---\nHello.", "command_memory: an agent");
    check_refused("a.md", "---\ncommand_processes: 9\n---\nHello.", "command_processes: an agent");
    check_refused("a.md", "---\ncommand_file_size: 9\n---\nHello.", "command_file_size: an agent");
    check_refused("a.md", "Caf\xe9.", "a.md: not UTF-8 text");
    check_refused_bytes("a.md", "a\0b", 3, "a.md: not UTF-8 text");
}

/* What belongs to the user is not an agent's to set. */
static void an_agent_may_not_set_everything(void **state)
{
    static const char *const keys[] = {"base_url", "file",          "workspace",
                                       "agent",    "trust_project", "replay",
                                       "system",   "plugin_option", "retries"};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "---\n%s: x\n---\nHello.", keys[i]);
        check_refused("a.md", text, "unknown key");
    }
}

static void a_file_may_be_too_large(void **state)
{
    (void)state;
    size_t len = AGENT_FILE_MAX + 1;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    check_refused_bytes("a.md", text, len, "256 KiB at most");
    struct agent a;
    struct err err;
    text[len - 1] = '\0';
    assert_int_equal(agent_parse("a.md", text, len - 1, &a, &err), 0);
    agent_release(&a);
    free(text);
}

static void its_settings_have_their_place(void **state)
{
    (void)state;
    struct agent a;
    struct settings s;
    struct err err;
    bool held_back = true;
    parse(&a, "a.md",
          "---\nmax_steps: 7\nmax_time: 5m\nsandbox: workspace-write\nplugins: [shell]\n"
          "allow: ['run_command(make test)']\n---\nHi.");
    assert_int_equal(settings_init(&s), 0);
    assert_int_equal(settings_set(&s, LAYER_USER, "max_time", "1m", &err), 0);
    assert_int_equal(settings_set(&s, LAYER_FLAG, "max_steps", "3", &err), 0);
    assert_int_equal(agent_apply(&a, &s, true, &held_back, &err), 0);
    assert_false(held_back);
    assert_int_equal(settings_number(&s, SET_MAX_STEPS), 3);     /* a flag is stronger */
    assert_int_equal(settings_number(&s, SET_MAX_TIME), 300000); /* a user's file is weaker */
    assert_string_equal(settings_text(&s, SET_SANDBOX), "workspace-write");
    assert_string_equal(settings_item(&s, SET_PLUGIN, 0), "shell");
    assert_string_equal(settings_item(&s, SET_ALLOW, 0), "run_command(make test)");
    assert_int_equal(settings_item_layer(&s, SET_ALLOW, 0), LAYER_AGENT);
    settings_release(&s);
    agent_release(&a);
}

static void one_that_is_not_trusted_gets_no_rights(void **state)
{
    (void)state;
    struct agent a;
    struct settings s;
    struct err err;
    bool held_back = false;
    parse(&a, "a.md",
          "---\nmax_steps: 7\nsandbox: workspace-write\nplugin: [./x.so]\n"
          "allow: ['*']\nask: [git_add]\ndeny: [read_file]\n---\nHi.");
    assert_int_equal(settings_init(&s), 0);
    assert_int_equal(agent_apply(&a, &s, false, &held_back, &err), 0);
    assert_int_equal(settings_count(&s, SET_ALLOW), 0);
    assert_int_equal(settings_item_layer(&s, SET_ASK, 0), LAYER_PROJECT);
    assert_int_equal(settings_item_layer(&s, SET_DENY, 0), LAYER_PROJECT);
    assert_true(held_back);
    assert_string_equal(settings_text(&s, SET_SANDBOX), "read-only");
    assert_int_equal(settings_count(&s, SET_PLUGIN), 0);
    assert_int_equal(settings_number(&s, SET_MAX_STEPS), 7);
    settings_release(&s);
    agent_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file),
        cmocka_unit_test(a_file_without_front_matter_is_a_prompt),
        cmocka_unit_test(line_ends_and_byte_order_marks),
        cmocka_unit_test(what_is_wrong_is_told_with_file_and_line),
        cmocka_unit_test(an_agent_may_not_set_everything),
        cmocka_unit_test(a_file_may_be_too_large),
        cmocka_unit_test(its_settings_have_their_place),
        cmocka_unit_test(one_that_is_not_trusted_gets_no_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
