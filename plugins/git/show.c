/* git_show: a commit with its diff, or what a path held at a revision. */
#include <string.h>

#include "diff.h"

static void write_signature(struct reply *r, const char *label, const git_signature *who)
{
    (void)reply_text(r, label);
    (void)reply_line(r, who->name);
    (void)reply_text(r, " <");
    (void)reply_line(r, who->email);
    (void)reply_text(r, ">  ");
    (void)reply_date(r, &who->when, true);
    (void)reply_text(r, "\n");
}

/* A message, each line indented as git does it. */
static void write_message(struct reply *r, const char *message)
{
    (void)reply_text(r, "\n");
    while (message && *message) {
        size_t len = strcspn(message, "\n");
        (void)reply_text(r, len > 0 ? "    " : "");
        (void)reply_bytes(r, message, len);
        if (reply_text(r, "\n") < 0)
            return;
        message += len + (message[len] == '\n');
    }
    (void)reply_text(r, "\n");
}

static void write_head(struct reply *r, const git_commit *commit)
{
    char id[GIT_OID_HEXSZ + 1];
    unsigned parents = git_commit_parentcount(commit);
    const git_signature *author = git_commit_author(commit), *by = git_commit_committer(commit);
    (void)reply_format(r, "commit %s\n", git_oid_tostr(id, sizeof id, git_commit_id(commit)));
    if (parents > 1) {
        (void)reply_text(r, "Merge of:");
        for (unsigned i = 0; i < parents; i++) {
            (void)reply_text(r, " ");
            (void)reply_id(r, git_commit_parent_id(commit, i));
        }
        (void)reply_text(r, "; the diff is against the first\n");
    }
    write_signature(r, "Author: ", author);
    if (strcmp(author->email, by->email) != 0 || strcmp(author->name, by->name) != 0)
        write_signature(r, "Commit: ", by);
    write_message(r, git_commit_message(commit));
}

static int32_t write_commit(const struct repo *repo, struct reply *r, const git_commit *commit)
{
    git_commit *parent = NULL;
    git_tree *old = NULL, *new = NULL;
    git_diff *diff = NULL;
    git_diff_options options;
    int32_t stat_only = 0, status;
    int error = 0;
    (void)repo->call->api->arg_bool(repo->call, "stat_only", &stat_only);
    diff_options(&options);
    write_head(r, commit);
    if (git_commit_parentcount(commit) > 0)
        error = git_commit_parent(&parent, commit, 0);
    if (error < 0) {
        /* A shallow clone ends at commits whose parents it does not have. */
        (void)reply_text(r, "[its parent is not in this repository: no diff]\n");
        return TACKLE_OK;
    }
    status = repo_tree_of(repo, parent, &old);
    if (status == TACKLE_OK)
        status = repo_tree_of(repo, commit, &new);
    if (status == TACKLE_OK) {
        error = git_diff_tree_to_tree(&diff, repo->git, old, new, &options);
        status = error < 0 ? repo_fail(repo->call, error, "the diff cannot be made")
                           : diff_prepare(repo, diff);
    }
    if (status == TACKLE_OK)
        status = stat_only ? diff_write_stat(repo, diff, r, REPO_MAX_FILES)
                           : diff_write_patch(repo, diff, r);
    git_diff_free(diff);
    git_tree_free(old);
    git_tree_free(new);
    git_commit_free(parent);
    return status;
}

static int32_t write_blob(const struct repo *repo, struct reply *r, const git_oid *id,
                          const char *path)
{
    git_blob *blob;
    int32_t status = repo_blob(repo, id, path, &blob);
    if (status != TACKLE_OK)
        return status;
    size_t size = (size_t)git_blob_rawsize(blob);
    if (git_blob_is_binary(blob))
        (void)reply_format(r, "[binary, %zu bytes]\n", size);
    else if (size == 0)
        (void)reply_text(r, "[empty file]\n");
    else
        (void)reply_bytes(r, git_blob_rawcontent(blob), size);
    git_blob_free(blob);
    return TACKLE_OK;
}

static int32_t write_tree(struct reply *r, const git_tree *tree)
{
    size_t count = git_tree_entrycount(tree);
    for (size_t i = 0; i < count && !r->cut; i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        (void)reply_path(r, "", git_tree_entry_name(entry));
        (void)reply_text(r, git_tree_entry_type(entry) == GIT_OBJECT_TREE     ? "/\n"
                            : git_tree_entry_type(entry) == GIT_OBJECT_COMMIT ? " (submodule)\n"
                                                                              : "\n");
    }
    return TACKLE_OK;
}

static int32_t write_tag(const struct repo *repo, struct reply *r, const git_tag *tag)
{
    git_object *target = NULL;
    (void)reply_text(r, "tag ");
    (void)reply_line(r, git_tag_name(tag));
    (void)reply_text(r, "\n");
    if (git_tag_tagger(tag))
        write_signature(r, "Tagger: ", git_tag_tagger(tag));
    write_message(r, git_tag_message(tag));
    int error = git_object_peel(&target, (const git_object *)tag, GIT_OBJECT_COMMIT);
    if (error < 0)
        return TACKLE_OK; /* a tag of a file or a folder: its message is what there is */
    int32_t status = write_commit(repo, r, (const git_commit *)target);
    git_object_free(target);
    return status;
}

static int32_t write_object(const struct repo *repo, struct reply *r, git_object *object,
                            const char *name)
{
    switch (git_object_type(object)) {
    case GIT_OBJECT_COMMIT:
        return write_commit(repo, r, (const git_commit *)object);
    case GIT_OBJECT_TREE:
        return write_tree(r, (const git_tree *)object);
    case GIT_OBJECT_TAG:
        return write_tag(repo, r, (const git_tag *)object);
    default:
        return write_blob(repo, r, git_object_id(object), name);
    }
}

/* The file or folder that `path` was in the tree of `rev`. */
static int32_t write_path(const struct repo *repo, struct reply *r, const char *rev,
                          const char *path)
{
    char clean[REPO_PATH_MAX];
    git_tree *tree = NULL, *folder = NULL;
    git_tree_entry *entry = NULL;
    int32_t status = repo_path(repo, path, clean);
    if (status == TACKLE_OK)
        status = repo_tree(repo, rev, &tree);
    if (status != TACKLE_OK)
        return status;
    int error = *clean ? git_tree_entry_bypath(&entry, tree, clean) : 0;
    if (error == GIT_ENOTFOUND)
        status =
            tackle_failf(repo->call, TACKLE_E_NOT_FOUND, "'%.200s' is not in %.100s", clean, rev);
    else if (error < 0)
        status = repo_fail(repo->call, error, "the tree cannot be read");
    else if (!entry)
        status = write_tree(r, tree);
    else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB)
        status = write_blob(repo, r, git_tree_entry_id(entry), clean);
    else if (git_tree_entry_type(entry) != GIT_OBJECT_TREE)
        (void)reply_text(r, "[a submodule: not part of this repository]\n");
    else if ((error = git_tree_lookup(&folder, repo->git, git_tree_entry_id(entry))) < 0)
        status = repo_fail(repo->call, error, "the tree cannot be read");
    else
        status = write_tree(r, folder);
    git_tree_free(folder);
    git_tree_entry_free(entry);
    git_tree_free(tree);
    return status;
}

int32_t show_call(void *self, tackle_call *call)
{
    struct repo repo;
    struct reply reply;
    git_object *object = NULL;
    const char *rev = call->api->arg_text(call, "rev", NULL);
    const char *path = call->api->arg_text(call, "path", NULL);
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    reply_init(&reply, call);
    if (path) {
        status = write_path(&repo, &reply, rev, path);
    } else {
        status = repo_object(&repo, rev, GIT_OBJECT_ANY, &object);
        if (status == TACKLE_OK)
            status = write_object(&repo, &reply, object, rev);
    }
    if (status == TACKLE_OK)
        status = reply_end(&reply, path ? "use read_file for a file of the work tree"
                                        : "use stat_only, or git_diff with paths");
    git_object_free(object);
    repo_close(&repo);
    return status;
}
