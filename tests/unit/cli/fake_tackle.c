/* A runtime that plays a script instead of asking a model, for tests of the command line. The
 * script is one JSON event a line, without "v", "seq", "ts" and "run", which are added here; it is
 * the file named by FAKE_SCRIPT. Further lines:
 *   {"type":"refuse","exit_code":4,"reason":"auth_error","message":"..."}  first: cannot start
 *   {"type":"wait"}                                                        until cancelled
 *   {"type":"break","message":"..."}                                       tackle_step() fails
 *   {"type":"turn"}                                                        ends one message's part
 */
#include <tackle/tackle.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tackle_run {
    tackle_runtime *rt;
    tackle_event_fn on_event;
    void *user;
    json_t *script; /* array */
    size_t at;
    uint64_t seq;
    char *result, *text;
    int32_t exit_code, signal;
    bool done, cancelled;
};

struct tackle_runtime {
    json_t *settings; /* key: value */
    tackle_run *run;
    int wake[2];
};

#define ROW(key, type, arg, def, choices, group, help)                                             \
    &(const tackle_setting)                                                                        \
    {                                                                                              \
        sizeof(tackle_setting), 0, key, type, arg, def, choices, group, help                       \
    }

static const tackle_setting *const settings[] = {
    ROW("model", "text", "[PROVIDER/]MODEL", NULL, NULL, "model", "the model to ask"),
    ROW("effort", "choice", "LEVEL", NULL, "low|high", "model", "how hard the model thinks"),
    ROW("stream", "bool", NULL, "true", NULL, "model", "receive the answer as it is written"),
    ROW("file", "list", "FILE", NULL, NULL, "input", "put a text file in front of the prompt"),
    ROW("workspace", "path", "DIR", ".", NULL, "input", "the folder that the tools work in"),
    ROW("agent", "text", "NAME|PATH", "assistant", NULL, "tools", "the agent to run"),
    ROW("plugin", "list", "NAME|PATH", NULL, NULL, "tools", "add the tools of a plugin"),
    ROW("tools", "text", "A,B", NULL, NULL, "tools", "offer these tools only"),
    ROW("no_tools", "bool", NULL, "false", NULL, "tools", "offer no tools"),
    ROW("sandbox", "choice", "MODE", "read-only", "read-only|workspace-write", "permissions",
        "what tools may do"),
    ROW("max_steps", "int", "N", "50", NULL, "limits", "end after N requests to the model"),
    ROW("replay", "path", "DIR", NULL, NULL, "state", "take the model's replies from a recording"),
    NULL};

static int32_t fail(tackle_error *err, int32_t code, const char *reason, const char *message)
{
    if (err) {
        err->exit_code = code;
        (void)snprintf(err->reason, sizeof err->reason, "%s", reason);
        (void)snprintf(err->message, sizeof err->message, "%s", message);
    }
    return -1;
}

const char *tackle_version(void)
{
    return "0.1.0";
}

void tackle_free(void *text)
{
    free(text);
}

const tackle_setting *const *tackle_settings(void)
{
    return settings;
}

int32_t tackle_protect_process(tackle_error *err)
{
    (void)err;
    return 0;
}

int32_t tackle_set_key(tackle_runtime *rt, const char *variable, const char *value,
                       tackle_error *err)
{
    (void)rt;
    (void)variable;
    return value ? 0 : fail(err, TACKLE_EXIT_USAGE, "usage", "no key");
}

int32_t tackle_take_keys(tackle_runtime *rt, tackle_error *err)
{
    (void)rt;
    (void)err;
    return 0;
}

int32_t tackle_runtime_new(tackle_runtime **out, tackle_error *err)
{
    tackle_runtime *rt = calloc(1, sizeof *rt);
    if (!rt || pipe2(rt->wake, O_CLOEXEC | O_NONBLOCK) != 0) {
        free(rt);
        return fail(err, TACKLE_EXIT_INTERNAL, "internal", "out of memory");
    }
    rt->settings = json_object();
    *out = rt;
    return 0;
}

void tackle_runtime_free(tackle_runtime *rt)
{
    if (!rt)
        return;
    tackle_run_free(rt->run);
    (void)close(rt->wake[0]);
    (void)close(rt->wake[1]);
    json_decref(rt->settings);
    free(rt);
}

int32_t tackle_set(tackle_runtime *rt, const char *key, const char *value, tackle_error *err)
{
    if (strcmp(key, "max_steps") == 0 && strspn(value, "0123456789") != strlen(value))
        return fail(err, TACKLE_EXIT_USAGE, "usage", "max_steps: not a whole number from 1 up");
    (void)json_object_set_new(rt->settings, key, json_string(value));
    return 0;
}

int32_t tackle_load_config(tackle_runtime *rt, tackle_error *err)
{
    (void)rt;
    if (getenv("FAKE_BAD_CONFIG"))
        return fail(err, TACKLE_EXIT_CONFIG, "config_error", "config.yaml:3: not YAML");
    return 0;
}

/* ---- Runs ---- */

static void emit(tackle_run *run, json_t *event)
{
    const json_t *delta = json_object_get(event, "text");
    (void)json_object_set_new(event, "v", json_integer(1));
    (void)json_object_set_new(event, "seq", json_integer((json_int_t)++run->seq));
    (void)json_object_set_new(event, "ts", json_string("2026-11-23T10:11:12.345Z"));
    (void)json_object_set_new(event, "run", json_string("r1"));
    char *line = json_dumps(event, JSON_COMPACT);
    const char *type = json_string_value(json_object_get(event, "type"));
    tackle_event e = {
        .size = sizeof e, .seq = run->seq, .type = type, .json = line, .json_len = strlen(line)};
    if (strstr(type, ".delta")) {
        e.text = json_string_value(delta);
        e.text_len = json_string_length(delta);
    }
    if (strcmp(type, "result") == 0) {
        free(run->result);
        free(run->text);
        run->result = strdup(line);
        run->text = strdup(delta ? json_string_value(delta) : "");
        run->exit_code = (int32_t)json_integer_value(json_object_get(event, "exit_code"));
        run->done = true;
    }
    run->on_event(run->user, run, &e);
    free(line);
}

static void emit_interrupted(tackle_run *run)
{
    json_t *result =
        json_pack("{ss ss ss si ss s{si} s{si} sn si}", "type", "result", "status", "interrupted",
                  "stop_reason", "interrupted", "exit_code", 128 + run->signal, "text", "", "usage",
                  "input_tokens", 0, "counts", "steps", 1, "error", "duration_ms", 5);
    emit(run, result);
    json_decref(result);
}

static json_t *load_script(void)
{
    const char *path = getenv("FAKE_SCRIPT");
    json_t *script = json_array(), *event;
    FILE *file = path ? fopen(path, "re") : NULL;
    while (file && (event = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)))
        (void)json_array_append_new(script, event);
    if (file)
        (void)fclose(file);
    return script;
}

static const char *type_at(const tackle_run *run)
{
    const char *type =
        json_string_value(json_object_get(json_array_get(run->script, run->at), "type"));
    return type ? type : "";
}

int32_t tackle_run_start(tackle_runtime *rt, const tackle_run_options *options, tackle_run **out,
                         tackle_error *err)
{
    tackle_run *run = calloc(1, sizeof *run);
    *run = (tackle_run){.rt = rt, .on_event = options->on_event, .user = options->user};
    run->script = load_script();
    const json_t *first = json_array_get(run->script, 0);
    if (strcmp(type_at(run), "refuse") == 0) {
        int32_t status = fail(err, (int32_t)json_integer_value(json_object_get(first, "exit_code")),
                              json_string_value(json_object_get(first, "reason")),
                              json_string_value(json_object_get(first, "message")));
        tackle_run_free(run);
        return status;
    }
    rt->run = run;
    *out = run;
    return 0;
}

int32_t tackle_run_continue(tackle_run *run, const char *prompt, tackle_error *err)
{
    (void)prompt;
    if (run->at >= json_array_size(run->script))
        return fail(err, TACKLE_EXIT_USAGE, "usage", "the script has ended");
    run->done = run->cancelled = false;
    return 0;
}

void tackle_run_cancel(tackle_run *run, int32_t signal)
{
    run->cancelled = true;
    run->signal = signal;
}

int32_t tackle_run_decide(tackle_run *run, const char *call, int32_t decision, const char *reason,
                          tackle_error *err)
{
    (void)run;
    (void)call;
    (void)decision;
    (void)reason;
    return fail(err, TACKLE_EXIT_USAGE, "usage", "no call of this run waits for an answer");
}

int32_t tackle_run_done(const tackle_run *run)
{
    return run->done;
}

int32_t tackle_run_exit_code(const tackle_run *run)
{
    return run->exit_code;
}

const char *tackle_run_result(const tackle_run *run)
{
    return run->result;
}

const char *tackle_run_text(const tackle_run *run)
{
    return run->text ? run->text : "";
}

void tackle_run_free(tackle_run *run)
{
    if (!run)
        return;
    if (run->rt->run == run)
        run->rt->run = NULL;
    json_decref(run->script);
    free(run->result);
    free(run->text);
    free(run);
}

int32_t tackle_step(tackle_runtime *rt, int32_t timeout_ms, tackle_error *err)
{
    tackle_run *run = rt->run;
    if (!run || run->done)
        return 0;
    if (run->cancelled) {
        while (run->at < json_array_size(run->script) && strcmp(type_at(run), "turn") != 0)
            run->at++;
        run->at++;
        emit_interrupted(run);
        return 0;
    }
    if (strcmp(type_at(run), "wait") == 0) {
        char byte;
        struct pollfd fd = {.fd = rt->wake[0], .events = POLLIN};
        if (poll(&fd, 1, timeout_ms) > 0)
            (void)!read(rt->wake[0], &byte, 1);
        return 1;
    }
    if (strcmp(type_at(run), "break") == 0)
        return fail(err, TACKLE_EXIT_INTERNAL, "internal", "the loop broke");
    if (run->at >= json_array_size(run->script))
        return fail(err, TACKLE_EXIT_INTERNAL, "internal", "the script has no result");
    emit(run, json_array_get(run->script, run->at++));
    if (run->done && strcmp(type_at(run), "turn") == 0)
        run->at++;
    return run->done ? 0 : 1;
}

int32_t tackle_fd(const tackle_runtime *rt)
{
    return rt->wake[0];
}

void tackle_wakeup(tackle_runtime *rt)
{
    int saved = errno;
    (void)!write(rt->wake[1], "", 1);
    errno = saved;
}

/* ---- Looking up ---- */

static int32_t give(char **json, const char *text)
{
    *json = strdup(text);
    return 0;
}

int32_t tackle_check_policy(tackle_runtime *rt, const char *tool, const char *args_json,
                            char **json, tackle_error *err)
{
    bool command = !tool && strcmp(args_json, "{\"argv\":[\"git\",\"log\"]}") == 0;
    (void)rt;
    (void)err;
    if (command)
        return give(json, "{\"tool\":\"run_command\",\"arguments\":{},\"decision\":\"allow\","
                          "\"rule\":\"r\",\"why\":\"\"}");
    return give(json, tool && strcmp(tool, "ask") == 0
                          ? "{\"tool\":\"ask\",\"arguments\":{},\"decision\":\"ask\","
                            "\"rule\":\"r\",\"why\":\"w\"}"
                          : "{\"tool\":\"x\",\"arguments\":{},\"decision\":\"deny\","
                            "\"rule\":\"r\",\"why\":\"--allow x\"}");
}

int32_t tackle_show_policy(tackle_runtime *rt, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    return give(json, "[{\"layer\":\"flag\",\"origin\":\"flag\",\"verdict\":\"deny\",\"rule\":"
                      "\"run_command(curl)\"}]");
}

int32_t tackle_lint_policy(tackle_runtime *rt, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    return give(json, "[{\"rule\":\"run_command(env ...)\",\"origin\":\"flag\",\"problem\":"
                      "\"it runs any command\"}]");
}

int32_t tackle_list_tools(tackle_runtime *rt, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    return give(json, "[{\"name\":\"write_file\",\"description\":\"Writes.\",\"plugin\":\"file\","
                      "\"params\":{\"type\":\"object\"},\"does\":[\"reads\",\"writes\"],"
                      "\"effect\":\"probe\",\"allowed\":false,\"reason\":\"sandbox\"},"
                      "{\"name\":\"read_file\",\"description\":\"Reads.\",\"plugin\":\"file\","
                      "\"params\":{\"type\":\"object\"},\"does\":[\"reads\"],\"effect\":\"safe\","
                      "\"allowed\":true,\"reason\":\"\"}]");
}

int32_t tackle_call_tool(tackle_runtime *rt, const char *name, const char *args_json, char **json,
                         tackle_error *err)
{
    (void)rt;
    json_t *args = json_loads(args_json, 0, NULL);
    if (!json_is_object(args)) {
        json_decref(args);
        return fail(err, TACKLE_EXIT_USAGE, "usage", "the arguments are no JSON object");
    }
    bool ok = !json_object_get(args, "fail");
    json_t *outcome = json_pack("{ss sb si ss ss si s[]}", "name", name, "ok", ok, "code",
                                ok ? 0 : -1, "output", ok ? "did\x1b[2J it" : "", "error",
                                ok ? "" : "no such file", "duration_ms", 3, "files");
    *json = json_dumps(outcome, JSON_COMPACT);
    json_decref(outcome);
    json_decref(args);
    return 0;
}

int32_t tackle_list_plugins(tackle_runtime *rt, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    return give(json, "[{\"name\":\"file\",\"version\":\"0.1.0\",\"description\":\"Files\","
                      "\"path\":\"/p/file.so\",\"tools\":[\"read_file\",\"write_file\"],"
                      "\"status\":\"ok\",\"error\":null}]");
}

int32_t tackle_check_plugin(tackle_runtime *rt, const char *path, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    if (strstr(path, "bad"))
        return give(json, "{\"path\":\"bad.so\",\"ok\":false,\"problems\":[{\"what\":\"no symbol\","
                          "\"fix\":\"define it\"}],\"notes\":[],\"plugin\":null}");
    return give(json, "{\"path\":\"good.so\",\"ok\":true,\"problems\":[],\"notes\":[\"small\"],"
                      "\"plugin\":{\"name\":\"good\",\"tools\":[\"a\"]}}");
}

int32_t tackle_list_agents(tackle_runtime *rt, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    return give(json, "[{\"name\":\"assistant\",\"description\":\"Answers\",\"path\":\"/a.md\","
                      "\"origin\":\"installed\"}]");
}

int32_t tackle_show_agent(tackle_runtime *rt, const char *agent, char **json, tackle_error *err)
{
    (void)rt;
    if (strcmp(agent, "assistant") != 0)
        return fail(err, TACKLE_EXIT_CONFIG, "config_error", "no such agent");
    return give(json, "{\"name\":\"assistant\",\"description\":\"Answers\",\"path\":\"/a.md\","
                      "\"model\":null,\"tools\":[\"read_file\"],\"settings\":{\"max_steps\":9},"
                      "\"prompt\":\"You help.\"}");
}

int32_t tackle_show_settings(tackle_runtime *rt, char **json, tackle_error *err)
{
    (void)err;
    json_t *list = json_array(), *value;
    const char *key;
    json_object_foreach(rt->settings, key, value)
    {
        (void)json_array_append_new(
            list, json_pack("{ss sO ss}", "key", key, "value", value, "origin", "flag"));
    }
    *json = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return 0;
}

int32_t tackle_list_runs(tackle_runtime *rt, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    return give(json, "[{\"id\":\"r1\",\"started\":\"2026-11-23T10:11:12.345Z\",\"status\":"
                      "\"success\",\"steps\":2,\"cost_usd\":0.5,\"prompt\":\"Go\\u001b[2J\"}]");
}

int32_t tackle_show_run(tackle_runtime *rt, const char *id, char **json, tackle_error *err)
{
    (void)rt;
    if (strcmp(id, "r1") != 0)
        return fail(err, TACKLE_EXIT_SESSION, "session_error", "there is no such run");
    return give(json, "{\"id\":\"r1\",\"status\":\"success\",\"records\":[{\"k\":\"messages\","
                      "\"messages\":[{\"role\":\"user\",\"content\":\"Go\\u001b[2J\"}]}]}");
}

int32_t tackle_export_run(tackle_runtime *rt, const char *id, char **json, tackle_error *err)
{
    return tackle_show_run(rt, id, json, err);
}

int32_t tackle_remove_run(tackle_runtime *rt, const char *id, tackle_error *err)
{
    (void)rt;
    return strcmp(id, "r1") == 0
               ? 0
               : fail(err, TACKLE_EXIT_SESSION, "session_error", "there is no such run");
}

int32_t tackle_verify_run(tackle_runtime *rt, const char *id, char **json, tackle_error *err)
{
    (void)rt;
    (void)id;
    (void)err;
    return give(json, "{\"id\":\"r1\",\"ok\":false,\"records\":3,\"dropped_bytes\":7,\"torn\":"
                      "false,\"problem\":\"record 4 is damaged\"}");
}

int32_t tackle_repair_run(tackle_runtime *rt, const char *id, char **json, tackle_error *err)
{
    return tackle_verify_run(rt, id, json, err);
}

int32_t tackle_doctor(tackle_runtime *rt, uint32_t flags, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    if (flags & TACKLE_DOCTOR_OFFLINE)
        return give(json, "{\"ok\":true,\"checks\":[{\"name\":\"key\",\"status\":\"ok\","
                          "\"text\":\"is set\",\"fix\":null}]}");
    return give(json, "{\"ok\":false,\"checks\":[{\"name\":\"endpoint\",\"status\":\"broken\","
                      "\"text\":\"gone\\u001b[2J\",\"fix\":\"wait\"}]}");
}

int32_t tackle_list_providers(tackle_runtime *rt, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    return give(json, getenv("FAKE_KEY")
                          ? "[{\"name\":\"default\",\"base_url\":\"https://a\",\"key_env\":"
                            "\"TACKLE_API_KEY\",\"key_present\":true,\"model\":\"m\"}]"
                          : "[{\"name\":\"default\",\"base_url\":\"https://a\",\"key_env\":"
                            "\"TACKLE_API_KEY\",\"key_present\":false,\"model\":\"m\"},"
                            "{\"name\":\"ollama\",\"base_url\":\"http://l\",\"key_env\":null,"
                            "\"key_present\":false,\"model\":\"qwen3\"}]");
}

int32_t tackle_list_models(tackle_runtime *rt, const char *provider, char **json, tackle_error *err)
{
    if (provider && strcmp(provider, "ollama") != 0)
        return fail(err, TACKLE_EXIT_USAGE, "usage", "there is no such provider");
    const json_t *model = json_object_get(rt->settings, "model");
    if (json_is_string(model) && strcmp(json_string_value(model), "empty/") == 0)
        return give(json, "[]");
    return give(json, "[{\"id\":\"a\\u001b[2Jb\"},{\"id\":\"qwen3\",\"owned_by\":\"me\"}]");
}

int32_t tackle_credits(tackle_runtime *rt, const char *provider, char **json, tackle_error *err)
{
    (void)rt;
    (void)err;
    if (provider)
        return give(json, "{\"endpoint\":\"http://o\",\"status\":200,\"credits\":null,"
                          "\"body\":{\"plan\":\"free\"}}");
    return give(json, "{\"endpoint\":\"https://a\",\"status\":200,\"credits\":12.5,"
                      "\"body\":{\"credits\":12.5}}");
}

/* ---- The wire ---- */

int32_t tackle_wire_parse(const char *body, size_t len, const tackle_wire_options *options,
                          char **json, tackle_error *err)
{
    (void)body;
    (void)err;
    json_t *seen = json_pack("{sI si sI sb}", "len", (json_int_t)len, "status", options->status,
                             "chunk", (json_int_t)options->chunk, "random", options->random != 0);
    *json = json_dumps(seen, JSON_COMPACT);
    json_decref(seen);
    return 0;
}

int32_t tackle_wire_schema(const char *schema, size_t len, char **json, tackle_error *err)
{
    if (len == 0 || *schema != '{')
        return fail(err, TACKLE_EXIT_CONFIG, "config_error", "the schema is not JSON");
    return give(json, "{\"schema\":{},\"changes\":[]}");
}
