/* git_blame: which commit last changed each line, "abc1234 2026-01-31 Author 12| text". */
#include <string.h>

#include "reply.h"
#include "repo.h"
#include "worktree.h"

#define MAX_BLAME_BYTES ((git_object_size_t)4 << 20) /* libgit2's blame cannot be interrupted */

struct lines {
    int64_t first, last;
};

/* Line numbers as asked, against what the file has. */
static int32_t read_lines(tackle_call *call, const char *text, size_t len, struct lines *lines)
{
    int64_t count = len > 0 && text[len - 1] != '\n';
    for (size_t i = 0; i < len; i++)
        count += text[i] == '\n';
    lines->first = 1;
    lines->last = count;
    (void)call->api->arg_int(call, "first_line", &lines->first);
    (void)call->api->arg_int(call, "last_line", &lines->last);
    if (count > 0 && lines->last > count)
        lines->last = count;
    if (count > 0 && (lines->first < 1 || lines->first > lines->last))
        return tackle_failf(call, TACKLE_E_ARGS,
                            "first_line and last_line must be in order and within the file's %lld "
                            "lines",
                            (long long)count);
    return TACKLE_OK;
}

static int write_line(struct reply *r, const git_blame_hunk *hunk, int64_t number, const char *text,
                      size_t len)
{
    if (hunk) {
        (void)reply_id(r, &hunk->final_commit_id);
        (void)reply_text(r, " ");
        if (hunk->final_signature) {
            (void)reply_date(r, &hunk->final_signature->when, false);
            (void)reply_text(r, " ");
            (void)reply_line(r, hunk->final_signature->name);
        }
    }
    (void)reply_format(r, " %lld| ", (long long)number);
    (void)reply_bytes(r, text, len);
    return reply_text(r, "\n");
}

static int32_t write_blame(const struct repo *repo, struct reply *r, const git_oid *commit,
                           const char *path, const git_blob *blob)
{
    git_blame_options options;
    git_blame *blame = NULL;
    struct lines lines;
    const char *text = git_blob_rawcontent(blob);
    size_t left = (size_t)git_blob_rawsize(blob);
    int32_t status = read_lines(repo->call, text, left, &lines);
    if (status != TACKLE_OK)
        return status;
    if (left == 0) {
        (void)reply_text(r, "[empty file]\n");
        return TACKLE_OK;
    }
    int error = git_blame_options_init(&options, GIT_BLAME_OPTIONS_VERSION);
    options.newest_commit = *commit;
    options.min_line = (size_t)lines.first;
    options.max_line = (size_t)lines.last;
    if (error == 0)
        error = git_blame_file(&blame, repo->git, path, &options);
    if (error < 0)
        return repo_fail(repo->call, error, "git_blame failed");
    for (int64_t number = 1; number <= lines.last && !r->cut; number++) {
        const char *end = memchr(text, '\n', left);
        size_t len = end ? (size_t)(end - text) : left;
        if (number >= lines.first)
            (void)write_line(r, git_blame_get_hunk_byline(blame, (size_t)number), number, text,
                             len);
        text += len + (end != NULL);
        left -= len + (end != NULL);
    }
    git_blame_free(blame);
    return TACKLE_OK;
}

/* Says so when the file was edited since: its line numbers are then others. */
static void note_edits(const struct repo *repo, struct reply *r, const char *path,
                       const git_oid *committed)
{
    struct worktree_file file;
    git_oid id;
    char *data = NULL;
    size_t len = 0;
    if (worktree_find(repo, path, &file) != TACKLE_OK)
        return;
    if (file.kind == WORKTREE_MISSING ||
        (file.kind == WORKTREE_FILE && worktree_read(repo, &file, &data, &len) == TACKLE_OK &&
         git_odb_hash(&id, data, len, GIT_OBJECT_BLOB) == 0 && !git_oid_equal(&id, committed)))
        (void)reply_text(r, "[as committed in HEAD: the file in the work tree differs]\n");
    free(data);
    worktree_release(&file);
}

static int32_t blame_path(const struct repo *repo, struct reply *r, const char *path,
                          const char *rev, const git_commit *commit)
{
    git_tree *tree = NULL;
    git_tree_entry *entry = NULL;
    git_blob *blob = NULL;
    int32_t status = repo_tree_of(repo, commit, &tree);
    if (status != TACKLE_OK)
        return status;
    int error = *path ? git_tree_entry_bypath(&entry, tree, path) : GIT_ENOTFOUND;
    if (error < 0 || git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
        status = tackle_failf(repo->call, TACKLE_E_NOT_FOUND, "'%.200s' is no file of %.100s", path,
                              rev ? rev : "HEAD");
    if (status == TACKLE_OK)
        status = repo_blob(repo, git_tree_entry_id(entry), path, &blob);
    if (status == TACKLE_OK &&
        (git_blob_is_binary(blob) || git_blob_rawsize(blob) > MAX_BLAME_BYTES))
        status = tackle_failf(repo->call, TACKLE_E_ARGS,
                              "'%.200s' is no text of at most 4 MiB: it cannot be blamed", path);
    if (status == TACKLE_OK && !rev)
        note_edits(repo, r, path, git_blob_id(blob));
    if (status == TACKLE_OK)
        status = write_blame(repo, r, git_commit_id(commit), path, blob);
    git_blob_free(blob);
    git_tree_entry_free(entry);
    git_tree_free(tree);
    return status;
}

int32_t blame_call(void *self, tackle_call *call)
{
    struct repo repo;
    struct reply reply;
    char path[REPO_PATH_MAX];
    git_commit *commit = NULL;
    const char *rev = call->api->arg_text(call, "rev", NULL);
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    reply_init(&reply, call);
    status = repo_path(&repo, call->api->arg_text(call, "path", NULL), path);
    if (status == TACKLE_OK)
        status = repo_commit(&repo, rev ? rev : "HEAD", &commit);
    if (status == TACKLE_OK)
        status = blame_path(&repo, &reply, path, rev, commit);
    if (status == TACKLE_OK)
        status = reply_end(&reply, "give first_line and last_line");
    git_commit_free(commit);
    repo_close(&repo);
    return status;
}
