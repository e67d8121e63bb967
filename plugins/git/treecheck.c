/* Trees that must not be checked out; see treecheck.h. */
#include "treecheck.h"

#include <string.h>
#include <strings.h>

#include "base/enforce.h"

#define MAX_DEPTH   128
#define MAX_ENTRIES 1000000

struct check {
    const struct repo *repo;
    size_t entries;
};

/* Names that some file system takes for .git: any case, the short name of FAT, trailing dots and
 * spaces, a stream of NTFS. libgit2 knows the invisible characters of HFS+. */
static bool stands_for_git(const char *name)
{
    size_t len = 0;
    if (strncasecmp(name, ".git", 4) == 0)
        len = 4;
    else if (strncasecmp(name, "git~1", 5) == 0)
        len = 5;
    if (len == 0)
        return false;
    name += len;
    name += strspn(name, " .");
    return *name == '\0' || *name == ':';
}

static const char *fault_of_name(const char *name)
{
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "is no file name";
    if (strchr(name, '/'))
        return "has a slash";
    return ENFORCED(git_tree_names) && stands_for_git(name) ? "stands for .git" : NULL;
}

/* A tree is sorted with "/" after the names of folders, so between a file and a folder of the same
 * name there are only names that begin with it. */
static bool is_double(const git_tree *tree, size_t i)
{
    const char *name = git_tree_entry_name(git_tree_entry_byindex(tree, i));
    size_t len = strlen(name);
    while (i-- > 0) {
        const char *before = git_tree_entry_name(git_tree_entry_byindex(tree, i));
        if (strncmp(before, name, len) != 0)
            return false;
        if (before[len] == '\0')
            return true;
    }
    return false;
}

static int32_t check_tree(struct check *c, const git_tree *tree, int depth);

static int32_t check_below(struct check *c, const git_tree_entry *entry, int depth)
{
    git_tree *tree = NULL;
    int error = git_tree_lookup(&tree, c->repo->git, git_tree_entry_id(entry));
    if (error < 0)
        return repo_fail(c->repo->call, error, "a folder of the commit cannot be read");
    int32_t status = check_tree(c, tree, depth + 1);
    git_tree_free(tree);
    return status;
}

static int32_t check_tree(struct check *c, const git_tree *tree, int depth)
{
    size_t count = git_tree_entrycount(tree);
    int32_t status = repo_may_go_on(c->repo->call);
    c->entries += count;
    if (status == TACKLE_OK && (depth > MAX_DEPTH || c->entries > MAX_ENTRIES))
        status = tackle_failf(c->repo->call, TACKLE_E_LIMIT,
                              "refused: the commit has more than %d files or folders nested "
                              "deeper than %d",
                              MAX_ENTRIES, MAX_DEPTH);
    for (size_t i = 0; status == TACKLE_OK && i < count; i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        const char *name = git_tree_entry_name(entry), *fault = fault_of_name(name);
        if (!fault && is_double(tree, i))
            fault = "is there twice";
        if (fault)
            status = tackle_failf(c->repo->call, TACKLE_E_DENIED,
                                  "refused: the commit holds a dangerous name, '%.200s' %s; "
                                  "nothing was changed",
                                  name, fault);
        else if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
            status = check_below(c, entry, depth);
    }
    return status;
}

int32_t treecheck(const struct repo *repo, const git_tree *tree)
{
    struct check c = {.repo = repo};
    return check_tree(&c, tree, 0);
}
