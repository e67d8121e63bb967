/* The git plugin: the table of its tools, and libgit2's start and end. */
#include "base/enforce.h"
#include "git.h"

#include <git2.h>

#define OBJECT    "{\"type\":\"object\",\"properties\":{"
#define TEXT(key) "\"" key "\":{\"type\":\"string\"}"
#define NUM(key)  "\"" key "\":{\"type\":\"integer\"}"
#define BOOL(key) "\"" key "\":{\"type\":\"boolean\"}"
#define PATH      "\"path\":{\"type\":\"string\",\"format\":\"path\"}"
#define PATHS     "\"paths\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":\"path\"}}"
#define END       "}}"
/* The last piece of an object whose listed keys must be there. */
#define NEED(keys) "},\"required\":[" keys "]}"

#define READER  (TACKLE_READS | TACKLE_PARALLEL)
#define CHANGER (TACKLE_READS | TACKLE_WRITES)

static const tackle_tool tool_status = {
    .size = sizeof(tackle_tool),
    .does = READER,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "git_status",
    .description = "Branch and changed files, like git status --short --branch.",
    .call = status_call,
};

static const tackle_tool tool_diff = {
    .size = sizeof(tackle_tool),
    .does = READER,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "git_diff",
    .description = "Unstaged changes; staged ones; or from a revision (to another).",
    .params = OBJECT BOOL("staged") "," TEXT("from") "," TEXT("to") "," PATHS "," BOOL(
        "stat_only") "," NUM("context") END,
    .call = diff_call,
};

static const tackle_tool tool_log = {
    .size = sizeof(tackle_tool),
    .does = READER,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "git_log",
    .description = "Commits, newest first. rev may be a..b; max is 20.",
    .params = OBJECT TEXT("rev") "," NUM("max") "," PATH "," TEXT("author") "," TEXT(
        "grep") "," TEXT("since") "," TEXT("until") END,
    .call = log_call,
};

static const tackle_tool tool_show = {
    .size = sizeof(tackle_tool),
    .does = READER,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "git_show",
    .description = "A commit with its diff, or with path: that file as it was at rev.",
    .params = OBJECT TEXT("rev") "," PATH "," BOOL("stat_only") NEED("\"rev\""),
    .call = show_call,
};

static const tackle_tool tool_blame = {
    .size = sizeof(tackle_tool),
    .does = READER,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "git_blame",
    .description = "Which commit last changed each line of a file.",
    .params =
        OBJECT PATH "," NUM("first_line") "," NUM("last_line") "," TEXT("rev") NEED("\"path\""),
    .call = blame_call,
};

static const tackle_tool tool_init = {
    .size = sizeof(tackle_tool),
    .does = CHANGER,
    /* A repository that is there already is refused, so a repeat would read as a failure. */
    .effect = TACKLE_EFFECT_PROBE,
    .name = "git_init",
    .description = "Makes the workspace a git repository, branch main.",
    .call = init_call,
    .probe = init_probe,
};

static const tackle_tool tool_branch = {
    .size = sizeof(tackle_tool),
    .does = CHANGER,
    /* Making or deleting a branch twice fails, so a repeat would hide that it was done. */
    .effect = TACKLE_EFFECT_PROBE,
    .name = "git_branch",
    .description = "Lists branches; with name makes one (at a revision) or deletes a merged one.",
    .params = OBJECT TEXT("name") "," TEXT("at") "," BOOL("delete") END,
    .call = branch_call,
    .probe = branch_probe,
};

static const tackle_tool tool_switch = {
    .size = sizeof(tackle_tool),
    .does = CHANGER,
    /* HEAD moves last: where it is tells whether the switch was finished. */
    .effect = TACKLE_EFFECT_PROBE,
    .name = "git_switch",
    .description = "Switches to a branch (create: a new one from here). Local changes are kept.",
    .params = OBJECT TEXT("branch") "," BOOL("create") NEED("\"branch\""),
    .call = switch_call,
    .probe = switch_probe,
};

static const tackle_tool tool_add = {
    .size = sizeof(tackle_tool),
    .does = CHANGER,
    /* Staging sets the index to what the files hold: doing it again comes to the same. */
    .effect = TACKLE_EFFECT_SAFE,
    .name = "git_add",
    .description = "Stages files, byte for byte; folders whole, deletions too.",
    .params = OBJECT PATHS NEED("\"paths\""),
    .call = add_call,
};

static const tackle_tool tool_commit = {
    .size = sizeof(tackle_tool),
    .does = CHANGER,
    /* The repeat would be a second commit; the parent, tree and message noted before tell. */
    .effect = TACKLE_EFFECT_PROBE,
    .name = "git_commit",
    .description = "Commits what is staged. all: stage changed tracked files first. "
                   "author: \"Name <mail>\".",
    .params = OBJECT TEXT("message") "," BOOL("all") "," TEXT("author") NEED("\"message\""),
    .call = commit_call,
    .probe = commit_probe,
};

static const tackle_tool tool_restore = {
    .size = sizeof(tackle_tool),
    .does = CHANGER,
    /* A repeat could throw away what was edited since, so it is repeated only when never begun. */
    .effect = TACKLE_EFFECT_PROBE,
    .name = "git_restore",
    .description = "Throws away changes of files: back to what is staged, or to from. "
                   "staged: unstages instead.",
    .params = OBJECT PATHS "," BOOL("staged") "," TEXT("from") NEED("\"paths\""),
    .call = restore_call,
    .probe = restore_probe,
};

static const tackle_tool *const tools[] = {
    &tool_status, &tool_diff,   &tool_log, &tool_show,   &tool_blame,   &tool_init,
    &tool_branch, &tool_switch, &tool_add, &tool_commit, &tool_restore, NULL,
};

static const tackle_option option_author_name = {
    .size = sizeof(tackle_option),
    .type = TACKLE_OPTION_TEXT,
    .name = "author_name",
    .help = "Name for commits when the repository's own configuration has no user.name",
};

static const tackle_option option_author_email = {
    .size = sizeof(tackle_option),
    .type = TACKLE_OPTION_TEXT,
    .name = "author_email",
    .help = "Mail address for commits when the repository's own configuration has no user.email",
};

static const tackle_option *const options[] = {&option_author_name, &option_author_email, NULL};

static const char *const needs[] = {"workspace/1", "config/1", NULL};

/* Configuration comes from the repository alone, not from the machine or the person; the limits
 * keep the memory of one call in bounds. Owner validation stays on. */
static int set_limits(void)
{
    static const int levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_GLOBAL,
                                 GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_PROGRAMDATA};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        int error = ENFORCED(git_search_path)
                        ? git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "")
                        : 0;
        if (error < 0)
            return error;
    }
    int error = git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)16 << 20);
    if (error == 0)
        error = git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)256 << 20);
    if (error == 0)
        error = git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)32 << 20);
    if (error == 0)
        error = git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 1);
    return error;
}

static int32_t refuse(const tackle_host *host, const char *what)
{
    const git_error *last = git_error_last();
    char line[256];
    (void)snprintf(line, sizeof line, "%s%s%s", what, last ? ": " : "", last ? last->message : "");
    host->error(host, line);
    return TACKLE_E_FAILED;
}

static int32_t plugin_open(const tackle_host *host, void **self)
{
    int major = 0, minor = 0, patch = 0;
    if (git_libgit2_init() < 0)
        return refuse(host, "libgit2 does not start");
    struct git_plugin *plugin = calloc(1, sizeof *plugin);
    if (!plugin) {
        host->error(host, "out of memory");
        (void)git_libgit2_shutdown();
        return TACKLE_E_NOMEM;
    }
    plugin->host = host;
    plugin->workspace = host->service(host, "workspace/1");
    plugin->config = host->service(host, "config/1");
    /* libgit2 changes its structs with each minor version. */
    git_libgit2_version(&major, &minor, &patch);
    const char *wrong = NULL;
    if (!plugin->workspace || !plugin->config)
        wrong = "the host lacks workspace/1 or config/1";
    else if (major != LIBGIT2_VER_MAJOR || minor != LIBGIT2_VER_MINOR)
        wrong = "this libgit2 is not the one that the plugin was built with (" LIBGIT2_VERSION ")";
    else if (set_limits() < 0)
        wrong = "libgit2 does not take its settings";
    if (wrong) {
        int32_t status = refuse(host, wrong);
        free(plugin);
        (void)git_libgit2_shutdown();
        return status;
    }
    *self = plugin;
    return TACKLE_OK;
}

static void plugin_close(void *self)
{
    free(self);
    (void)git_libgit2_shutdown();
}

const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof(tackle_plugin),
    .abi = TACKLE_ABI,
    .name = "git",
    .version = "1.0",
    .description = "A git repository: look, stage, commit, branch; on libgit2, without hooks",
    .needs = needs,
    .tools = tools,
    .options = options,
    .open = plugin_open,
    .close = plugin_close,
};
