/* The file plugin: reading, writing, editing, listing, finding and searching files of the
 * workspace. Here: the table that the host reads, and what all tools share. */
#include "file.h"

#include <stdlib.h>

bool file_arg_bool(tackle_call *call, const char *key)
{
    int32_t value = 0;
    return call->api->arg_bool(call, key, &value) == 1 && value != 0;
}

int32_t file_arg_int(tackle_call *call, const char *key, int64_t min, int64_t max,
                     int64_t otherwise, int64_t *out)
{
    *out = otherwise;
    if (call->api->arg_int(call, key, out) == 1 && (*out < min || *out > max))
        return tackle_failf(call, TACKLE_E_ARGS, "%s must be from %lld to %lld, not %lld", key,
                            (long long)min, (long long)max, (long long)*out);
    return TACKLE_OK;
}

const char *file_link_note(const struct stat *old)
{
    return old->st_nlink > 1 ? "; it was a hard link: its other names keep the old content" : "";
}

int32_t file_send(tackle_call *call, const struct bytes *text)
{
    if (text->failed)
        return call->api->fail(call, TACKLE_E_NOMEM, "out of memory");
    int32_t code = call->api->write(call, bytes_str(text), text->len);
    return code == TACKLE_E_LIMIT ? TACKLE_OK : code;
}

static int32_t file_open(const tackle_host *host, void **self)
{
    struct file_plugin *plugin = calloc(1, sizeof *plugin);
    if (!plugin) {
        host->error(host, "out of memory");
        return TACKLE_E_NOMEM;
    }
    plugin->host = host;
    plugin->workspace = host->service(host, "workspace/1");
    *self = plugin;
    return TACKLE_OK;
}

static void file_close(void *self)
{
    free(self);
}

static const tackle_tool read_file = {
    .size = sizeof read_file,
    .does = TACKLE_READS | TACKLE_PARALLEL,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "read_file",
    .description = "Reads a text file, at most 2,000 lines a call.",
    .params = "{\"type\":\"object\",\"properties\":{"
              "\"path\":{\"type\":\"string\",\"format\":\"path\"},"
              "\"offset\":{\"type\":\"integer\",\"description\":\"first line, from 1\"},"
              "\"limit\":{\"type\":\"integer\",\"description\":\"number of lines\"},"
              "\"line_numbers\":{\"type\":\"boolean\"}},"
              "\"required\":[\"path\"]}",
    .call = read_file_call,
};

static const tackle_tool write_file = {
    .size = sizeof write_file,
    .does = TACKLE_READS | TACKLE_WRITES,
    .effect = TACKLE_EFFECT_PROBE,
    .name = "write_file",
    .description = "Writes a whole file, making missing directories. To change part of a file use "
                   "edit_file.",
    .params =
        "{\"type\":\"object\",\"properties\":{"
        "\"path\":{\"type\":\"string\",\"format\":\"path\"},\"content\":{\"type\":\"string\"}},"
        "\"required\":[\"path\",\"content\"]}",
    .call = write_file_call,
    .probe = write_file_probe,
};

static const tackle_tool edit_file = {
    .size = sizeof edit_file,
    .does = TACKLE_READS | TACKLE_WRITES,
    .effect = TACKLE_EFFECT_PROBE,
    .name = "edit_file",
    .description = "Replaces old_text, exactly as it stands in the file, with new_text. It must "
                   "occur once, unless replace_all.",
    .params =
        "{\"type\":\"object\",\"properties\":{"
        "\"path\":{\"type\":\"string\",\"format\":\"path\"},\"old_text\":{\"type\":\"string\"},"
        "\"new_text\":{\"type\":\"string\"},\"replace_all\":{\"type\":\"boolean\"}},"
        "\"required\":[\"path\",\"old_text\",\"new_text\"]}",
    .call = edit_file_call,
    .probe = edit_file_probe,
};

static const tackle_tool list_dir = {
    .size = sizeof list_dir,
    .does = TACKLE_READS | TACKLE_PARALLEL,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "list_dir",
    .description = "Lists a directory: names, sizes in bytes, link targets.",
    .params = "{\"type\":\"object\",\"properties\":{"
              "\"path\":{\"type\":\"string\",\"format\":\"path\",\"description\":\"default .\"},"
              "\"depth\":{\"type\":\"integer\",\"description\":\"1 to 5, default 1\"}}}",
    .call = list_dir_call,
};

static const tackle_tool find_files = {
    .size = sizeof find_files,
    .does = TACKLE_READS | TACKLE_PARALLEL,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "find_files",
    .description = "Finds files by glob (** * ? [a-z] {a,b}) relative to path; without a slash it "
                   "is the name at any depth. Obeys .gitignore.",
    .params =
        "{\"type\":\"object\",\"properties\":{"
        "\"pattern\":{\"type\":\"string\"},\"path\":{\"type\":\"string\",\"format\":\"path\"},"
        "\"include_ignored\":{\"type\":\"boolean\"}},"
        "\"required\":[\"pattern\"]}",
    .call = find_files_call,
};

static const tackle_tool search = {
    .size = sizeof search,
    .does = TACKLE_READS | TACKLE_PARALLEL,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "search",
    .description = "Searches the lines of a file or directory by PCRE2 regex. Obeys .gitignore.",
    .params = "{\"type\":\"object\",\"properties\":{"
              "\"pattern\":{\"type\":\"string\"},"
              "\"path\":{\"type\":\"string\",\"format\":\"path\"},"
              "\"glob\":{\"type\":\"string\"},"
              "\"context\":{\"type\":\"integer\",\"description\":\"lines around, to 10\"},"
              "\"ignore_case\":{\"type\":\"boolean\"},"
              "\"fixed\":{\"type\":\"boolean\",\"description\":\"plain text\"},"
              "\"max_results\":{\"type\":\"integer\",\"description\":\"to 500\"}},"
              "\"required\":[\"pattern\"]}",
    .call = search_call,
};

static const tackle_tool *const file_tools[] = {
    &read_file, &write_file, &edit_file, &list_dir, &find_files, &search, NULL,
};

static const char *const file_needs[] = {"workspace/1", NULL};

const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof tackle_plugin_v1,
    .abi = TACKLE_ABI,
    .name = "file",
    .version = TACKLE_VERSION_TEXT,
    .description = "Read, write, edit, list, find and search files of the workspace",
    .needs = file_needs,
    .tools = file_tools,
    .open = file_open,
    .close = file_close,
};
