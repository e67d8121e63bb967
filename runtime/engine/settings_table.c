/* What can be set: one row a setting. Its flag, its variable, its line in a configuration file and
 * its place in an agent file follow from it. */
#include "engine/settings.h"

#define ROW(key, type, arg, def, choices, group, help)                                             \
    &(const tackle_setting)                                                                        \
    {                                                                                              \
        sizeof(tackle_setting), 0, key, type, arg, def, choices, group, help                       \
    }

static const tackle_setting *const table[SETTING_COUNT + 1] = {
    [SET_MODEL] = ROW("model", "text", "[PROVIDER/]MODEL", NULL, NULL, "model",
                      "the model, and the provider it is asked from"),
    [SET_BASE_URL] =
        ROW("base_url", "text", "URL", NULL, NULL, "model",
            "ask this endpoint instead of the provider's; its key is TACKLE_API_KEY, or none"),
    [SET_API_KEY_FILE] = ROW("api_key_file", "path", "FILE", NULL, NULL, "model",
                             "read the endpoint's key from this file, which nobody else may read"),
    [SET_EFFORT] =
        ROW("effort", "choice", "LEVEL", NULL, "low|high", "model", "how hard the model thinks"),
    [SET_THOUGHTS] =
        ROW("thoughts", "bool", NULL, NULL, NULL, "model", "ask for the model's thoughts"),
    [SET_STREAM] =
        ROW("stream", "bool", NULL, "true", NULL, "model", "receive the answer as it is written"),
    [SET_FALLBACK_MODEL] = ROW("fallback_model", "text", "[PROVIDER/]MODEL", NULL, NULL, "model",
                               "ask this one when the model fails for good"),
    [SET_GOOGLE_SEARCH] = ROW("google_search", "bool", NULL, "false", NULL, "model",
                              "let the model search with Google; excludes tools"),
    [SET_SYSTEM] = ROW("system", "text", "TEXT|@FILE", NULL, NULL, "input",
                       "replace the agent's system prompt"),
    [SET_FILE] = ROW("file", "list", "FILE", NULL, NULL, "input",
                     "put a file in front of the prompt: text, image, sound, film, PDF; or a URL"),
    [SET_OUTPUT_SCHEMA] = ROW("output_schema", "path", "FILE", NULL, NULL, "input",
                              "the answer must be JSON that fits this JSON Schema"),
    [SET_WORKSPACE] =
        ROW("workspace", "path", "DIR", ".", NULL, "input", "the folder that the tools work in"),
    [SET_INSTRUCTIONS] = ROW("instructions", "bool", NULL, "true", NULL, "input",
                             "read AGENTS.md from the repository's root down to the workspace"),
    [SET_AGENT] = ROW("agent", "text", "NAME|PATH", "assistant", NULL, "tools", "the agent to run"),
    [SET_TRUST_PROJECT] = ROW("trust_project", "bool", NULL, "false", NULL, "tools",
                              "give an agent file found in the workspace the rights it asks for"),
    [SET_PLUGIN] =
        ROW("plugin", "list", "NAME|PATH", NULL, NULL, "tools", "add the tools of a plugin"),
    [SET_PLUGIN_OPTION] = ROW("plugin_option", "list", "NAME.OPTION=VALUE", NULL, NULL, "tools",
                              "set an option that a plugin declares"),
    [SET_TOOLS] = ROW("tools", "text", "A,B", NULL, NULL, "tools", "offer these tools only"),
    [SET_NO_TOOLS] = ROW("no_tools", "bool", NULL, "false", NULL, "tools", "offer no tools"),
    [SET_SANDBOX] = ROW(
        "sandbox", "choice", "MODE", "read-only", "read-only|workspace-write|off", "permissions",
        "what tools may do: read the workspace; also change it and run commands; anything"),
    [SET_SANDBOX_TIER] =
        ROW("sandbox_tier", "choice", "TIER", "t3", "t3|t2|external", "permissions",
            "how tools are held to it: namespaces; Landlock and seccomp alone; by the container"),
    [SET_SANDBOX_READ] = ROW("sandbox_read", "list", "DIR", NULL, NULL, "permissions",
                             "one more folder that tools and commands may read"),
    [SET_CROSS_MOUNTS] = ROW("cross_mounts", "bool", NULL, "false", NULL, "permissions",
                             "let file tools into what is mounted below the workspace"),
    [SET_COMMAND_NETWORK] = ROW("command_network", "choice", "WHAT", "none", "none|host",
                                "permissions", "the network that commands get"),
    [SET_COMMAND_MEMORY] = ROW("command_memory", "int", "MIB", "4096", NULL, "permissions",
                               "memory of all processes of a command; 0: no limit"),
    [SET_COMMAND_PROCESSES] = ROW("command_processes", "int", "N", "512", NULL, "permissions",
                                  "how many processes a command may have; 0: no limit"),
    [SET_COMMAND_FILE_SIZE] = ROW("command_file_size", "int", "MIB", "4096", NULL, "permissions",
                                  "how large a file may become; 0: no limit"),
    [SET_ALLOW_HOST] = ROW("allow_host", "list", "HOST", NULL, NULL, "permissions",
                           "a host that tools may ask by URL: example.com, *.example.com, "
                           "http://127.0.0.1:8080"),
    [SET_ALLOW_PRIVATE_HOST] =
        ROW("allow_private_host", "list", "HOST", NULL, NULL, "permissions",
            "a host name that may stand for an address of the local network"),
    [SET_ALLOW_HTTP] = ROW("allow_http", "bool", NULL, "false", NULL, "permissions",
                           "ask an endpoint on another machine without encryption"),
    [SET_PROXY] = ROW("proxy", "text", "none|env|URL", "none", NULL, "permissions",
                      "go through this proxy; env: the one that HTTPS_PROXY and its kin name"),
    [SET_ALLOW] = ROW("allow", "list", "RULE", NULL, NULL, "permissions",
                      "calls that may run: TOOL or TOOL(PATTERN), as 'write_file(docs/**)'"),
    [SET_ASK] = ROW("ask", "list", "RULE", NULL, NULL, "permissions", "calls that need a yes"),
    [SET_DENY] = ROW("deny", "list", "RULE", NULL, NULL, "permissions", "calls that never run"),
    [SET_POLICY] = ROW("policy", "path", "FILE", NULL, NULL, "permissions",
                       "one more file of rules, beside those of the system and the user"),
    [SET_APPROVAL] = ROW("approval", "choice", "WHO", "never", "never|ask", "permissions",
                         "what needs a yes: is somebody asked for it? On a terminal: ask"),
    [SET_ON_DENY] =
        ROW("on_deny", "choice", "WHAT", "continue", "continue|fail", "permissions",
            "tell the model of a denied call; or end the run, or pause it where a yes is needed"),
    [SET_MAX_DENIALS] = ROW("max_denials", "int", "N", "10", NULL, "permissions",
                            "end when N calls were denied; 0: never"),
    [SET_REDACT] = ROW("redact", "list", "NAME", NULL, NULL, "permissions",
                       "a variable whose value is taken out of all that is shown, kept or sent"),
    [SET_MAX_STEPS] =
        ROW("max_steps", "int", "N", "50", NULL, "limits", "end after N requests to the model"),
    [SET_MAX_TOOL_CALLS] =
        ROW("max_tool_calls", "int", "N", NULL, NULL, "limits", "end after N tool calls"),
    [SET_MAX_TOKENS] =
        ROW("max_tokens", "int", "N", NULL, NULL, "limits",
            "never use more than N tokens, input and output of all requests together"),
    [SET_MAX_COST_USD] =
        ROW("max_cost_usd", "money", "USD", NULL, NULL, "limits", "never spend more than this"),
    [SET_UNPRICED] = ROW("unpriced", "choice", "WORD", "refuse", "refuse|allow", "limits",
                         "with --max-cost-usd and a model whose price is not known"),
    [SET_MAX_TIME] = ROW("max_time", "duration", "TIME", NULL, NULL, "limits",
                         "end after this time: 90, 30s, 5m, 1h"),
    [SET_TOOL_TIMEOUT] = ROW("tool_timeout", "duration", "TIME", "120s", NULL, "limits",
                             "the most one tool call may take"),
    [SET_MODEL_TIMEOUT] =
        ROW("model_timeout", "duration", "TIME", "300s", NULL, "limits",
            "the longest silence of the endpoint; models that think send nothing meanwhile"),
    [SET_LOOP_LIMIT] = ROW("loop_limit", "int", "N", "5", NULL, "limits",
                           "end when one call gives one result more than N times; 0: never"),
    [SET_RETRIES] =
        ROW("retries", "int", "N", "5", NULL, "limits", "how often a failed request is repeated"),
    [SET_STATE_DIR] = ROW("state_dir", "path", "DIR", NULL, NULL, "state",
                          "keep the journals of runs below this folder, not in $XDG_STATE_HOME"),
    [SET_EPHEMERAL] = ROW("ephemeral", "bool", NULL, "false", NULL, "state",
                          "keep no journal: the run cannot be resumed or looked at later"),
    [SET_DURABILITY] = ROW("durability", "choice", "WHAT", "process", "none|process|power", "state",
                           "what the journal outlives: nothing, a killed process, a power cut"),
    [SET_RECORD] =
        ROW("record", "path", "DIR", NULL, NULL, "state",
            "record the run into a new folder, to be replayed: requests, replies, calls"),
    [SET_REFRESH] = ROW("refresh", "bool", NULL, "false", NULL, "state",
                        "with --record: record over the recording that is there"),
    [SET_REPLAY] = ROW("replay", "path", "DIR", NULL, NULL, "state",
                       "replay a recording: no network, no key; another request ends it with 11"),
    [SET_REPLAY_MODE] = ROW("replay_mode", "choice", "MODE", "model", "replies|model|full", "state",
                            "replay replies and compare nothing; the model, tools run; all"),
    [SET_REPLAY_SPEED] = ROW("replay_speed", "int", "N", "0", NULL, "state",
                             "replay N times as fast as it was; 0: at once"),
    [SETTING_COUNT] = NULL};

const tackle_setting *const *settings_table(void)
{
    return table;
}

const char *settings_key(enum setting id)
{
    return table[id]->key;
}
