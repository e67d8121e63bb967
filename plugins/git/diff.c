/* git_diff, and diffs as text; see diff.h. */
#include "diff.h"

#include <string.h>

#define MAX_TEXT_BYTES ((git_off_t)8 << 20) /* a larger file is not compared line by line */
#define MAX_CONTEXT    20

void diff_options(git_diff_options *options)
{
    *options = (git_diff_options){.version = GIT_DIFF_OPTIONS_VERSION, .context_lines = 3};
    options->flags = GIT_DIFF_DISABLE_PATHSPEC_MATCH | GIT_DIFF_IGNORE_SUBMODULES;
    options->ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
    options->max_size = MAX_TEXT_BYTES;
}

int32_t diff_prepare(const struct repo *repo, git_diff *diff)
{
    git_diff_find_options find;
    if (git_diff_num_deltas(diff) > REPO_MAX_FILES)
        return tackle_failf(repo->call, TACKLE_E_LIMIT,
                            "%zu files differ, the limit is %d; narrow it with paths",
                            git_diff_num_deltas(diff), REPO_MAX_FILES);
    int error = git_diff_find_options_init(&find, GIT_DIFF_FIND_OPTIONS_VERSION);
    find.flags = GIT_DIFF_FIND_RENAMES;
    if (error == 0)
        error = git_diff_find_similar(diff, &find);
    return error < 0 ? repo_fail(repo->call, error, "renames cannot be found") : TACKLE_OK;
}

/* ---- the patch ---- */

struct patch_writer {
    const struct repo *repo;
    struct reply *reply;
    int32_t status;
    bool named; /* the current file's --- and +++ lines are written */
};

static int write_header(const git_diff_delta *delta, float progress, void *user)
{
    struct patch_writer *w = user;
    struct reply *r = w->reply;
    const git_diff_file *old = &delta->old_file, *new = &delta->new_file;
    (void)progress;
    w->named = false;
    w->status = repo_may_go_on(w->repo->call);
    if (w->status != TACKLE_OK)
        return GIT_EUSER;
    if (delta->status == GIT_DELTA_CONFLICTED) {
        (void)reply_text(r, "* Unmerged path ");
        (void)reply_path(r, "", old->path ? old->path : new->path);
        return reply_text(r, "\n") < 0 ? GIT_EUSER : 0;
    }
    (void)reply_text(r, "diff --git ");
    (void)reply_path(r, "a/", old->path);
    (void)reply_text(r, " ");
    (void)reply_path(r, "b/", new->path);
    (void)reply_text(r, "\n");
    if (delta->status == GIT_DELTA_ADDED)
        (void)reply_format(r, "new file mode %06o\n", new->mode);
    else if (delta->status == GIT_DELTA_DELETED)
        (void)reply_format(r, "deleted file mode %06o\n", old->mode);
    else if (old->mode != new->mode)
        (void)reply_format(r, "old mode %06o\nnew mode %06o\n", old->mode, new->mode);
    if (delta->status == GIT_DELTA_RENAMED) {
        (void)reply_format(r, "similarity index %u%%\nrename from ", delta->similarity);
        (void)reply_path(r, "", old->path);
        (void)reply_text(r, "\nrename to ");
        (void)reply_path(r, "", new->path);
        (void)reply_text(r, "\n");
    }
    return r->cut ? GIT_EUSER : 0;
}

static int write_binary(const git_diff_delta *delta, const git_diff_binary *binary, void *user)
{
    struct patch_writer *w = user;
    const git_diff_file *old = &delta->old_file, *new = &delta->new_file;
    bool large = old->size > (git_object_size_t)MAX_TEXT_BYTES ||
                 new->size > (git_object_size_t)MAX_TEXT_BYTES;
    (void)binary;
    if (git_oid_equal(&old->id, &new->id))
        return 0;
    return reply_format(w->reply, "%s differ: %llu -> %llu bytes\n",
                        large ? "Files too large to compare" : "Binary files",
                        (unsigned long long)old->size, (unsigned long long)new->size) < 0
               ? GIT_EUSER
               : 0;
}

/* The two lines before the first hunk of a file. */
static void write_names(struct reply *r, const git_diff_delta *delta)
{
    (void)reply_text(r, "--- ");
    if (delta->status == GIT_DELTA_ADDED)
        (void)reply_text(r, "/dev/null");
    else
        (void)reply_path(r, "a/", delta->old_file.path);
    (void)reply_text(r, "\n+++ ");
    if (delta->status == GIT_DELTA_DELETED)
        (void)reply_text(r, "/dev/null");
    else
        (void)reply_path(r, "b/", delta->new_file.path);
    (void)reply_text(r, "\n");
}

static int write_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk, void *user)
{
    struct patch_writer *w = user;
    if (!w->named)
        write_names(w->reply, delta);
    w->named = true;
    return reply_bytes(w->reply, hunk->header, hunk->header_len) < 0 ? GIT_EUSER : 0;
}

static int write_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
                      const git_diff_line *line, void *user)
{
    struct patch_writer *w = user;
    (void)delta, (void)hunk;
    if (line->origin == GIT_DIFF_LINE_CONTEXT || line->origin == GIT_DIFF_LINE_ADDITION ||
        line->origin == GIT_DIFF_LINE_DELETION)
        (void)reply_bytes(w->reply, &line->origin, 1);
    return reply_bytes(w->reply, line->content, line->content_len) < 0 ? GIT_EUSER : 0;
}

int32_t diff_write_patch(const struct repo *repo, git_diff *diff, struct reply *r)
{
    struct patch_writer w = {.repo = repo, .reply = r, .status = TACKLE_OK};
    int error = git_diff_foreach(diff, write_header, write_binary, write_hunk, write_line, &w);
    if (w.status != TACKLE_OK || r->cut || error == 0)
        return w.status;
    return repo_fail(repo->call, error, "the diff cannot be made");
}

/* ---- the short form ---- */

static char delta_code(git_delta_t status)
{
    switch (status) {
    case GIT_DELTA_ADDED:
        return 'A';
    case GIT_DELTA_DELETED:
        return 'D';
    case GIT_DELTA_RENAMED:
        return 'R';
    case GIT_DELTA_CONFLICTED:
        return 'U';
    default:
        return 'M';
    }
}

/* The line counts of one file; *binary when it has none. */
static int32_t count_lines(const struct repo *repo, git_diff *diff, size_t i, size_t *added,
                           size_t *removed, bool *binary)
{
    git_patch *patch = NULL;
    *added = *removed = 0;
    int error = git_patch_from_diff(&patch, diff, i);
    if (error == 0 && patch)
        error = git_patch_line_stats(NULL, added, removed, patch);
    *binary = patch && git_patch_get_delta(patch)->flags & GIT_DIFF_FLAG_BINARY;
    git_patch_free(patch);
    return error < 0 ? repo_fail(repo->call, error, "the diff cannot be made") : TACKLE_OK;
}

int32_t diff_write_stat(const struct repo *repo, git_diff *diff, struct reply *r, size_t max_lines)
{
    size_t files = git_diff_num_deltas(diff), all_added = 0, all_removed = 0;
    size_t shown = files < max_lines ? files : max_lines;
    for (size_t i = 0; i < shown && !r->cut; i++) {
        size_t added, removed;
        bool binary;
        const git_diff_delta *delta = git_diff_get_delta(diff, i);
        int32_t status = repo_may_go_on(repo->call);
        if (status == TACKLE_OK)
            status = count_lines(repo, diff, i, &added, &removed, &binary);
        if (status != TACKLE_OK)
            return status;
        (void)reply_format(r, "%c ", delta_code(delta->status));
        if (delta->status == GIT_DELTA_RENAMED) {
            (void)reply_path(r, "", delta->old_file.path);
            (void)reply_text(r, " -> ");
        }
        (void)reply_path(r, "", delta->new_file.path ? delta->new_file.path : delta->old_file.path);
        if (binary)
            (void)reply_text(r, " binary\n");
        else
            (void)reply_format(r, " +%zu -%zu\n", added, removed);
        all_added += added;
        all_removed += removed;
    }
    if (shown < files)
        (void)reply_format(r, "[%zu more files]\n", files - shown);
    (void)reply_format(r, "%zu file%s changed, +%zu -%zu%s\n", files, files == 1 ? "" : "s",
                       all_added, all_removed, shown < files ? " in the files shown" : "");
    return TACKLE_OK;
}

/* ---- git_diff ---- */

struct diff_sides {
    bool staged;
    git_tree *from, *to; /* NULL: as staged, or as in the work tree */
};

/* "a...b" compares b with where it left a. */
static int32_t sides_of_range(const struct repo *repo, git_commit *from, git_commit *to,
                              bool symmetric, struct diff_sides *sides)
{
    git_oid base;
    git_commit *start = NULL;
    int error = 0;
    if (symmetric)
        error = git_merge_base(&base, repo->git, git_commit_id(from), git_commit_id(to));
    if (symmetric && error == 0)
        error = git_commit_lookup(&start, repo->git, &base);
    if (error < 0)
        return repo_fail(repo->call, error, "the two have no common ancestor");
    int32_t status = repo_tree_of(repo, start ? start : from, &sides->from);
    if (status == TACKLE_OK)
        status = repo_tree_of(repo, to, &sides->to);
    git_commit_free(start);
    return status;
}

static int32_t read_sides(const struct repo *repo, struct diff_sides *sides)
{
    tackle_call *call = repo->call;
    int32_t staged = 0;
    git_commit *left = NULL, *right = NULL;
    bool symmetric;
    const char *from = call->api->arg_text(call, "from", NULL);
    const char *to = call->api->arg_text(call, "to", NULL);
    (void)call->api->arg_bool(call, "staged", &staged);
    sides->staged = staged != 0;
    if (to && (!from || staged))
        return call->api->fail(call, TACKLE_E_ARGS, "to goes with from, and without staged");
    if (from && !to && !staged) {
        int32_t status = repo_range(repo, from, &left, &right, &symmetric);
        if (status == TACKLE_OK && left)
            status = sides_of_range(repo, left, right, symmetric, sides);
        bool done = left || status != TACKLE_OK;
        git_commit_free(left);
        git_commit_free(right);
        if (done)
            return status;
    }
    int32_t status = from ? repo_tree(repo, from, &sides->from) : TACKLE_OK;
    if (status == TACKLE_OK && to)
        status = repo_tree(repo, to, &sides->to);
    if (status == TACKLE_OK && staged && !from) {
        status = repo_head(repo, &left);
        if (status == TACKLE_OK)
            status = repo_tree_of(repo, left, &sides->from);
        git_commit_free(left);
    }
    return status;
}

static int make_diff(const struct repo *repo, const struct diff_sides *sides,
                     const git_diff_options *options, git_diff **out)
{
    if (sides->to)
        return git_diff_tree_to_tree(out, repo->git, sides->from, sides->to, options);
    if (sides->staged)
        return git_diff_tree_to_index(out, repo->git, sides->from, NULL, options);
    if (sides->from)
        return git_diff_tree_to_workdir_with_index(out, repo->git, sides->from, options);
    return git_diff_index_to_workdir(out, repo->git, NULL, options);
}

static int32_t write_diff(const struct repo *repo, const struct diff_sides *sides, git_diff *diff)
{
    struct reply reply;
    int32_t stat_only = 0;
    reply_init(&reply, repo->call);
    (void)repo->call->api->arg_bool(repo->call, "stat_only", &stat_only);
    int32_t status = diff_prepare(repo, diff);
    if (status != TACKLE_OK)
        return status;
    if (git_diff_num_deltas(diff) == 0)
        (void)reply_text(&reply, sides->staged ? "nothing staged differs\n"
                                 : sides->from ? "no difference\n"
                                               : "no unstaged changes of tracked files; staged: "
                                                 "true shows staged ones, git_status new files\n");
    else if (stat_only)
        status = diff_write_stat(repo, diff, &reply, REPO_MAX_FILES);
    else
        status = diff_write_patch(repo, diff, &reply);
    return status == TACKLE_OK ? reply_end(&reply, "narrow it with paths, or use stat_only")
                               : status;
}

int32_t diff_call(void *self, tackle_call *call)
{
    struct repo repo;
    struct repo_paths paths = {0};
    struct diff_sides sides = {0};
    git_diff *diff = NULL;
    git_diff_options options;
    int64_t context = 3;
    (void)call->api->arg_int(call, "context", &context);
    if (context < 0 || context > MAX_CONTEXT)
        return tackle_failf(call, TACKLE_E_ARGS, "context is 0 to %d lines", MAX_CONTEXT);
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    diff_options(&options);
    options.context_lines = (uint32_t)context;
    status = repo_paths_init(&repo, &paths);
    if (status == TACKLE_OK)
        status = read_sides(&repo, &sides);
    if (status == TACKLE_OK) {
        options.pathspec = paths.list;
        int error = make_diff(&repo, &sides, &options, &diff);
        status =
            error < 0 ? repo_fail(call, error, "git_diff failed") : write_diff(&repo, &sides, diff);
    }
    git_diff_free(diff);
    git_tree_free(sides.from);
    git_tree_free(sides.to);
    repo_paths_release(&paths);
    repo_close(&repo);
    return status;
}
