/* Files of rules: what is in them, and what is said of those that are wrong. */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "engine/policy_rule.h"

static void load(struct policy_rules *rules, const char *text)
{
    struct err err;
    *rules = (struct policy_rules){0};
    if (policy_rules_add_file(rules, LAYER_USER, "p.yaml", text, strlen(text), &err) != 0)
        fail_msg("%s", err.text);
}

static void a_file_has_rules_of_all_forms(void **state)
{
    struct policy_rules rules;
    (void)state;
    load(&rules,
         "allow:\n  - read_file\nask: ['git_*']\ndeny: ['run_command(git push)']\n"
         "rules:\n"
         "  - tool: [write_file, edit_file]\n"
         "    path: ['docs/**', '*.md']\n"
         "    do: allow\n"
         "    match: [docs/a, x/y.md]\n"
         "    not_match: [src/a, ../docs/a]\n"
         "  - tool: run_command\n"
         "    argv: [git, [log, diff], ...]\n"
         "    program: /usr/bin/git\n"
         "    do: allow\n"
         "    match: ['git log -5', [git, diff, 'a b']]\n"
         "    not_match: ['git logout', 'git log > x', 'git log; rm x']\n"
         "  - {tool: run_command, argv: curl, do: deny,\n"
         "     match: ['bash -c \"curl x\"'], not_match: [curly]}\n"
         "  - {tool: fetch, host: '*.example.com', do: allow,\n"
         "     match: ['https://a.example.com/x', b.example.com], not_match: [example.com]}\n");
    assert_int_equal(rules.count, 7);
    assert_int_equal(rules.items[1].verdict, POLICY_ASK);
    assert_string_equal(rules.items[3].origin, "p.yaml, rule 1");
    assert_string_equal(rules.items[3].text, "write_file|edit_file([\"docs/**\",\"*.md\"])");
    assert_string_equal(rules.items[4].program, "/usr/bin/git");
    assert_true(policy_rule_names(&rules.items[3], "edit_file"));
    assert_false(policy_rule_names(&rules.items[3], "read_file"));
    assert_true(policy_rule_names(&rules.items[1], "git_log"));
    policy_rules_release(&rules);
}

static void check_wrong(const char *text, const char *problem)
{
    struct policy_rules rules = {0};
    struct err err;
    int status = policy_rules_add_file(&rules, LAYER_USER, "p.yaml", text, strlen(text), &err);
    policy_rules_release(&rules);
    if (status == 0)
        fail_msg("accepted: %s", text);
    assert_int_equal(err.code, ERR_CONFIG);
    if (strncmp(err.text, "p.yaml: ", 8) != 0 || !strstr(err.text, problem))
        fail_msg("%s: %s", text, err.text);
}

static void a_file_that_is_wrong_is_refused(void **state)
{
    (void)state;
    check_wrong("", "line 1: there is no rule in it");
    check_wrong("# nothing\n", "there is no rule in it");
    check_wrong("{}", "there is no rule in it");
    check_wrong("[]", "there is no rule in it");
    check_wrong("allow: [a]\nallow: [b]\n", "line 2");
    check_wrong("allow: [a\n", "line ");
    check_wrong("ask: [read_file]\nalow: [a]\n", "line 2: unknown key 'alow'; there are rules");
    check_wrong("allow: a", "line 1: allow: a list of rules is wanted");
    check_wrong("allow: [1]", "item 1: a text is wanted");
    check_wrong("allow: ['a(']", "the pattern is not closed");
    check_wrong("allow: ['a()']", "the pattern is empty");
    check_wrong("allow: ['A B']", "is no tool's name");
    check_wrong("deny: ['run_command(a ... b)']", "'...' may only be the last word");
    check_wrong("rules: {}", "a list is wanted");
    check_wrong("rules: [a]", "rule 1: {tool: NAME");
    check_wrong("ask: [a]\nrules:\n- {tool: a}\n", "line 2: rule 1: 'do' is missing");
    check_wrong("rules: [{do: deny}]", "'tool' is missing");
    check_wrong("rules: [{tool: a, do: allow}, {tool: a, do: maybe}]", "rule 2: do: allow, ask or");
    check_wrong("rules: [{tool: a, do: ask, paht: x}]", "there is no 'paht' in a rule; there are");
    check_wrong("rules: [{tool: a, do: ask, path: x, host: y}]", "only one of path, argv and host");
    check_wrong("rules: [{tool: a, do: ask, path: 5}]", "path: a glob");
    check_wrong("rules: [{tool: a, do: ask, path: '[a'}]", "path '[a'");
    check_wrong("rules: [{tool: a, do: ask, path: '!a'}]", "without '!'");
    check_wrong("rules: [{tool: a, do: ask, path: []}]", "path: a glob");
    check_wrong("rules: [{tool: a, do: ask, argv: 5}]", "argv: a list is wanted");
    check_wrong("rules: [{tool: a, do: ask, argv: []}]", "argv: a command is wanted");
    check_wrong("rules: [{tool: a, do: ask, host: 'a b'}]", "a b");
    check_wrong("rules: [{tool: a, do: ask, argv: [a], program: a}]", "an absolute path");
    check_wrong("rules: [{tool: a, do: ask, path: a, program: /a}]", "goes with 'argv'");
}

static void examples_are_checked(void **state)
{
    (void)state;
    check_wrong("rules: [{tool: a, path: 'docs/**', do: allow, match: [docs]}]",
                "match: the rule does not match \"docs\"");
    check_wrong("rules: [{tool: a, path: 'docs/**', do: deny, not_match: [docs/a]}]",
                "not_match: the rule matches \"docs/a\"");
    check_wrong("rules: [{tool: a, argv: [git, log], do: allow, match: ['git log -5']}]",
                "does not match");
    check_wrong("rules: [{tool: a, argv: [git, ...], do: allow, match: ['git a; rm b']}]",
                "does not match");
    check_wrong("rules: [{tool: a, host: a.org, do: allow, match: [b.org]}]", "does not match");
    check_wrong("rules: [{tool: a, do: allow, match: [x]}]", "for path, argv or host is wanted");
    check_wrong("rules: [{tool: a, path: x, do: allow, match: x}]", "a list of examples");
    check_wrong("rules: [{tool: a, path: x, do: allow, match: [1]}]",
                "example 1: a text is wanted");
    check_wrong("rules: [{tool: a, host: x.org, do: allow, match: ['a b']}]", "a host or a URL");
}

static void it_has_a_size(void **state)
{
    struct policy_rules rules = {0};
    struct err err;
    char *text = malloc(POLICY_FILE_MAX + 1);
    (void)state;
    assert_non_null(text);
    memset(text, '#', POLICY_FILE_MAX + 1);
    assert_int_equal(
        policy_rules_add_file(&rules, LAYER_USER, "p", text, POLICY_FILE_MAX + 1, &err), -1);
    assert_non_null(strstr(err.text, "1024 KiB"));
    policy_rules_release(&rules);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_rules_of_all_forms),
        cmocka_unit_test(a_file_that_is_wrong_is_refused),
        cmocka_unit_test(examples_are_checked),
        cmocka_unit_test(it_has_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
