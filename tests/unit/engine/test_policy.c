#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "base/buf.h"
#include "engine/policy.h"

/* ---- A run's tools and rules ---- */

#define PATH "{\"properties\":{\"path\":{\"type\":\"string\",\"format\":\"path\"}}}"
#define COMMAND                                                                                    \
    "{\"properties\":{\"argv\":{\"type\":\"array\",\"format\":\"argv\",\"items\":{\"type\":"       \
    "\"string\"}},\"command\":{\"type\":\"string\",\"format\":\"shell\"},\"cwd\":{\"type\":"       \
    "\"string\",\"format\":\"path\"}}}"
#define PATHS                                                                                      \
    "{\"properties\":{\"paths\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":"    \
    "\"path\"}}}}"
#define URL "{\"properties\":{\"url\":{\"type\":\"string\",\"format\":\"url\"}}}"

enum { READ, WRITE, RUN, ADD, FETCH, PLAIN, TOOLS };

struct world {
    struct tool tools[TOOLS];
    const struct tool *list[TOOLS];
    struct settings settings;
    struct policy *policy;
    json_t *warnings;
};

static char open_host[] = "*", *open_hosts[] = {open_host, NULL};

static void make(struct tool *tool, const char *name, const char *params, uint32_t does)
{
    struct err err;
    if (tool_from_parts(name, "Does it.", params, does, TACKLE_EFFECT_NEVER, tool, &err) != 0)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.warnings = json_array()};
    make(&w.tools[READ], "read_file", PATH, TACKLE_READS);
    make(&w.tools[WRITE], "write_file", PATH, TACKLE_READS | TACKLE_WRITES);
    make(&w.tools[RUN], "run_command", COMMAND, TACKLE_READS | TACKLE_WRITES | TACKLE_RUNS);
    make(&w.tools[ADD], "git_add", PATHS, TACKLE_READS | TACKLE_WRITES);
    make(&w.tools[FETCH], "fetch", URL, TACKLE_NETWORK);
    make(&w.tools[PLAIN], "tell", NULL, 0);
    w.tools[FETCH].hosts = open_hosts;
    for (size_t i = 0; i < TOOLS; i++)
        w.list[i] = &w.tools[i];
    struct err err;
    assert_int_equal(settings_init(&w.settings), 0);
    assert_int_equal(settings_set(&w.settings, LAYER_FLAG, "sandbox", "workspace-write", &err), 0);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    w->tools[FETCH].hosts = NULL;
    for (size_t i = 0; i < TOOLS; i++)
        tool_release(&w->tools[i]);
    settings_release(&w->settings);
    policy_free(w->policy);
    json_decref(w->warnings);
    return 0;
}

static void set(struct world *w, enum layer layer, const char *key, const char *value)
{
    struct err err;
    if (settings_set(&w->settings, layer, key, value, &err) != 0)
        fail_msg("%s", err.text);
}

static struct policy *policy_of(struct world *w)
{
    struct err err;
    const struct policy_world world = {.workspace = "/w"};
    if (w->policy)
        return w->policy;
    w->policy = policy_new(&w->settings, &err);
    if (!w->policy)
        fail_msg("%s", err.text);
    policy_set_world(w->policy, &world);
    return w->policy;
}

static void add_file(struct world *w, enum layer layer, const char *text)
{
    struct err err;
    if (policy_add_file(policy_of(w), layer, "p.yaml", text, strlen(text), w->warnings, &err) != 0)
        fail_msg("%s", err.text);
}

static struct policy_decision decide(struct world *w, int tool, const char *args)
{
    struct policy_decision d;
    json_t *object = args ? json_loads(args, 0, NULL) : NULL;
    assert_int_equal(object != NULL, args != NULL);
    policy_decide(policy_of(w), &w->tools[tool], object, &d);
    json_decref(object);
    assert_true(d.rule[0]);
    assert_int_equal(d.why[0] == '\0', d.verdict == POLICY_ALLOW);
    return d;
}

static void check(struct world *w, int tool, const char *args, enum policy_verdict wanted,
                  const char *in_why)
{
    struct policy_decision d = decide(w, tool, args);
    if (d.verdict != wanted || (in_why && !strstr(d.why, in_why) && !strstr(d.rule, in_why)))
        fail_msg("%s %s: %s by %s: %s", w->tools[tool].name, args ? args : "",
                 policy_verdict_name(d.verdict), d.rule, d.why);
}

static void check_path(struct world *w, int tool, const char *path, enum policy_verdict wanted)
{
    char args[512];
    (void)snprintf(args, sizeof args, "{\"path\":\"%s\"}", path);
    check(w, tool, args, wanted, NULL);
}

static void check_shell(struct world *w, const char *command, enum policy_verdict wanted)
{
    char *args = NULL;
    json_t *object = json_pack("{s:s}", "command", command);
    args = json_dumps(object, 0);
    check(w, RUN, args, wanted, NULL);
    free(args);
    json_decref(object);
}

/* ---- The mode ---- */

static void a_run_that_only_reads_denies_the_rest(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "sandbox", "read-only");
    check(w, READ, "{\"path\":\"a\"}", POLICY_ALLOW, NULL);
    check(w, WRITE, "{\"path\":\"a\"}", POLICY_DENY, "--sandbox workspace-write would allow it");
    check(w, RUN, "{\"command\":\"ls\"}", POLICY_DENY, "runs commands");
    assert_true(policy_offers(w->policy, &w->tools[READ]));
    assert_false(policy_offers(w->policy, &w->tools[WRITE]));
    assert_false(policy_offers(w->policy, &w->tools[RUN]));
    assert_false(policy_writes(w->policy));
}

static void or_asks_somebody(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "sandbox", "read-only");
    set(w, LAYER_FLAG, "approval", "ask");
    check(w, WRITE, "{\"path\":\"a\"}", POLICY_ASK, "only read");
    assert_true(decide(w, WRITE, "{\"path\":\"a\"}").needs_write);
    assert_true(decide(w, WRITE, "{\"path\":\".github/a\"}").needs_write);
    assert_false(decide(w, READ, "{\"path\":\"a\"}").needs_write);
    check(w, WRITE, "{\"path\":\".env\"}", POLICY_DENY, "secrets");
    assert_true(policy_offers(w->policy, &w->tools[WRITE]));
}

static void an_allowed_call_does_not_lift_the_mode(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "sandbox", "read-only");
    set(w, LAYER_FLAG, "allow", "write_file");
    check(w, WRITE, "{\"path\":\"a\"}", POLICY_DENY, "only read");
}

/* ---- Defaults ---- */

static void secrets_are_denied(void **state)
{
    static const char *const denied[] = {".env",
                                         "a/.env",
                                         "./.env",
                                         "a/../.env",
                                         ".env/",
                                         ".//.env",
                                         "/w/.env",
                                         "/w/a/./.env",
                                         ".ENV",
                                         ".env.local",
                                         "x.pem",
                                         "certs/x.key",
                                         "id_rsa",
                                         "id_ed25519.pub",
                                         ".npmrc",
                                         ".netrc",
                                         ".ssh/config",
                                         ".aws/credentials",
                                         ".aws",
                                         "gha-creds-1.json",
                                         ".git-credentials",
                                         "../.env"};
    static const char *const allowed[] = {
        ".env.example", ".env.sample", "a.env", "pem", "env", "a/b.c", ".", "..", "/etc/passwd"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        check_path(w, READ, denied[i], POLICY_DENY);
        check_path(w, WRITE, denied[i], POLICY_DENY);
    }
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        check_path(w, READ, allowed[i], POLICY_ALLOW);
    check(w, READ, "{\"path\":\".env\"}", POLICY_DENY, "--allow 'read_file(.env)' would allow it");
    check(w, ADD, "{\"paths\":[\"a\",\"b/.env\"]}", POLICY_DENY, "b/.env");
}

static void what_others_execute_is_asked_for(void **state)
{
    static const char *const asked[] = {".github/workflows/x.yml",
                                        ".gitlab-ci.yml",
                                        ".gitmodules",
                                        ".vscode/tasks.json",
                                        ".idea/a",
                                        ".envrc",
                                        ".mcp.json",
                                        ".husky/pre-commit",
                                        "sub/.githooks/x",
                                        ".GitHub/x"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        check_path(w, WRITE, asked[i], POLICY_ASK);
        check_path(w, READ, asked[i], POLICY_ALLOW);
    }
    check_path(w, WRITE, "a/b.c", POLICY_ALLOW);
    check(w, WRITE, "{\"path\":\".envrc\"}", POLICY_ASK, "--allow 'write_file(.envrc)'");
}

static void nothing_lifts_the_floor(void **state)
{
    static const char *const denied[] = {
        ".git/config", ".git", ".tackle/policy.yaml", "a/.GIT/x", "a/../.git/hooks/pre-commit",
        "/w/.tackle/x"};
    struct world *w = *state;
    set(w, LAYER_FLAG, "allow", "*");
    set(w, LAYER_FLAG, "allow", "write_file(.git/**)");
    set(w, LAYER_FLAG, "allow", "write_file(**)");
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        check_path(w, WRITE, denied[i], POLICY_DENY);
    check(w, WRITE, "{\"path\":\".git/config\"}", POLICY_DENY, "no rule allows it");
    check_path(w, READ, ".git/config", POLICY_ALLOW);
}

static void hosts_are_asked_for(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "allow_host", "*.example.com");
    check(w, FETCH, "{\"url\":\"https://a.example.com/x\"}", POLICY_ALLOW, NULL);
    check(w, FETCH, "{\"url\":\"https://example.org/x\"}", POLICY_ASK, "--allow-host example.org");
    check(w, FETCH, "{\"url\":\"https://a.example.com.evil.org/\"}", POLICY_ASK, NULL);
    check(w, FETCH, "{\"url\":\"file:///etc/passwd\"}", POLICY_ASK, NULL);
    check(w, FETCH, "{}", POLICY_ASK, NULL);
}

static void commands_run_where_they_are_confined(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "sandbox_tier", "t3");
    check_shell(w, "make 2>&1 | tail -5", POLICY_ALLOW);
    policy_free(w->policy);
    w->policy = NULL;
    set(w, LAYER_FLAG, "sandbox_tier", "t2");
    check(w, RUN, "{\"command\":\"make\"}", POLICY_ASK, "tier t2");
    policy_free(w->policy);
    w->policy = NULL;
    set(w, LAYER_FLAG, "allow", "run_command");
    check_shell(w, "make 2>&1 | tail -5", POLICY_ALLOW);
}

/* ---- Rules ---- */

static void the_strictest_rule_wins(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "allow", "run_command(git ...)");
    set(w, LAYER_USER, "deny", "run_command(git push)");
    set(w, LAYER_FLAG, "ask", "run_command(git commit)");
    check_shell(w, "git log", POLICY_ALLOW);
    check_shell(w, "git push -f", POLICY_DENY);
    check_shell(w, "git log && git -C x push", POLICY_DENY);
    check_shell(w, "git commit -m x", POLICY_ASK);
    check_shell(w, "git commit && git push", POLICY_DENY);
    check(w, RUN, "{\"argv\":[\"git\",\"push\"]}", POLICY_DENY, "user configuration");
}

static void allowed_commands_are_a_list(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "allow", "run_command(git log ...)");
    set(w, LAYER_FLAG, "allow", "run_command(git diff)");
    set(w, LAYER_FLAG, "allow", "run_command(make 2>&1 | tail)");
    check_shell(w, "git log -5", POLICY_ALLOW);
    check_shell(w, "git log -5 && git diff", POLICY_ALLOW);
    check_shell(w, "git log && rm -rf x", POLICY_ASK);
    check_shell(w, "rm -rf x", POLICY_ASK);
    check_shell(w, "git log > x", POLICY_ASK);
    check_shell(w, "git log $(touch m)", POLICY_ASK);
    check_shell(w, "make 2>&1 | tail", POLICY_ALLOW);
    check_shell(w, "make 2>&1 | tail ", POLICY_ASK);
    check(w, RUN, "{\"argv\":[\"git\",\"log\",\"$(touch m)\"]}", POLICY_ALLOW, NULL);
    check(w, RUN, "{\"argv\":[\"git\",\"log\"],\"command\":\"rm x\"}", POLICY_ASK, NULL);
    check(w, RUN, "{\"argv\":[\"git\",\"log\"],\"cwd\":\".ssh\"}", POLICY_DENY, NULL);
    check(w, RUN, "{\"command\":\"rm x\"}", POLICY_ASK, "--allow 'run_command(rm x)'");
}

static void denied_commands_are_looked_for(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "deny", "run_command(curl)");
    check_shell(w, "git log", POLICY_ALLOW);
    check_shell(w, "curl x", POLICY_DENY);
    check_shell(w, "bash -c 'curl x'", POLICY_DENY);
    check_shell(w, "c''url x", POLICY_ASK); /* who knows? */
    check(w, RUN, "{\"argv\":[\"sh\",\"-c\",\"c''url\"]}", POLICY_ASK, NULL);
    check(w, RUN, "{\"argv\":[\"timeout\",\"5\",\"curl\"]}", POLICY_DENY, NULL);
}

static void secrets_are_allowed_by_name_only(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "allow", "read_file");
    check_path(w, READ, ".env", POLICY_DENY);
    policy_free(w->policy);
    w->policy = NULL;
    set(w, LAYER_FLAG, "allow", "read_file(.env)");
    check_path(w, READ, ".env", POLICY_ALLOW);
    check_path(w, READ, "a/.env", POLICY_ALLOW);
    check_path(w, READ, ".env.local", POLICY_DENY);
    check_path(w, READ, "../.env", POLICY_DENY);
    check_path(w, WRITE, ".env", POLICY_DENY);
}

static void paths_are_matched_whole(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "ask", "write_file");
    set(w, LAYER_FLAG, "deny", "*_file(private)");
    set(w, LAYER_FLAG, "deny", "git_add(docs/**)");
    check_path(w, WRITE, "docs/a", POLICY_ASK);
    check_path(w, WRITE, "private/a/b", POLICY_DENY);
    check_path(w, READ, "x/private/b", POLICY_DENY);
    check_path(w, READ, "docs/a", POLICY_ALLOW);
    check(w, ADD, "{\"paths\":[\"docs/a\"]}", POLICY_DENY, NULL);
    check(w, ADD, "{\"paths\":[\"a\"]}", POLICY_ALLOW, NULL);
}

static void a_project_only_tightens(void **state)
{
    struct world *w = *state;
    set(w, LAYER_USER, "allow", "read_file(secret/**)");
    add_file(w, LAYER_PROJECT,
             "allow: ['*', 'read_file(.env)']\nask: [tell]\n"
             "rules:\n  - {tool: '*', path: secret/**, do: deny}\n"
             "  - {tool: read_file, path: '.env', do: ask}\n"
             "  - {tool: run_command, do: allow}\n");
    assert_int_equal(json_array_size(w->warnings), 3);
    assert_non_null(strstr(json_string_value(json_array_get(w->warnings, 0)), "may only tighten"));
    check(w, PLAIN, "{}", POLICY_ASK, "p.yaml");
    check_path(w, READ, "secret/a", POLICY_DENY);
    check_path(w, READ, ".env", POLICY_DENY); /* its ask lifts nothing */
}

static void what_is_denied_as_a_whole_is_not_offered(void **state)
{
    struct world *w = *state;
    set(w, LAYER_FLAG, "deny", "run_*");
    set(w, LAYER_FLAG, "deny", "write_file(a)");
    assert_false(policy_offers(policy_of(w), &w->tools[RUN]));
    assert_true(policy_offers(w->policy, &w->tools[WRITE]));
    check(w, RUN, NULL, POLICY_DENY, "run_*");
}

/* ---- What really is there ---- */

static bool resolve(void *user, const char *path, char *out)
{
    (void)user;
    if (strcmp(path, "gone") == 0)
        return false;
    (void)snprintf(out, 4096, "%s", strcmp(path, "x") == 0 ? "a/.env" : "b/c");
    return true;
}

static bool same_program(void *user, const char *program, const char *file)
{
    (void)user;
    return strcmp(program, "git") == 0 && strcmp(file, "/usr/bin/git") == 0;
}

static void links_are_seen_through(void **state)
{
    struct world *w = *state;
    const struct policy_world world = {.resolve = resolve};
    set(w, LAYER_FLAG, "allow", "read_file(y)");
    set(w, LAYER_FLAG, "ask", "read_file(b/**)");
    policy_set_world(policy_of(w), &world);
    check_path(w, READ, "x", POLICY_DENY);
    check_path(w, READ, "y", POLICY_ASK); /* what it leads to is not allowed by its name */
    check_path(w, READ, "gone", POLICY_ALLOW);
}

static void a_program_may_be_named_by_its_file(void **state)
{
    struct world *w = *state;
    const struct policy_world world = {.same_program = same_program};
    add_file(w, LAYER_USER,
             "rules:\n  - {tool: run_command, argv: [git, log], program: /usr/bin/git, do: allow}\n"
             "  - {tool: run_command, argv: [hg, ...], program: /usr/bin/hg, do: allow}\n");
    policy_set_world(w->policy, &world);
    check(w, RUN, "{\"argv\":[\"git\",\"log\"]}", POLICY_ALLOW, NULL);
    check(w, RUN, "{\"argv\":[\"./git\",\"log\"]}", POLICY_ASK, NULL);
    check(w, RUN, "{\"argv\":[\"hg\",\"log\"]}", POLICY_ASK, NULL);
}

static void what_no_rule_can_be_held_to_is_denied(void **state)
{
    struct world *w = *state;
    struct policy_decision d;
    json_t *args = json_pack("{s:o}", "path", json_stringn("a\0b", 3));
    policy_decide(policy_of(w), &w->tools[READ], args, &d);
    assert_int_equal(d.verdict, POLICY_DENY);
    json_decref(args);
    char path[5000];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    args = json_pack("{s:s}", "path", path);
    policy_decide(w->policy, &w->tools[READ], args, &d);
    assert_int_equal(d.verdict, POLICY_DENY);
    json_decref(args);
}

static void decisions_are_one_line_of_whole_characters(void **state)
{
    struct world *w = *state;
    struct buf args;
    buf_init(&args, 4096);
    set(w, LAYER_FLAG, "deny", "read_file(**)");
    assert_int_equal(buf_text(&args, "{\"path\":\"a\\n"), 0);
    for (int i = 0; i < 300; i++)
        assert_int_equal(buf_text(&args, "\xc3\xa4"), 0);
    assert_int_equal(buf_text(&args, "\"}"), 0);
    struct policy_decision d = decide(w, READ, args.data);
    json_t *text = json_string(d.why);
    assert_non_null(text);
    assert_null(strchr(d.why, '\n'));
    json_decref(text);
    buf_release(&args);
}

/* ---- What the host is told ---- */

static void check_paths(const struct world *w, bool write, const char *const *wanted)
{
    json_t *list = policy_denied_paths(w->policy, w->list, TOOLS, write);
    size_t at = 0, index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        if (wanted[at] && strcmp(json_string_value(item), wanted[at]) == 0)
            at++;
    }
    if (wanted[at])
        fail_msg("%s is not in its place", wanted[at]);
    json_decref(list);
}

static void the_host_gets_what_holds(void **state)
{
    static const char *const read[] = {".env", "!.env.example", "!.npmrc", "!c/**", "a/**", NULL};
    static const char *const write[] = {".env", "b/**", NULL};
    struct world *w = *state;
    set(w, LAYER_FLAG, "deny", "read_file(a/**)");
    set(w, LAYER_FLAG, "allow", "read_file(.npmrc)");
    set(w, LAYER_FLAG, "ask", "read_file(c/**)");
    set(w, LAYER_FLAG, "deny", "write_file(b/**)");
    set(w, LAYER_FLAG, "deny", "run_command(rm)");
    (void)policy_of(w);
    check_paths(w, false, read);
    check_paths(w, true, write);
    json_t *list = policy_denied_paths(w->policy, w->list, TOOLS, false);
    char *text = json_dumps(list, 0);
    assert_null(strstr(text, "b/**"));
    assert_null(strstr(text, "\"rm\""));
    free(text);
    json_decref(list);
}

/* ---- Checking rules ---- */

static void rules_of_flags_must_be_about_something(void **state)
{
    static const struct {
        const char *rule, *problem;
    } wrong[] = {{"run_comand(curl)", "did you mean 'run_command'?"},
                 {"tell(a)", "no argument that a pattern could be about"},
                 {"read_file([a)", "no glob"},
                 {"fetch(a b)", "no host"}};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct settings s;
        struct err err;
        assert_int_equal(settings_init(&s), 0);
        assert_int_equal(settings_set(&s, LAYER_FLAG, "deny", wrong[i].rule, &err), 0);
        struct policy *p = policy_new(&s, &err);
        assert_non_null(p);
        if (policy_check_tools(p, w->list, TOOLS, &err) == 0 || !strstr(err.text, wrong[i].problem))
            fail_msg("%s: %s", wrong[i].rule, err.text);
        policy_free(p);
        settings_release(&s);
    }
}

static void files_may_name_tools_of_other_runs(void **state)
{
    struct world *w = *state;
    struct err err;
    add_file(w, LAYER_USER, "deny: ['other_tool(x)', 'git_*(a)']\n");
    assert_int_equal(policy_check_tools(w->policy, w->list, TOOLS, &err), 0);
    json_t *rows = policy_lint(w->policy, w->list, TOOLS);
    assert_int_equal(json_array_size(rows), 1);
    json_decref(rows);
}

static void lint_warns_of_wide_rules(void **state)
{
    static const char *const wide[] = {"run_command(find ...)",
                                       "run_command(env ...)",
                                       "run_command(git ...)",
                                       "run_command(python3 ...)",
                                       "run_command(xargs|awk ...)",
                                       "run_command(sort ...)",
                                       "*",
                                       "read_file(**)"};
    static const char *const fine[] = {"run_command(git log ...)", "run_command(find .)",
                                       "read_file(src/**)", "run_command(ls ...)"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        set(w, LAYER_FLAG, "allow", fine[i]);
    json_t *rows = policy_lint(policy_of(w), w->list, TOOLS);
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
    policy_free(w->policy);
    w->policy = NULL;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        set(w, LAYER_FLAG, "allow", wide[i]);
    rows = policy_lint(policy_of(w), w->list, TOOLS);
    assert_int_equal(json_array_size(rows), sizeof wide / sizeof *wide);
    json_decref(rows);
}

static void another_rule_is_another_sum(void **state)
{
    struct world *w = *state;
    char one[16], two[16];
    policy_sum(policy_of(w), one);
    add_file(w, LAYER_PROJECT, "deny: [tell]\n");
    policy_sum(w->policy, two);
    assert_int_equal(strlen(one), 8);
    assert_string_not_equal(one, two);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_that_only_reads_denies_the_rest),
        TEST(or_asks_somebody),
        TEST(an_allowed_call_does_not_lift_the_mode),
        TEST(secrets_are_denied),
        TEST(what_others_execute_is_asked_for),
        TEST(nothing_lifts_the_floor),
        TEST(hosts_are_asked_for),
        TEST(commands_run_where_they_are_confined),
        TEST(the_strictest_rule_wins),
        TEST(allowed_commands_are_a_list),
        TEST(denied_commands_are_looked_for),
        TEST(secrets_are_allowed_by_name_only),
        TEST(paths_are_matched_whole),
        TEST(a_project_only_tightens),
        TEST(what_is_denied_as_a_whole_is_not_offered),
        TEST(links_are_seen_through),
        TEST(a_program_may_be_named_by_its_file),
        TEST(what_no_rule_can_be_held_to_is_denied),
        TEST(decisions_are_one_line_of_whole_characters),
        TEST(the_host_gets_what_holds),
        TEST(rules_of_flags_must_be_about_something),
        TEST(files_may_name_tools_of_other_runs),
        TEST(lint_warns_of_wide_rules),
        TEST(another_rule_is_another_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
