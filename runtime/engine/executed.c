#include "engine/executed.h"

#include <stddef.h>
#include <string.h>

struct rule {
    const char *name; /* a whole name; "*.x": names that end so */
    const char *by;
};

/* The file itself, at any depth. */
static const struct rule files[] = {{".gitmodules", "git"},
                                    {".pre-commit-config.yaml", "git"},
                                    {".gitlab-ci.yml", "CI"},
                                    {".travis.yml", "CI"},
                                    {".drone.yml", "CI"},
                                    {"Jenkinsfile", "CI"},
                                    {"azure-pipelines.yml", "CI"},
                                    {"bitbucket-pipelines.yml", "CI"},
                                    {"Makefile", "builds and tests"},
                                    {"makefile", "builds and tests"},
                                    {"GNUmakefile", "builds and tests"},
                                    {"*.mk", "builds and tests"},
                                    {"CMakeLists.txt", "builds and tests"},
                                    {"meson.build", "builds and tests"},
                                    {"configure", "builds and tests"},
                                    {"justfile", "builds and tests"},
                                    {"Justfile", "builds and tests"},
                                    {"Taskfile.yml", "builds and tests"},
                                    {"Dockerfile", "builds and tests"},
                                    {"package.json", "builds and tests"},
                                    {".npmrc", "builds and tests"},
                                    {"build.rs", "builds and tests"},
                                    {"build.gradle", "builds and tests"},
                                    {"build.gradle.kts", "builds and tests"},
                                    {"gradlew", "builds and tests"},
                                    {"pom.xml", "builds and tests"},
                                    {"setup.py", "builds and tests"},
                                    {"pyproject.toml", "builds and tests"},
                                    {"conftest.py", "builds and tests"},
                                    {"noxfile.py", "builds and tests"},
                                    {"tox.ini", "builds and tests"},
                                    {"sitecustomize.py", "builds and tests"},
                                    {"*.pth", "builds and tests"},
                                    {"Rakefile", "builds and tests"},
                                    {"Gemfile", "builds and tests"},
                                    {".envrc", "shells"},
                                    {"AGENTS.md", "agents"},
                                    {"CLAUDE.md", "agents"},
                                    {"GEMINI.md", "agents"},
                                    {".cursorrules", "agents"},
                                    {".mcp.json", "agents"}};

/* All that is in such a folder, at any depth. */
static const struct rule folders[] = {{".husky", "git"},
                                      {".githooks", "git"},
                                      {".circleci", "CI"},
                                      {".buildkite", "CI"},
                                      {".vscode", "editors"},
                                      {".idea", "editors"},
                                      {".cargo", "builds and tests"},
                                      {".tackle", "agents"},
                                      {".claude", "agents"},
                                      {".cursor", "agents"},
                                      {".agents", "agents"}};

/* In two folders, one in the other. */
static const struct {
    const char *outer, *inner, *by;
} pairs[] = {{".git", "hooks", "git"},
             {".git", "modules", "git"},
             {".github", "workflows", "CI"},
             {".github", "actions", "CI"}};

static bool is_name(const char *part, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(part, name, len) == 0;
}

static bool fits(const char *last, const char *name)
{
    size_t len = strlen(last), tail = strlen(name) - 1;
    if (*name != '*')
        return strcmp(last, name) == 0;
    return len > tail && strcmp(last + len - tail, name + 1) == 0;
}

/* A folder on the way, which `part` names; `next` is what follows it. */
static const char *by_folder(const char *part, size_t len, const char *next)
{
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (is_name(part, len, folders[i].name))
            return folders[i].by;
    size_t next_len = strcspn(next, "/");
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (next[next_len] && is_name(part, len, pairs[i].outer) &&
            is_name(next, next_len, pairs[i].inner))
            return pairs[i].by;
    if (is_name(part, len, ".git") &&
        (strcmp(next, "config") == 0 || strcmp(next, "config.worktree") == 0 ||
         strcmp(next, "info/attributes") == 0))
        return "git";
    return NULL;
}

const char *executed_by(const char *path)
{
    const char *last = path;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(last, '/')) {
        const char *by = by_folder(last, (size_t)(slash - last), slash + 1);
        if (by)
            return by;
        last = slash + 1;
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (fits(last, files[i].name))
            return files[i].by;
    return NULL;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool executed_is_instructions(const char *path)
{
    return strcmp(last_part(path), "AGENTS.md") == 0;
}

bool executed_may_be_below(const char *folder)
{
    static const char *const of_git[] = {"objects", "refs", "logs", "lfs", "worktrees"};
    const char *last = last_part(folder);
    size_t above = (size_t)(last - folder);
    bool in_git = above == 5 ? strncmp(folder, ".git/", 5) == 0
                             : above > 5 && strncmp(last - 6, "/.git/", 6) == 0;
    for (size_t i = 0; in_git && i < sizeof of_git / sizeof *of_git; i++)
        if (strcmp(last, of_git[i]) == 0)
            return false;
    return strcmp(last, "node_modules") != 0 && strcmp(last, ".venv") != 0;
}
