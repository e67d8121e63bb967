#include "engine/policy_rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/deny.h"
#include "base/enforce.h"
#include "base/glob.h"
#include "base/yaml.h"

#define RULE_TEXT_MAX 4096

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

void policy_rule_release(struct policy_rule *rule)
{
    free(rule->origin);
    free(rule->text);
    for (char **tool = rule->tools; tool && *tool; tool++)
        free(*tool);
    free(rule->tools);
    free(rule->raw);
    for (char **glob = rule->globs; glob && *glob; glob++)
        free(*glob);
    free(rule->globs);
    command_pattern_release(&rule->command);
    free(rule->hosts);
    free(rule->program);
    *rule = (struct policy_rule){0};
}

void policy_rules_release(struct policy_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        policy_rule_release(&rules->items[i]);
    free(rules->items);
    *rules = (struct policy_rules){0};
}

/* ---- Parts of rules ---- */

/* The texts of a text or of a list of them; NULL-terminated. */
static char **take_texts(const json_t *value, const char *key, const char *wanted, struct err *err)
{
    bool one = json_is_string(value);
    size_t count = one ? 1 : json_array_size(value);
    char **list = count > 0 ? calloc(count + 1, sizeof *list) : NULL;
    for (size_t i = 0; i < count && list; i++) {
        const json_t *item = one ? value : json_array_get(value, i);
        const char *text = json_string_value(item);
        if (!text || !*text || strpbrk(text, "\n\r")) {
            err_set(err, ERR_USAGE, "%s: %s is wanted", key, wanted);
            goto fail;
        }
        if (!(list[i] = strdup(text))) {
            no_memory(err);
            goto fail;
        }
    }
    if (!list)
        err_set(err, count ? ERR_NOMEM : ERR_USAGE, "%s: %s is wanted", key, wanted);
    return list;
fail:
    for (char **item = list; *item; item++)
        free(*item);
    free(list);
    return NULL;
}

static int check_tools(char *const *tools, struct err *err)
{
    for (; *tools; tools++) {
        size_t len = strspn(*tools, "abcdefghijklmnopqrstuvwxyz0123456789_*?[]{},!-");
        if (len == 0 || (*tools)[len])
            return err_set(err, ERR_USAGE,
                           "'%.80s' is no tool's name; write TOOL or TOOL(PATTERN): read_file, "
                           "git_*, run_command(git log ...)",
                           *tools);
        if (glob_check(*tools, err) != 0)
            return err_prefix(err, "tool '%.80s'", *tools);
    }
    return 0;
}

static int take_tools(struct policy_rule *rule, const json_t *value, struct err *err)
{
    rule->tools = take_texts(value, "tool", "a tool's name, or a list of them", err);
    return rule->tools ? check_tools(rule->tools, err) : -1;
}

static int take_globs(struct policy_rule *rule, const json_t *value, struct err *err)
{
    rule->globs = take_texts(value, "path", "a glob such as src/**, or a list of them", err);
    if (!rule->globs)
        return -1;
    for (char **glob = rule->globs; *glob; glob++) {
        if (**glob == '!')
            return err_set(err, ERR_USAGE, "path '%.80s': a glob is wanted, without '!'", *glob);
        if (glob_check(*glob, err) != 0)
            return err_prefix(err, "path '%.80s'", *glob);
    }
    return 0;
}

static int take_hosts(struct policy_rule *rule, const json_t *value, struct err *err)
{
    int status = 0;
    char **names =
        take_texts(value, "host", "a host such as *.example.com, or a list of them", err);
    if (!names)
        return -1;
    for (size_t i = 0; names[i] && status == 0; i++) {
        struct host_rule *larger = reallocarray(rule->hosts, i + 1, sizeof *larger);
        status = larger ? host_rule_parse(names[i], &larger[i], err) : no_memory(err);
        rule->hosts = larger ? larger : rule->hosts;
        rule->host_count += status == 0;
    }
    for (char **name = names; *name; name++)
        free(*name);
    free(names);
    return status;
}

/* The pattern of TOOL(PATTERN): whatever it can be about; the tool's arguments tell later. */
static int take_raw(struct policy_rule *rule, const char *pattern, struct err *err)
{
    struct err ignored;
    json_t *text = json_string(pattern);
    rule->raw = strdup(pattern);
    if (!rule->raw || !text) {
        json_decref(text);
        return no_memory(err);
    }
    if (take_globs(rule, text, &ignored) != 0) {
        for (char **glob = rule->globs; glob && *glob; glob++)
            free(*glob);
        free(rule->globs);
        rule->globs = NULL;
    }
    if (take_hosts(rule, text, &ignored) != 0)
        rule->host_count = 0;
    json_decref(text);
    if (strcmp(pattern, "...") == 0 || command_pattern_parse(&rule->command, pattern, err) == 0)
        return 0;
    return -1;
}

int policy_rule_parse(struct policy_rule *rule, enum policy_verdict verdict, enum layer layer,
                      const char *origin, const char *text, struct err *err)
{
    *rule = (struct policy_rule){.verdict = verdict, .layer = layer};
    size_t len = strlen(text), tool_len = strcspn(text, "(");
    bool pattern = tool_len < len;
    char *inner = NULL;
    int status = -1;
    rule->origin = strdup(origin);
    rule->text = strdup(text);
    json_t *tool = json_stringn(text, tool_len);
    if (!rule->origin || !rule->text)
        no_memory(err);
    else if (len > RULE_TEXT_MAX || strpbrk(text, "\n\r"))
        err_set(err, ERR_USAGE, "a rule is one line of %d bytes at most", RULE_TEXT_MAX);
    else if (!tool)
        err_set(err, ERR_USAGE, "a rule must be UTF-8 text");
    else if (pattern && text[len - 1] != ')')
        err_set(err, ERR_USAGE, "the pattern is not closed; write TOOL(PATTERN)");
    else if (pattern && len - tool_len == 2)
        err_set(err, ERR_USAGE, "the pattern is empty; '%.*s' alone is about all calls",
                (int)tool_len, text);
    else
        status = take_tools(rule, tool, err);
    json_decref(tool);
    if (status == 0 && pattern) {
        rule->form = RULE_TEXT;
        inner = strndup(text + tool_len + 1, len - tool_len - 2);
        status = inner ? take_raw(rule, inner, err) : no_memory(err);
        free(inner);
    }
    if (status != 0) {
        err_prefix(err, "rule '%.80s'", text);
        policy_rule_release(rule);
    }
    return status;
}

int policy_rule_check(const char *text, struct err *err)
{
    struct policy_rule rule;
    if (policy_rule_parse(&rule, POLICY_ALLOW, LAYER_BUILTIN, "", text, err) != 0)
        return -1;
    policy_rule_release(&rule);
    return 0;
}

/* ---- What a rule is about ---- */

bool policy_rule_names(const struct policy_rule *rule, const char *tool)
{
    for (char *const *name = rule->tools; *name; name++)
        if (strcmp(*name, tool) == 0 || glob_path(*name, tool))
            return true;
    return false;
}

bool policy_rule_covers_path(const struct policy_rule *rule, const char *path)
{
    for (char *const *glob = rule->globs; glob && *glob; glob++)
        if (rule->verdict == POLICY_ALLOW ? glob_path(*glob, path) : deny_matches(*glob, path))
            return true;
    return false;
}

bool policy_rule_covers_host(const struct policy_rule *rule, const struct host *host)
{
    for (size_t i = 0; i < rule->host_count; i++)
        if (host_rule_names(&rule->hosts[i], host))
            return true;
    return false;
}

bool policy_rule_covers_command(const struct policy_rule *rule, const struct command *command,
                                size_t part, policy_program_fn *same_program, void *user)
{
    bool is_part = part < command->part_count;
    const char *first = is_part ? command->words[command->parts[part].first] : "";
    bool same =
        rule->program && is_part && same_program && same_program(user, first, rule->program);
    if (rule->program && rule->command.count == 0)
        return same;
    if (rule->verdict != POLICY_ALLOW)
        return same || (rule->command.count > 0 && command_mentions(command, &rule->command));
    if (rule->raw && strcmp(rule->raw, command->text ? command->text : "") == 0)
        return true;
    if (rule->program && !same && ENFORCED(policy_same_program))
        return false;
    return rule->command.count > 0 && is_part &&
           command_is(command, part, &rule->command, rule->program != NULL);
}

/* ---- Lists ---- */

static int add_rule(struct policy_rules *rules, struct policy_rule *rule, struct err *err)
{
    size_t count = rules->count;
    if (count == POLICY_RULES_MAX)
        return err_set(err, ERR_CONFIG, "there are more than %d rules", POLICY_RULES_MAX);
    struct policy_rule *larger = reallocarray(rules->items, count + 1, sizeof *larger);
    if (!larger)
        return no_memory(err);
    rules->items = larger;
    rules->items[rules->count++] = *rule;
    return 0;
}

int policy_rules_add_text(struct policy_rules *rules, enum policy_verdict verdict, enum layer layer,
                          const char *origin, const char *text, struct err *err)
{
    struct policy_rule rule;
    if (policy_rule_parse(&rule, verdict, layer, origin, text, err) != 0)
        return -1;
    if (add_rule(rules, &rule, err) == 0)
        return 0;
    policy_rule_release(&rule);
    return -1;
}

/* ---- Examples ---- */

/* Which file a program is, is not known here: an example tells of the words only. */
static int covers_example_command(const struct policy_rule *rule, const json_t *example,
                                  bool *covered, struct err *err)
{
    const char *text = json_string_value(example);
    struct command command = {0};
    struct policy_rule words = *rule;
    bool allows = rule->verdict == POLICY_ALLOW;
    words.program = NULL;
    int status = json_is_array(example) ? command_read_argv(&command, example, err)
                 : text                 ? command_read_shell(&command, text, strlen(text), err)
                                        : err_set(err, ERR_USAGE, "a command is wanted");
    *covered = allows;
    for (size_t i = 0; i < command.part_count || i == 0; i++) {
        bool part = policy_rule_covers_command(&words, &command, i, NULL, NULL);
        *covered = allows ? *covered && part : *covered || part;
    }
    command_release(&command);
    return status;
}

static int covers_example(const struct policy_rule *rule, const json_t *example, bool *covered,
                          struct err *err)
{
    const char *text = json_string_value(example);
    struct url_parts url;
    struct host host;
    if (rule->form == RULE_COMMAND)
        return covers_example_command(rule, example, covered, err);
    if (!text)
        return err_set(err, ERR_USAGE, "a text is wanted");
    if (rule->form == RULE_PATH) {
        *covered = policy_rule_covers_path(rule, text);
        return 0;
    }
    bool is_url = url_split(text, &url) == 0;
    if (host_read(is_url ? url.host : text, is_url ? url.host_len : strlen(text), &host) != 0)
        return err_set(err, ERR_USAGE, "a host or a URL is wanted");
    *covered = policy_rule_covers_host(rule, &host);
    return 0;
}

static int check_examples(const struct policy_rule *rule, const json_t *list, const char *key,
                          bool wanted, struct err *err)
{
    size_t index;
    json_t *example;
    if (!list)
        return 0;
    if (!json_is_array(list) || rule->form == RULE_TOOL)
        return err_set(err, ERR_USAGE, "%s: a list of examples for path, argv or host is wanted",
                       key);
    json_array_foreach((json_t *)list, index, example)
    {
        bool covered = false;
        if (covers_example(rule, example, &covered, err) != 0)
            return err_prefix(err, "%s: example %zu", key, index + 1);
        if (covered != wanted && ENFORCED(policy_examples)) {
            char *text = json_dumps(example, JSON_COMPACT | JSON_ENCODE_ANY);
            err_set(err, ERR_USAGE, "%s: the rule %s %s; correct the rule or the example", key,
                    wanted ? "does not match" : "matches", text ? text : "it");
            free(text);
            return -1;
        }
    }
    return 0;
}

/* ---- Files ---- */

static int take_verdict(struct policy_rule *rule, const json_t *value, struct err *err)
{
    const char *word = json_string_value(value);
    for (enum policy_verdict v = POLICY_ALLOW; word && v <= POLICY_DENY; v++)
        if (strcmp(word, policy_verdict_name(v)) == 0) {
            rule->verdict = v;
            return 0;
        }
    return err_set(err, ERR_USAGE, "do: allow, ask or deny is wanted");
}

static int take_member(struct policy_rule *rule, const char *key, const json_t *value,
                       struct err *err)
{
    static const char two[] = "only one of path, argv and host can be in a rule";
    bool pattern = strcmp(key, "path") == 0 || strcmp(key, "argv") == 0 || strcmp(key, "host") == 0;
    if (pattern && rule->form != RULE_TOOL)
        return err_set(err, ERR_USAGE, two);
    if (strcmp(key, "tool") == 0)
        return take_tools(rule, value, err);
    if (strcmp(key, "do") == 0)
        return take_verdict(rule, value, err);
    if (strcmp(key, "match") == 0 || strcmp(key, "not_match") == 0)
        return 0; /* when all of the rule is known */
    if (strcmp(key, "path") == 0) {
        rule->form = RULE_PATH;
        return take_globs(rule, value, err);
    }
    if (strcmp(key, "host") == 0) {
        rule->form = RULE_HOST;
        return take_hosts(rule, value, err);
    }
    if (strcmp(key, "argv") == 0) {
        rule->form = RULE_COMMAND;
        if (!json_is_array(value) && !json_is_string(value))
            return err_set(err, ERR_USAGE, "argv: a list is wanted: [git, [log, diff], ...]");
        return command_pattern_from_json(&rule->command, value, err) == 0 ? 0
                                                                          : err_prefix(err, "argv");
    }
    if (strcmp(key, "program") == 0) {
        const char *path = json_string_value(value);
        if (!path || *path != '/')
            return err_set(err, ERR_USAGE, "program: an absolute path is wanted: /usr/bin/git");
        rule->program = strdup(path);
        return rule->program ? 0 : no_memory(err);
    }
    return err_set(err, ERR_USAGE,
                   "there is no '%.60s' in a rule; there are tool, path, argv, host, program, do, "
                   "match and not_match",
                   key);
}

/* "run_command(git log ...)", for people. */
static char *compose_text(const struct policy_rule *rule, const json_t *object)
{
    static const char *const keys[] = {"", "", "path", "argv", "host"};
    struct buf text;
    buf_init(&text, RULE_TEXT_MAX);
    for (size_t i = 0; rule->tools[i]; i++)
        (void)buf_format(&text, "%s%s", i ? "|" : "", rule->tools[i]);
    const json_t *pattern = json_object_get(object, keys[rule->form]);
    char *shown = json_is_string(pattern) || !pattern ? NULL : json_dumps(pattern, JSON_COMPACT);
    if (pattern)
        (void)buf_format(&text, "(%s)", shown ? shown : json_string_value(pattern));
    if (rule->program)
        (void)buf_format(&text, " with %s", rule->program);
    free(shown);
    return buf_take(&text);
}

static int rule_from_json(struct policy_rule *rule, const json_t *object, struct err *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return err_set(err, ERR_USAGE,
                       "{tool: NAME, path|argv|host: PATTERN, do: allow|ask|deny} is wanted");
    json_object_foreach((json_t *)object, key, value)
    {
        if (take_member(rule, key, value, err) != 0)
            return -1;
    }
    if (!rule->tools)
        return err_set(err, ERR_USAGE, "'tool' is missing: a name, a glob or a list of them");
    if (!json_object_get(object, "do"))
        return err_set(err, ERR_USAGE, "'do' is missing: allow, ask or deny");
    if (rule->program && rule->form == RULE_TOOL)
        rule->form = RULE_COMMAND;
    if (rule->program && rule->form != RULE_COMMAND)
        return err_set(err, ERR_USAGE, "'program' goes with 'argv'");
    if (check_examples(rule, json_object_get(object, "match"), "match", true, err) != 0 ||
        check_examples(rule, json_object_get(object, "not_match"), "not_match", false, err) != 0)
        return -1;
    rule->text = compose_text(rule, object);
    return rule->text ? 0 : no_memory(err);
}

static int add_objects(struct policy_rules *rules, enum layer layer, const char *name,
                       const json_t *list, struct err *err)
{
    size_t index;
    json_t *object;
    if (!json_is_array(list))
        return err_set(err, ERR_USAGE, "rules: a list is wanted");
    json_array_foreach((json_t *)list, index, object)
    {
        struct policy_rule rule = {.layer = layer};
        struct buf origin;
        buf_init(&origin, 8192);
        int status = buf_format(&origin, "%s, rule %zu", name, index + 1) == 0 &&
                             (rule.origin = buf_take(&origin))
                         ? rule_from_json(&rule, object, err)
                         : no_memory(err);
        buf_release(&origin);
        if (status == 0)
            status = add_rule(rules, &rule, err);
        if (status != 0) {
            policy_rule_release(&rule);
            return err_prefix(err, "rule %zu", index + 1);
        }
    }
    return 0;
}

static int add_texts(struct policy_rules *rules, enum layer layer, const char *name,
                     enum policy_verdict verdict, const json_t *list, struct err *err)
{
    size_t index;
    json_t *item;
    const char *key = policy_verdict_name(verdict);
    if (!json_is_array(list))
        return err_set(err, ERR_USAGE, "%s: a list of rules is wanted: [read_file, 'git_*']", key);
    json_array_foreach((json_t *)list, index, item)
    {
        const char *text = json_string_value(item);
        int status = text ? policy_rules_add_text(rules, verdict, layer, name, text, err)
                          : err_set(err, ERR_USAGE, "a text is wanted");
        if (status != 0)
            return err_prefix(err, "%s: item %zu", key, index + 1);
    }
    return 0;
}

/* The line on which a member of the whole file begins; 0: not found. */
static unsigned line_of(const char *text, size_t len, const char *key)
{
    size_t width = strlen(key);
    unsigned number = 1;
    for (const char *line = text; line && line < text + len; number++) {
        const char *from = line + (*line == '"' || *line == '\'');
        if ((size_t)(text + len - from) > width && strncmp(from, key, width) == 0)
            return number;
        line = memchr(line, '\n', (size_t)(text + len - line));
        line = line ? line + 1 : NULL;
    }
    return 0;
}

static int add_members(struct policy_rules *rules, enum layer layer, const char *name,
                       const json_t *file, const char **at, struct err *err)
{
    json_t *value;
    json_object_foreach((json_t *)file, *at, value)
    {
        int status = 1;
        for (enum policy_verdict v = POLICY_ALLOW; v <= POLICY_DENY && status == 1; v++)
            if (strcmp(*at, policy_verdict_name(v)) == 0)
                status = add_texts(rules, layer, name, v, value, err);
        if (status == 1)
            status =
                strcmp(*at, "rules") == 0
                    ? add_objects(rules, layer, name, value, err)
                    : err_set(err, ERR_USAGE,
                              "unknown key '%.60s'; there are rules, allow, ask and deny", *at);
        if (status != 0)
            return -1;
    }
    return 0;
}

int policy_rules_add_file(struct policy_rules *rules, enum layer layer, const char *name,
                          const char *text, size_t len, struct err *err)
{
    const char *at = NULL;
    int status;
    if (len > POLICY_FILE_MAX)
        return err_set(err, ERR_CONFIG, "%s: a policy file may have %u KiB at most", name,
                       POLICY_FILE_MAX >> 10);
    json_t *file = yaml_load(text, len, 1, err);
    if (!file)
        status = -1;
    else if (!json_is_object(file) || json_object_size(file) == 0)
        status = err_set(err, ERR_CONFIG,
                         "line 1: there is no rule in it; 'rules:', 'allow:', 'ask:' or 'deny:' "
                         "with a list is wanted");
    else
        status = add_members(rules, layer, name, file, &at, err);
    unsigned line = status != 0 && at ? line_of(text, len, at) : 0;
    if (line > 0)
        err_prefix(err, "line %u", line);
    json_decref(file);
    if (status == 0)
        return 0;
    err->code = err->code == ERR_NOMEM ? ERR_NOMEM : ERR_CONFIG;
    return err_prefix(err, "%s", name);
}
