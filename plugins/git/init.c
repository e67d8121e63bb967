/* git_init: a repository in the workspace. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "repo.h"

static int32_t write_result(tackle_call *call)
{
    return tackle_writef(call, "made a git repository here; branch main, no commits yet\n");
}

/* 1 when the workspace has a .git of any kind, 0 when not, else a code with fail() called. */
static int32_t has_git(const struct git_plugin *plugin, tackle_call *call)
{
    struct stat st;
    int root = plugin->workspace->open(call, ".", TACKLE_OPEN_DIR);
    if (root < 0)
        return root;
    int there = fstatat(root, ".git", &st, AT_SYMLINK_NOFOLLOW) == 0;
    (void)close(root);
    return there;
}

int32_t init_call(void *self, tackle_call *call)
{
    static const char note[] = "init";
    const struct git_plugin *plugin = self;
    git_repository *repo = NULL;
    git_repository_init_options options;
    int32_t status = has_git(plugin, call);
    if (status < 0)
        return status;
    if (status == 1)
        return call->api->fail(call, TACKLE_E_FAILED,
                               "this folder has a .git already: nothing to make; see git_status");
    int error = git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    options.flags = GIT_REPOSITORY_INIT_NO_REINIT;
    options.initial_head = "main";
    status = call->api->remember(call, note, sizeof note - 1);
    if (status != TACKLE_OK)
        return status;
    if (error == 0)
        error = git_repository_init_ext(&repo, plugin->workspace->root(plugin->host), &options);
    git_repository_free(repo);
    return error < 0 ? repo_fail(call, error, "git_init failed") : write_result(call);
}

int32_t init_probe(void *self, tackle_call *call)
{
    struct repo repo;
    if (!call->api->remembered(call, NULL))
        return TACKLE_PROBE_NOT_DONE;
    int32_t status = has_git(self, call);
    if (status < 1)
        return status < 0 ? status : TACKLE_PROBE_NOT_DONE;
    if (repo_open(self, call, &repo) != TACKLE_OK)
        return TACKLE_PROBE_UNKNOWN;
    repo_close(&repo);
    status = write_result(call);
    return status < 0 ? status : TACKLE_PROBE_DONE;
}
