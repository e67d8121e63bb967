/* The agent files that ship: valid, short, and naming only tools that their plugins have; and the
 * replies of the demo: in the form of the endpoint, and fitting the demo's files byte for byte. */
#include "test_support.h"

#include <dirent.h>
#include <dlfcn.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "engine/agent.h"

#define AGENTS TEST_SOURCE_DIR "/agents"

/* Of all that is sent first for a run of the default agent, in bytes of JSON. */
#define FIRST_REQUEST_MAX 6144

/* ---- Agents and plugins ---- */

static void agent_open(const char *name, struct agent *agent)
{
    char path[512];
    size_t len = 0;
    struct err err = {0};
    (void)snprintf(path, sizeof path, AGENTS "/%s.md", name);
    char *text = test_read_file(path, &len);
    assert_non_null(text);
    if (agent_parse(path, text, len, agent, &err) != 0)
        fail_msg("%s", err.text);
    free(text);
}

static const tackle_plugin *plugin_open(const char *name)
{
    char path[512];
    size_t len = strcspn(name, "?"); /* "git?" may be missing at run time, not here */
    (void)snprintf(path, sizeof path, TEST_BUILD_DIR "/plugins/%.*s.so", (int)len, name);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        fail_msg("%s", dlerror());
    const tackle_plugin *plugin = dlsym(library, "tackle_plugin_v1");
    assert_non_null(plugin);
    return plugin;
}

/* NULL when no plugin of the agent has it. */
static const tackle_tool *find_tool(const struct agent *agent, const char *name)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(agent->settings, "plugin"), i, item)
    {
        const tackle_plugin *plugin = plugin_open(json_string_value(item));
        for (size_t j = 0; plugin->tools[j]; j++) {
            if (strcmp(plugin->tools[j]->name, name) == 0)
                return plugin->tools[j];
        }
    }
    return NULL;
}

static void check_agent(const char *name)
{
    struct agent agent;
    size_t i, j;
    const json_t *tool, *other;
    agent_open(name, &agent);
    assert_string_equal(agent.name, name);
    assert_true(strlen(agent.description) > 20);
    assert_in_range(strlen(agent.prompt), 200, strcmp(name, "assistant") == 0 ? 900 : 1600);

    const json_t *tools = json_object_get(agent.settings, "tools");
    const char *sandbox = json_string_value(json_object_get(agent.settings, "sandbox"));
    assert_non_null(sandbox);
    assert_true(json_array_size(tools) > 0);
    json_array_foreach(tools, i, tool)
    {
        const tackle_tool *found = find_tool(&agent, json_string_value(tool));
        if (!found)
            fail_msg("%s: no plugin of it has %s", name, json_string_value(tool));
        /* The assistant may be allowed more by flag; until then such tools are not offered. */
        if (strcmp(sandbox, "read-only") == 0 && strcmp(name, "assistant") != 0 &&
            (found->does & (TACKLE_WRITES | TACKLE_RUNS)))
            fail_msg("%s is read-only, and %s is not", name, found->name);
        json_array_foreach(tools, j, other)
        {
            if (i != j && json_equal(tool, other))
                fail_msg("%s: %s is named twice", name, json_string_value(tool));
        }
    }
    agent_release(&agent);
}

static void test_every_agent_is_sound(void **state)
{
    unsigned count = 0;
    (void)state;
    DIR *dir = opendir(AGENTS);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        char name[256];
        (void)snprintf(name, sizeof name, "%s", entry->d_name);
        char *end = strrchr(name, '.');
        if (!end || strcmp(end, ".md") != 0)
            continue;
        *end = '\0';
        check_agent(name);
        count++;
    }
    (void)closedir(dir);
    assert_int_equal(count, 5);
}

static void test_default_agent_is_small(void **state)
{
    struct agent agent;
    size_t i;
    const json_t *name;
    json_t *tools = json_array();
    (void)state;
    agent_open("assistant", &agent);
    json_array_foreach(json_object_get(agent.settings, "tools"), i, name)
    {
        const tackle_tool *tool = find_tool(&agent, json_string_value(name));
        assert_non_null(tool);
        json_t *params = tool->params ? json_loads(tool->params, 0, NULL)
                                      : json_pack("{s:s, s:{}}", "type", "object", "properties");
        assert_non_null(params);
        assert_int_equal(
            json_array_append_new(tools, json_pack("{s:s, s:{s:s, s:s, s:o}}", "type", "function",
                                                   "function", "name", tool->name, "description",
                                                   tool->description, "parameters", params)),
            0);
    }
    json_t *request = json_pack("{s:[{s:s, s:s}], s:o}", "messages", "role", "system", "content",
                                agent.prompt, "tools", tools);
    assert_non_null(request);
    char *text = json_dumps(request, JSON_COMPACT);
    assert_non_null(text);
    if (strlen(text) > FIRST_REQUEST_MAX)
        fail_msg("prompt and tools of assistant take %zu bytes, %d are allowed", strlen(text),
                 FIRST_REQUEST_MAX);
    free(text);
    json_decref(request);
    agent_release(&agent);
}

/* ---- The demo ---- */

#define CALLS_MAX 4

struct reply {
    char content[4096];
    struct {
        char name[64];
        char arguments[4096];
    } calls[CALLS_MAX];
    size_t call_count;
    char finish[32];
    bool has_usage, is_done;
};

static void append(char *to, size_t size, const char *more)
{
    size_t len = strlen(to);
    assert_true(len + strlen(more) < size);
    memcpy(to + len, more, strlen(more) + 1);
}

static void take_delta(struct reply *reply, const json_t *delta)
{
    size_t i;
    const json_t *call;
    const char *content = json_string_value(json_object_get(delta, "content"));
    if (content)
        append(reply->content, sizeof reply->content, content);
    json_array_foreach(json_object_get(delta, "tool_calls"), i, call)
    {
        size_t index = (size_t)json_integer_value(json_object_get(call, "index"));
        const json_t *function = json_object_get(call, "function");
        const char *name = json_string_value(json_object_get(function, "name"));
        assert_true(index < CALLS_MAX);
        if (name) {
            assert_non_null(json_string_value(json_object_get(call, "id")));
            append(reply->calls[index].name, sizeof reply->calls[index].name, name);
            reply->call_count = index + 1;
        }
        append(reply->calls[index].arguments, sizeof reply->calls[index].arguments,
               json_string_value(json_object_get(function, "arguments")));
    }
}

static void take_chunk(struct reply *reply, const char *text)
{
    json_t *chunk = json_loads(text, 0, NULL);
    if (!chunk)
        fail_msg("no JSON: %s", text);
    const json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
    const char *finish = json_string_value(json_object_get(choice, "finish_reason"));
    take_delta(reply, json_object_get(choice, "delta"));
    if (finish)
        append(reply->finish, sizeof reply->finish, finish);
    if (json_is_integer(json_object_get(json_object_get(chunk, "usage"), "total_tokens")))
        reply->has_usage = true;
    json_decref(chunk);
}

/* False when there is no reply of that number. */
static bool reply_read(unsigned number, struct reply *reply)
{
    char path[512];
    size_t len = 0;
    (void)snprintf(path, sizeof path, AGENTS "/demo/tape/%03u.response", number);
    char *text = test_read_file(path, &len), *rest = text;
    bool is_there = text != NULL;
    *reply = (struct reply){.content = ""};
    for (const char *line; (line = strsep(&rest, "\n"));) {
        if (!*line)
            continue;
        assert_memory_equal(line, "data: ", 6);
        assert_false(reply->is_done);
        if (strcmp(line, "data: [DONE]") == 0)
            reply->is_done = true;
        else
            take_chunk(reply, line + 6);
    }
    free(text);
    return is_there;
}

/* Applies an edit as edit_file does: the old text must be there exactly once. */
static void apply_edit(const char *folder, const json_t *args)
{
    const char *path = json_string_value(json_object_get(args, "path"));
    const char *old = json_string_value(json_object_get(args, "old_text"));
    const char *new = json_string_value(json_object_get(args, "new_text"));
    assert_true(path && old && new);
    char *file = test_join(folder, path);
    size_t len = 0;
    char *text = test_read_file(file, &len);
    assert_non_null(text);
    char *at = strstr(text, old);
    if (!at || strstr(at + 1, old))
        fail_msg("%s: to be replaced, but not there exactly once: %s", path, old);
    size_t size = len + strlen(new) + 1;
    char *edited = malloc(size);
    assert_non_null(edited);
    int written = snprintf(edited, size, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    test_write_file(file, edited, (size_t)written);
    free(edited);
    free(text);
    free(file);
}

static int run_check(const char *folder)
{
    char command[512];
    (void)snprintf(command, sizeof command, "cd '%s' && sh check.sh >/dev/null 2>&1", folder);
    return system(command);
}

static char *copy_demo_files(void)
{
    static const char *const names[] = {"slug.sh",      "check.sh",  "README.md",
                                        "CHANGELOG.md", "AGENTS.md", NULL};
    char *folder = test_temp_dir();
    for (size_t i = 0; names[i]; i++) {
        size_t len = 0;
        char *from = test_join(AGENTS "/demo/files", names[i]), *to = test_join(folder, names[i]);
        char *text = test_read_file(from, &len);
        assert_non_null(text);
        test_write_file(to, text, len);
        free(text);
        free(from);
        free(to);
    }
    return folder;
}

static void test_demo_replies_fit_the_files(void **state)
{
    struct agent agent;
    struct reply reply;
    unsigned number = 1, edits = 0, commits = 0;
    (void)state;
    agent_open("repo-chores", &agent);
    char *folder = copy_demo_files();
    assert_int_not_equal(run_check(folder), 0);
    for (; reply_read(number, &reply); number++) {
        assert_true(reply.is_done && reply.has_usage);
        if (reply.call_count == 0)
            break;
        assert_string_equal(reply.finish, "tool_calls");
        for (size_t i = 0; i < reply.call_count; i++) {
            json_t *args = json_loads(reply.calls[i].arguments, 0, NULL);
            assert_true(json_is_object(args));
            assert_non_null(find_tool(&agent, reply.calls[i].name));
            if (strcmp(reply.calls[i].name, "edit_file") == 0) {
                apply_edit(folder, args);
                edits++;
            }
            commits += strcmp(reply.calls[i].name, "git_commit") == 0;
            json_decref(args);
        }
    }
    assert_string_equal(reply.finish, "stop");
    assert_true(strlen(reply.content) > 100);
    assert_false(reply_read(number + 1, &reply));
    assert_int_equal(edits, 2);
    assert_int_equal(commits, 1);
    assert_int_equal(run_check(folder), 0);
    test_remove_tree(folder);
    free(folder);
    agent_release(&agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_agent_is_sound),
        cmocka_unit_test(test_default_agent_is_small),
        cmocka_unit_test(test_demo_replies_fit_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
