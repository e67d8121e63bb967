#include "plugin_skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "data.h"
#include "memory.h"

/* @ stands for the plugin's name, # for the tool's, which has no dashes. */
static const char source[] =
    "/* A plugin for tackle with one tool. <tackle/plugin.h> says all there is to know. */\n"
    "#include <tackle/plugin.h>\n"
    "\n"
    "/* Called with arguments that fit `params` below. */\n"
    "static int32_t #_call(void *self, tackle_call *call)\n"
    "{\n"
    "    const char *name = call->api->arg_text(call, \"name\", NULL);\n"
    "    (void)self;\n"
    "    if (name[0] == '\\0')\n"
    "        return tackle_failf(call, TACKLE_E_ARGS, \"name is empty; say whom to greet\");\n"
    "    return tackle_writef(call, \"Hello, %s.\\n\", name);\n"
    "}\n"
    "\n"
    "static const tackle_tool #_tool = {\n"
    "    .size = sizeof(tackle_tool),\n"
    "    .does = 0, /* touches nothing: no TACKLE_READS, TACKLE_WRITES ... */\n"
    "    .effect = TACKLE_EFFECT_SAFE,\n"
    "    .name = \"#\",\n"
    "    .description = \"Greets somebody by name.\", /* the model reads this */\n"
    "    .params = \"{\\\"type\\\":\\\"object\\\",\\\"properties\\\":\"\n"
    "              "
    "\"{\\\"name\\\":{\\\"type\\\":\\\"string\\\"}},\\\"required\\\":[\\\"name\\\"]}\",\n"
    "    .call = #_call,\n"
    "};\n"
    "\n"
    "static const tackle_tool *const tools[] = {&#_tool, NULL};\n"
    "\n"
    "TACKLE_EXPORT const tackle_plugin tackle_plugin_v1 = {\n"
    "    .size = sizeof(tackle_plugin),\n"
    "    .abi = TACKLE_ABI,\n"
    "    .name = \"@\",\n"
    "    .version = \"0.1\",\n"
    "    .description = \"Greets people\",\n"
    "    .tools = tools,\n"
    "};\n";

bool skeleton_name_is_good(const char *name)
{
    size_t len = strlen(name);
    return len >= 1 && len <= 32 && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static void put_tool_name(FILE *to, const char *name)
{
    for (; *name; name++)
        (void)fputc(*name == '-' ? '_' : *name, to);
}

char *skeleton_source(const char *name)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = memory_file(&text, &len);
    for (size_t i = 0; source[i]; i++) {
        if (source[i] == '@')
            (void)fputs(name, file);
        else if (source[i] == '#' && strncmp(source + i, "#include", 8) != 0)
            put_tool_name(file, name);
        else
            (void)fputc(source[i], file);
    }
    memory_close(file, &text);
    return text;
}

int skeleton_write(const char *name, tackle_error *error)
{
    char *path = memory_format("%s.c", name);
    char *text = skeleton_source(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    int status = file && fputs(text, file) >= 0 ? 0 : -1;
    if (file && fclose(file) != 0)
        status = -1;
    if (status != 0)
        cli_error(error, TACKLE_EXIT_USAGE, "usage", "cannot write %s: %s", path,
                  fd < 0 && errno == EEXIST ? "there is one already, and it stays"
                                            : strerror(errno));
    free(text);
    free(path);
    return status;
}

void skeleton_explain(const char *name, struct stream *to)
{
    char *include = data_include_dir();
    (void)fprintf(to->file, "%s.c is written: one tool, '", name);
    put_tool_name(to->file, name);
    (void)fprintf(to->file,
                  "'. Compile it and call it:\n"
                  "  cc -shared -fPIC%s%s -o %s.so %s.c\n"
                  "  tackle tools call ",
                  include && *include ? " -I" : "", include ? include : "", name, name);
    put_tool_name(to->file, name);
    (void)fprintf(to->file, " '{\"name\": \"you\"}' --plugin ./%s.so\n", name);
    free(include);
}
