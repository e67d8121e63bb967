/* git_commit: records what is staged. Before the commit is made its parent, tree, message and
 * author are noted, so that after a crash probe() can tell whether it was. */
#include <string.h>

#include "diff.h"
#include "stage.h"

#define MAX_MESSAGE_BYTES ((size_t)64 << 10)
#define MAX_PARENTS       16
#define MAX_LISTED        100
#define NAME_BYTES        256
#define NOTE_BYTES        (4 * (GIT_OID_HEXSZ + 1))

struct plan {
    int32_t all;
    git_buf message; /* tidied */
    git_signature *author, *committer;
    bool made_up; /* nobody has configured an identity */
    git_tree *tree;
    git_commit *parents[MAX_PARENTS]; /* HEAD, when there is one, and what is being merged */
    size_t parent_count;
    bool merging; /* ends a merge, revert or cherry-pick */
};

static void plan_release(struct plan *p)
{
    git_buf_dispose(&p->message);
    git_signature_free(p->author);
    git_signature_free(p->committer);
    git_tree_free(p->tree);
    for (size_t i = 0; i < p->parent_count; i++)
        git_commit_free(p->parents[i]);
}

/* ---- the message and the people ---- */

static int32_t read_message(tackle_call *call, struct plan *p)
{
    size_t len = 0;
    const char *text = call->api->arg_text(call, "message", &len);
    if (len > MAX_MESSAGE_BYTES)
        return call->api->fail(call, TACKLE_E_LIMIT, "the message is longer than 64 KiB");
    int error = git_message_prettify(&p->message, text, 0, '#');
    if (error < 0)
        return repo_fail(call, error, "the message cannot be used");
    if (p->message.size == 0)
        return call->api->fail(call, TACKLE_E_ARGS, "the message is empty; say what changes");
    return TACKLE_OK;
}

/* "Name <mail>" */
static int32_t read_author(tackle_call *call, struct plan *p)
{
    const char *text = call->api->arg_text(call, "author", NULL);
    if (!text)
        return TACKLE_OK;
    char name[NAME_BYTES], email[NAME_BYTES];
    const char *open = strrchr(text, '<'), *end = text + strlen(text);
    if (!open || end - open < 3 || end[-1] != '>' || open == text || end - text >= NAME_BYTES ||
        strpbrk(text, "\r\n"))
        return call->api->fail(call, TACKLE_E_ARGS,
                               "author must look like \"Ada Lovelace <ada@example.org>\"");
    (void)snprintf(name, sizeof name, "%.*s", (int)(open - text), text);
    (void)snprintf(email, sizeof email, "%.*s", (int)(end - open - 2), open + 1);
    int error = git_signature_now(&p->author, name, email);
    return error < 0 ? repo_fail(call, error, "author cannot be used") : TACKLE_OK;
}

/* The repository's own configuration, then the plugin's option, then a name that hides nothing. */
static const char *identity(const struct repo *repo, git_config *config, const char *key,
                            const char *option, const char *otherwise, bool *made_up)
{
    const struct git_plugin *plugin = repo->plugin;
    const char *text = NULL;
    if (git_config_get_string(&text, config, key) < 0 || !text || !*text)
        text = plugin->config->text(plugin->host, option);
    if (text && *text)
        return text;
    *made_up = true;
    return otherwise;
}

static int32_t read_people(const struct repo *repo, struct plan *p)
{
    git_config *config = NULL;
    int32_t status = read_author(repo->call, p);
    if (status != TACKLE_OK)
        return status;
    int error = git_repository_config_snapshot(&config, repo->git);
    if (error == 0) {
        const char *name =
            identity(repo, config, "user.name", "author_name", "tackle", &p->made_up);
        const char *email =
            identity(repo, config, "user.email", "author_email", "tackle@localhost", &p->made_up);
        error = git_signature_now(&p->committer, name, email);
    }
    git_config_free(config);
    if (error == 0 && !p->author)
        error = git_signature_dup(&p->author, p->committer);
    return error < 0 ? repo_fail(repo->call, error, "user.name or user.email cannot be used")
                     : TACKLE_OK;
}

/* ---- parents and tree ---- */

struct merge_heads {
    const struct repo *repo;
    struct plan *plan;
};

static int add_merged(const git_oid *id, void *user)
{
    struct merge_heads *m = user;
    struct plan *p = m->plan;
    if (p->parent_count == MAX_PARENTS)
        return GIT_EUSER;
    int error = git_commit_lookup(&p->parents[p->parent_count], m->repo->git, id);
    if (error == 0)
        p->parent_count++;
    return error;
}

static int32_t read_parents(const struct repo *repo, struct plan *p)
{
    struct merge_heads merge = {.repo = repo, .plan = p};
    int state = git_repository_state(repo->git), error = 0;
    int32_t status = repo_head(repo, &p->parents[0]);
    if (status != TACKLE_OK)
        return status;
    p->parent_count = p->parents[0] ? 1 : 0;
    switch (state) {
    case GIT_REPOSITORY_STATE_NONE:
    case GIT_REPOSITORY_STATE_BISECT:
        break;
    case GIT_REPOSITORY_STATE_MERGE:
        error = git_repository_mergehead_foreach(repo->git, add_merged, &merge);
        p->merging = true;
        break;
    case GIT_REPOSITORY_STATE_REVERT:
    case GIT_REPOSITORY_STATE_CHERRYPICK:
        p->merging = true;
        break;
    default:
        return repo->call->api->fail(repo->call, TACKLE_E_FAILED,
                                     "a rebase, or a series of commits, is in progress here; the "
                                     "user has to end or abort it first");
    }
    return error < 0 ? repo_fail(repo->call, error, "what is merged cannot be read") : TACKLE_OK;
}

static int32_t make_tree(struct stage *stage, struct plan *p)
{
    const struct repo *repo = stage->repo;
    git_oid id;
    int32_t status = TACKLE_OK;
    if (git_index_has_conflicts(stage->index))
        return repo->call->api->fail(repo->call, TACKLE_E_FAILED,
                                     "there are unresolved conflicts (see git_status); edit those "
                                     "files and git_add them, then commit");
    if (p->all)
        status = stage_tracked(stage);
    if (status == TACKLE_OK && p->all)
        status = stage_write(stage);
    if (status != TACKLE_OK)
        return status;
    int error = git_index_write_tree(&id, stage->index);
    if (error == 0)
        error = git_tree_lookup(&p->tree, repo->git, &id);
    if (error < 0)
        return repo_fail(repo->call, error, "the tree cannot be written");
    bool same = p->parent_count > 0 ? git_oid_equal(&id, git_commit_tree_id(p->parents[0]))
                                    : git_tree_entrycount(p->tree) == 0;
    if (same && !p->merging)
        return repo->call->api->fail(repo->call, TACKLE_E_FAILED,
                                     p->all ? "nothing to commit: no tracked file changed; new "
                                              "files need git_add"
                                            : "nothing staged; use git_add first, or all: true");
    return TACKLE_OK;
}

/* ---- the note ---- */

static int hash_text(git_oid *id, const char *text)
{
    return git_odb_hash(id, text, strlen(text), GIT_OBJECT_BLOB);
}

/* What identifies a commit before it is made: four hashes, `parent` being zeros for none. */
static int make_note(char note[NOTE_BYTES], const git_oid *parent, const git_oid *tree,
                     const char *message, const git_signature *author)
{
    git_oid ids[4] = {{{0}}};
    char who[2 * NAME_BYTES + 4];
    if (parent)
        ids[0] = *parent;
    ids[1] = *tree;
    (void)snprintf(who, sizeof who, "%s <%s>", author->name, author->email);
    int error = hash_text(&ids[2], message);
    if (error == 0)
        error = hash_text(&ids[3], who);
    for (size_t i = 0; i < 4; i++) {
        char *at = note + i * (GIT_OID_HEXSZ + 1);
        (void)git_oid_tostr(at, GIT_OID_HEXSZ + 1, &ids[i]);
        at[GIT_OID_HEXSZ] = i < 3 ? ' ' : '\0';
    }
    return error;
}

static int32_t remember(const struct repo *repo, const struct plan *p)
{
    char note[NOTE_BYTES];
    const git_oid *parent = p->parent_count > 0 ? git_commit_id(p->parents[0]) : NULL;
    int error = make_note(note, parent, git_tree_id(p->tree), p->message.ptr, p->author);
    if (error < 0)
        return repo_fail(repo->call, error, "the commit cannot be noted");
    return repo->call->api->remember(repo->call, note, strlen(note));
}

/* ---- the commit ---- */

/* "[main abc1234] subject" and the files; the same whether the call or its probe says it. */
static int32_t write_result(const struct repo *repo, git_commit *commit)
{
    struct reply reply;
    char branch[1024];
    git_commit *parent = NULL;
    git_tree *old = NULL, *new = NULL;
    git_diff *diff = NULL;
    git_diff_options options;
    const char *summary = git_commit_summary(commit);
    bool first = git_commit_parentcount(commit) == 0;
    reply_init(&reply, repo->call);
    diff_options(&options);
    int32_t status = repo_branch(repo, branch, sizeof branch);
    if (status != TACKLE_OK)
        return status;
    (void)reply_text(&reply, "[");
    (void)reply_line(&reply, *branch ? branch : "detached HEAD");
    (void)reply_text(&reply, first ? " (first commit) " : " ");
    (void)reply_id(&reply, git_commit_id(commit));
    (void)reply_text(&reply, "] ");
    (void)reply_line(&reply, summary ? summary : "");
    (void)reply_text(&reply, "\n");
    int error = first ? 0 : git_commit_parent(&parent, commit, 0);
    if (error == 0)
        error = git_commit_tree(&new, commit);
    if (error == 0 && parent)
        error = git_commit_tree(&old, parent);
    if (error == 0)
        error = git_diff_tree_to_tree(&diff, repo->git, old, new, &options);
    /* The commit is made: a list that cannot be had must not turn it into a failure. */
    if (error == 0 && diff_prepare(repo, diff) == TACKLE_OK)
        (void)diff_write_stat(repo, diff, &reply, MAX_LISTED);
    git_diff_free(diff);
    git_tree_free(old);
    git_tree_free(new);
    git_commit_free(parent);
    return TACKLE_OK;
}

static int32_t create(const struct repo *repo, const struct plan *p)
{
    git_oid id;
    git_commit *commit = NULL;
    /* libgit2 fails when HEAD has moved away from the first parent. */
    int error =
        git_commit_create(&id, repo->git, "HEAD", p->author, p->committer, NULL, p->message.ptr,
                          p->tree, p->parent_count, (const git_commit **)p->parents);
    if (error < 0)
        return repo_fail(repo->call, error, "the commit cannot be made");
    if (p->merging && git_repository_state_cleanup(repo->git) < 0)
        (void)tackle_writef(repo->call, "[.git/MERGE_HEAD could not be removed]\n");
    error = git_commit_lookup(&commit, repo->git, &id);
    if (error < 0)
        return repo_fail(repo->call, error, "committed, but the commit cannot be read");
    int32_t status = write_result(repo, commit);
    git_commit_free(commit);
    if (status == TACKLE_OK && p->made_up)
        (void)tackle_writef(repo->call,
                            "[committed as %.100s <%.100s>: .git/config has no "
                            "user.name and user.email]\n",
                            p->committer->name, p->committer->email);
    return status;
}

int32_t commit_call(void *self, tackle_call *call)
{
    struct repo repo;
    struct stage stage = {0};
    struct plan plan = {.message = GIT_BUF_INIT};
    (void)call->api->arg_bool(call, "all", &plan.all);
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    status = read_message(call, &plan);
    if (status == TACKLE_OK)
        status = read_people(&repo, &plan);
    if (status == TACKLE_OK)
        status = stage_init(&stage, &repo);
    if (status == TACKLE_OK)
        status = read_parents(&repo, &plan);
    if (status == TACKLE_OK)
        status = make_tree(&stage, &plan);
    if (status == TACKLE_OK)
        status = remember(&repo, &plan);
    if (status == TACKLE_OK)
        status = create(&repo, &plan);
    plan_release(&plan);
    stage_release(&stage);
    repo_close(&repo);
    return status;
}

/* Is HEAD the commit of the note, or still where the note began? */
static int32_t probe_head(const struct repo *repo, const char *note)
{
    char of_head[NOTE_BYTES], here[GIT_OID_HEXSZ + 1] = {0};
    git_commit *head;
    int32_t status = repo_head(repo, &head);
    if (status != TACKLE_OK)
        return status;
    git_oid none = {{0}};
    (void)git_oid_tostr(here, sizeof here, head ? git_commit_id(head) : &none);
    status = TACKLE_PROBE_UNKNOWN;
    if (strncmp(note, here, GIT_OID_HEXSZ) == 0) {
        status = TACKLE_PROBE_NOT_DONE;
    } else if (head &&
               make_note(of_head, git_commit_parent_id(head, 0), git_commit_tree_id(head),
                         git_commit_message(head), git_commit_author(head)) == 0 &&
               strcmp(note, of_head) == 0) {
        status = write_result(repo, head);
        status = status == TACKLE_OK ? TACKLE_PROBE_DONE : status;
    }
    git_commit_free(head);
    return status;
}

int32_t commit_probe(void *self, tackle_call *call)
{
    struct repo repo;
    const char *note = call->api->remembered(call, NULL);
    if (!note)
        return TACKLE_PROBE_NOT_DONE; /* the note is on disk before the commit is made */
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    status = probe_head(&repo, note);
    repo_close(&repo);
    return status;
}
