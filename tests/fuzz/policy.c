/* engine/policy_rule and engine/command: a file of rules, and below a line "---" a command. What is
 * not understood is allowed by no rule but its own whole text; what denies a command still denies
 * it when something stands around it. */
#include <string.h>

#include "engine/policy_rule.h"
#include "fuzz.h"

static void check_rule(const struct policy_rule *rule, const struct command *c)
{
    bool whole = rule->raw && strcmp(rule->raw, c->text) == 0;
    for (size_t i = 0; i < c->part_count || i == 0; i++) {
        bool covers = policy_rule_covers_command(rule, c, i, NULL, NULL);
        FUZZ_CHECK(!covers || rule->verdict != POLICY_ALLOW || whole || c->understood);
    }
}

static void check_around(const struct policy_rules *rules, const struct command *c)
{
    struct buf text;
    struct command around;
    struct err err;
    buf_init(&text, 2 * COMMAND_TEXT_MAX);
    FUZZ_CHECK(buf_format(&text, "true && (%s)", c->text) == 0);
    if (text.len <= COMMAND_TEXT_MAX &&
        command_read_shell(&around, text.data, text.len, &err) == 0) {
        FUZZ_CHECK(!around.understood);
        for (size_t i = 0; i < rules->count; i++) {
            const struct command_pattern *p = &rules->items[i].command;
            if (p->count > 0 && command_mentions(c, p))
                FUZZ_CHECK(command_mentions(&around, p));
        }
        command_release(&around);
    }
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_parts parts;
    struct policy_rules rules = {0};
    struct command c;
    struct err err = {.text = ""};
    fuzz_split(data, size, &parts);
    if (policy_rules_add_file(&rules, LAYER_USER, "p", parts.first, parts.first_len, &err) != 0) {
        FUZZ_CHECK(err.text[0] && (err.code == ERR_CONFIG || err.code == ERR_NOMEM));
        policy_rules_release(&rules);
        rules = (struct policy_rules){0};
        (void)policy_rules_add_text(&rules, POLICY_ALLOW, LAYER_FLAG, "flag", parts.first, &err);
    }
    if (command_read_shell(&c, parts.second, strlen(parts.second), &err) == 0) {
        FUZZ_CHECK(!c.understood || c.part_count > 0);
        for (size_t i = 0; i < rules.count; i++)
            check_rule(&rules.items[i], &c);
        check_around(&rules, &c);
    }
    command_release(&c);
    policy_rules_release(&rules);
    fuzz_parts_release(&parts);
    return 0;
}
