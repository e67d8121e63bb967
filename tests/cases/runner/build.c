/* Finds, and copies, what is tested; see build.h. */
#include "build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "endpoint/memory.h"
#include "place.h"

static char *join(const char *a, const char *b)
{
    struct buf path;
    buf_init(&path, 8192);
    put_format(&path, "%s/%s", a, b);
    return buf_take(&path);
}

void build_init(struct build *build, const char *bin)
{
    *build = (struct build){.bin = memory_text(bin ? bin : CASES_BIN_DIR),
                            .plugins = memory_text(CASES_PLUGIN_DIR),
                            .test_plugins = memory_text(CASES_TEST_PLUGIN_DIR),
                            .tools = memory_text(CASES_TOOL_DIR),
                            .agents = memory_text(CASES_AGENT_DIR),
                            .data = memory_text(CASES_DATA_DIR),
                            .host = memory_text(CASES_HOST_PROGRAM)};
}

void build_release(struct build *build)
{
    if (build->copies)
        place_remove_tree(build->copies);
    free(build->bin);
    free(build->plugins);
    free(build->test_plugins);
    free(build->tools);
    free(build->agents);
    free(build->data);
    free(build->host);
    free(build->copies);
    *build = (struct build){0};
}

int build_become_user(const struct build *build)
{
    if (build->user == 0)
        return 0;
    return setgroups(0, NULL) || setgid(build->user) || setuid(build->user) ? -1 : 0;
}

/* ---- Copies ---- */

/* Is all of it to be had by the user? Asked in a process that is that user. */
static bool is_readable(const struct build *build)
{
    const char *const paths[] = {build->bin, build->plugins, build->test_plugins, build->tools,
                                 build->agents};
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        bool good = build_become_user(build) == 0 && access(build->host, X_OK) == 0;
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
            good = good && access(paths[i], R_OK | X_OK) == 0;
        _exit(good ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static int copy_bytes(int from, int to)
{
    ssize_t got;
    char block[65536];
    while ((got = read(from, block, sizeof block)) > 0)
        for (ssize_t done = 0, n; done < got; done += n)
            if ((n = write(to, block + done, (size_t)(got - done))) < 0)
                return -1;
    return got < 0 ? -1 : 0;
}

static int copy_file(const char *from, const char *to, struct err *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, status = -1;
    struct stat st;
    if (in >= 0 && fstat(in, &st) == 0)
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out >= 0 && copy_bytes(in, out) == 0 && fchmod(out, st.st_mode & 0755) == 0)
        status = 0;
    if (status)
        (void)err_set(err, ERR_IO, "copy %s to %s: %s", from, to, strerror(errno));
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    return status;
}

static bool is_wanted(const char *name)
{
    const char *dot = strrchr(name, '.');
    return !dot || strcmp(dot, ".so") == 0 || strcmp(dot, ".md") == 0;
}

/* Copies the files of a folder, not those of its folders, to `copies`/name, which *dir becomes. */
static int copy_folder(char **dir, const char *copies, const char *name, struct err *err)
{
    char *to = join(copies, name);
    DIR *entries = opendir(*dir);
    int status = mkdir(to, 0755) ? err_set(err, ERR_IO, "%s: %s", to, strerror(errno)) : 0;
    for (struct dirent *entry; entries && status == 0 && (entry = readdir(entries));) {
        struct stat st;
        char *old = join(*dir, entry->d_name), *new = join(to, entry->d_name);
        if (is_wanted(entry->d_name) && stat(old, &st) == 0 && S_ISREG(st.st_mode))
            status = copy_file(old, new, err);
        free(old);
        free(new);
    }
    if (entries)
        (void)closedir(entries);
    free(*dir);
    *dir = to;
    return status;
}

static int copy_all(struct build *build, struct err *err)
{
    char template[] = "/tmp/tackle-build-XXXXXX";
    if (!mkdtemp(template))
        return err_set(err, ERR_IO, "%s: %s", template, strerror(errno));
    build->copies = memory_text(template);
    if (chmod(template, 0755) != 0)
        return err_set(err, ERR_IO, "%s: %s", template, strerror(errno));
    if (copy_folder(&build->bin, template, "bin", err) ||
        copy_folder(&build->plugins, template, "plugins", err) ||
        copy_folder(&build->test_plugins, template, "test_plugins", err) ||
        copy_folder(&build->tools, template, "tools", err) ||
        copy_folder(&build->agents, template, "agents", err))
        return -1;
    char *host = join(template, "tackle-host");
    int status = copy_file(build->host, host, err);
    free(build->host);
    build->host = host;
    return status;
}

int build_use_user(struct build *build, struct err *err)
{
    if (geteuid() != 0)
        return err_set(err, ERR_USAGE, "only root can run cases as another user");
    build->user = BUILD_USER;
    return is_readable(build) ? 0 : copy_all(build, err);
}
