/* git_log: one line a commit, "abc1234 2026-01-31 Author: subject (main, tag v1)". */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "reply.h"
#include "repo.h"
#include "when.h"

#define DEFAULT_COUNT 20
#define MAX_COUNT     200
#define MAX_WALK      1000000 /* commits looked at */
#define MAX_LABELS    2000    /* branches and tags shown beside their commits */
#define SLOP          200     /* commits in a row older than `since` that end the walk */

/* A branch or tag, and the commit it names. */
struct label {
    git_oid id;
    char *name;
};

struct labels {
    struct label *items; /* owned, and so are the names */
    size_t count;
};

struct filter {
    const char *author, *grep;
    char path[REPO_PATH_MAX]; /* "": any */
    int64_t since, until;
    int64_t max;
};

static void labels_release(struct labels *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i].name);
    free(l->items);
    *l = (struct labels){0};
}

static int add_label(struct labels *l, const git_reference *ref)
{
    git_object *commit = NULL;
    char name[256];
    if (!git_reference_is_branch(ref) && !git_reference_is_tag(ref) &&
        !git_reference_is_remote(ref))
        return 0;
    if (git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT) < 0)
        return 0; /* a tag of something else, or a broken one: no label */
    (void)snprintf(name, sizeof name, "%s%s", git_reference_is_tag(ref) ? "tag " : "",
                   git_reference_shorthand(ref));
    l->items[l->count].id = *git_object_id(commit);
    l->items[l->count].name = strdup(name);
    git_object_free(commit);
    if (!l->items[l->count].name)
        return -1;
    l->count++;
    return 0;
}

static int32_t labels_read(const struct repo *repo, struct labels *l)
{
    git_reference_iterator *iterator = NULL;
    git_reference *ref;
    int error = 0;
    l->items = calloc(MAX_LABELS, sizeof *l->items);
    if (!l->items)
        return repo_no_memory(repo->call);
    if (git_reference_iterator_new(&iterator, repo->git) < 0)
        return TACKLE_OK; /* labels are an extra */
    while (error == 0 && l->count < MAX_LABELS && git_reference_next(&ref, iterator) == 0) {
        error = add_label(l, ref);
        git_reference_free(ref);
    }
    git_reference_iterator_free(iterator);
    return error < 0 ? repo_no_memory(repo->call) : TACKLE_OK;
}

static int32_t read_date(tackle_call *call, const char *key, int64_t *out)
{
    const char *text = call->api->arg_text(call, key, NULL);
    if (!text)
        return TACKLE_OK;
    if (when_parse(text, (int64_t)time(NULL), out) < 0)
        return tackle_failf(call, TACKLE_E_ARGS, "%s: '%.60s' is no date; write it like %s", key,
                            text, WHEN_FORMS);
    /* "until 2026-01-31" means that day too. */
    if (strcmp(key, "until") == 0 && strlen(text) == strlen("2026-01-31") && text[4] == '-')
        *out += 86399;
    return TACKLE_OK;
}

static int32_t read_filter(const struct repo *repo, struct filter *f)
{
    tackle_call *call = repo->call;
    const char *path = call->api->arg_text(call, "path", NULL);
    f->author = call->api->arg_text(call, "author", NULL);
    f->grep = call->api->arg_text(call, "grep", NULL);
    f->path[0] = '\0';
    f->since = INT64_MIN;
    f->until = INT64_MAX;
    f->max = DEFAULT_COUNT;
    (void)call->api->arg_int(call, "max", &f->max);
    if (f->max < 1 || f->max > MAX_COUNT)
        return tackle_failf(call, TACKLE_E_ARGS, "max is 1 to %d commits", MAX_COUNT);
    int32_t status = path ? repo_path(repo, path, f->path) : TACKLE_OK;
    if (status == TACKLE_OK)
        status = read_date(call, "since", &f->since);
    return status == TACKLE_OK ? read_date(call, "until", &f->until) : status;
}

/* What a commit has at a path: its object and mode, or nothing. */
static int entry_at(const git_commit *commit, const char *path, git_oid *id, git_filemode_t *mode)
{
    git_tree *tree = NULL;
    git_tree_entry *entry = NULL;
    *id = (git_oid){0};
    *mode = GIT_FILEMODE_UNREADABLE;
    int error = git_commit_tree(&tree, commit);
    if (error == 0)
        error = git_tree_entry_bypath(&entry, tree, path);
    if (error == 0) {
        *id = *git_tree_entry_id(entry);
        *mode = git_tree_entry_filemode(entry);
    }
    git_tree_entry_free(entry);
    git_tree_free(tree);
    return error == GIT_ENOTFOUND ? 0 : error;
}

/* Did this commit change what is at `path`? As git sees it: it differs from every parent. */
static int changes_path(const git_commit *commit, const char *path, bool *changed)
{
    git_oid here, there;
    git_filemode_t mode_here, mode_there;
    unsigned parents = git_commit_parentcount(commit);
    int error = entry_at(commit, path, &here, &mode_here);
    *changed = parents > 0 || mode_here != GIT_FILEMODE_UNREADABLE;
    for (unsigned i = 0; error == 0 && *changed && i < parents; i++) {
        git_commit *parent = NULL;
        error = git_commit_parent(&parent, commit, i);
        if (error == 0)
            error = entry_at(parent, path, &there, &mode_there);
        if (error == 0 && git_oid_equal(&here, &there) && mode_here == mode_there)
            *changed = false;
        git_commit_free(parent);
    }
    return error;
}

static bool has_text(const char *text, const char *part)
{
    size_t len = strlen(part);
    for (; text && *text; text++)
        if (strncasecmp(text, part, len) == 0)
            return true;
    return len == 0;
}

static int matches(const struct filter *f, git_commit *commit, bool *yes)
{
    const git_signature *author = git_commit_author(commit);
    git_time_t when = git_commit_time(commit);
    *yes =
        when >= f->since && when <= f->until &&
        (!f->author || has_text(author->name, f->author) || has_text(author->email, f->author)) &&
        (!f->grep || has_text(git_commit_message(commit), f->grep));
    return *yes && *f->path ? changes_path(commit, f->path, yes) : 0;
}

static int write_commit(struct reply *r, git_commit *commit, const struct labels *labels)
{
    const git_signature *author = git_commit_author(commit);
    const char *summary = git_commit_summary(commit);
    bool first = true;
    (void)reply_id(r, git_commit_id(commit));
    (void)reply_text(r, " ");
    (void)reply_date(r, &author->when, false);
    (void)reply_text(r, " ");
    (void)reply_line(r, author->name);
    (void)reply_text(r, ": ");
    (void)reply_line(r, summary ? summary : "");
    for (size_t i = 0; i < labels->count; i++) {
        if (!git_oid_equal(&labels->items[i].id, git_commit_id(commit)))
            continue;
        (void)reply_text(r, first ? " (" : ", ");
        (void)reply_line(r, labels->items[i].name);
        first = false;
    }
    return reply_text(r, first ? "\n" : ")\n");
}

static int32_t walk(const struct repo *repo, git_revwalk *revwalk, const struct filter *f,
                    const struct labels *labels, struct reply *r)
{
    git_oid id;
    int64_t shown = 0;
    int error = 0, older = 0, seen = 0;
    while (!r->cut && older < SLOP && (error = git_revwalk_next(&id, revwalk)) == 0) {
        git_commit *commit = NULL;
        bool yes = false;
        int32_t status = repo_may_go_on(repo->call);
        if (status != TACKLE_OK)
            return status;
        if (++seen > MAX_WALK || shown == f->max)
            break;
        error = git_commit_lookup(&commit, repo->git, &id);
        if (error == 0)
            error = matches(f, commit, &yes);
        if (error == 0 && yes && write_commit(r, commit, labels) == 0)
            shown++;
        if (error == 0)
            older = git_commit_time(commit) < f->since ? older + 1 : 0;
        git_commit_free(commit);
        if (error < 0)
            break;
    }
    if (error < 0 && error != GIT_ITEROVER)
        return repo_fail(repo->call, error, "git_log stopped");
    if (shown == 0)
        (void)reply_text(r, "no commit matches\n");
    else if (error == 0 && shown == f->max) {
        (void)reply_text(r, "[older commits follow: raise max, or give rev ");
        (void)reply_id(r, &id);
        (void)reply_text(r, "]\n");
    }
    return reply_end(r, "give a smaller max");
}

/* Tells the walk where to begin and, for a range, what to leave out. */
static int32_t set_start(const struct repo *repo, git_revwalk *revwalk, bool *unborn)
{
    const char *rev = repo->call->api->arg_text(repo->call, "rev", NULL);
    git_commit *from = NULL, *to = NULL;
    git_oid base;
    bool symmetric = false;
    int32_t status = rev ? repo_range(repo, rev, &from, &to, &symmetric) : TACKLE_OK;
    if (status == TACKLE_OK && !to)
        status = rev ? repo_commit(repo, rev, &to) : repo_head(repo, &to);
    *unborn = status == TACKLE_OK && !to;
    if (status == TACKLE_OK && to) {
        int error = git_revwalk_push(revwalk, git_commit_id(to));
        if (error == 0 && from && !symmetric)
            error = git_revwalk_hide(revwalk, git_commit_id(from));
        if (error == 0 && symmetric)
            error = git_revwalk_push(revwalk, git_commit_id(from));
        if (error == 0 && symmetric &&
            git_merge_base(&base, repo->git, git_commit_id(from), git_commit_id(to)) == 0)
            error = git_revwalk_hide(revwalk, &base);
        if (error == 0)
            error = git_revwalk_sorting(revwalk, GIT_SORT_TIME);
        if (error < 0)
            status = repo_fail(repo->call, error, "git_log failed");
    }
    git_commit_free(from);
    git_commit_free(to);
    return status;
}

int32_t log_call(void *self, tackle_call *call)
{
    struct repo repo;
    struct reply reply;
    struct filter filter;
    struct labels labels = {0};
    git_revwalk *revwalk = NULL;
    bool unborn = false;
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    reply_init(&reply, call);
    int error = git_revwalk_new(&revwalk, repo.git);
    if (error < 0)
        status = repo_fail(call, error, "git_log failed");
    if (status == TACKLE_OK)
        status = read_filter(&repo, &filter);
    if (status == TACKLE_OK)
        status = set_start(&repo, revwalk, &unborn);
    if (status == TACKLE_OK && !unborn)
        status = labels_read(&repo, &labels);
    if (status == TACKLE_OK && unborn)
        (void)reply_text(&reply, "no commits yet\n");
    else if (status == TACKLE_OK)
        status = walk(&repo, revwalk, &filter, &labels, &reply);
    labels_release(&labels);
    git_revwalk_free(revwalk);
    repo_close(&repo);
    return status;
}
