/* Paths in a workspace: what can be reached, what cannot, and how files are replaced. The layout of
 * every test: W is the workspace, O beside it holds a secret. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/beneath.h"
#include "test_support.h"

static char *base, *workspace;
static char real[BENEATH_PATH_MAX];
static int root;

static void put(const char *path, const char *text)
{
    char *full = test_join(base, path);
    test_write_file(full, text, strlen(text));
    free(full);
}

static void make_link(const char *to, const char *path)
{
    char *full = test_join(workspace, path);
    assert_int_equal(symlink(to, full), 0);
    free(full);
}

static int set_up(void **state)
{
    struct err err;
    (void)state;
    base = test_temp_dir();
    workspace = test_join(base, "W");
    put("W/a.txt", "alpha");
    put("W/d/f", "deep");
    put("O/secret.txt", "CANARY");
    put("W-evil/secret.txt", "CANARY");
    root = beneath_open_root(workspace, real, &err);
    assert_true(root >= 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(close(root), 0);
    test_remove_tree(base);
    free(base);
    free(workspace);
    return 0;
}

/* ---- What a path comes to ---- */

/* The content of the file at `path`, as a tool would get it, or the error's text. */
static const char *look(const char *path)
{
    static char text[2048];
    char relative[BENEATH_PATH_MAX];
    struct err err;
    char *data;
    size_t len;
    if (beneath_relative(real, path, relative, &err) ||
        beneath_read(root, relative, 1000, &data, &len, &err)) {
        (void)snprintf(text, sizeof text, "%s", err.text);
        return text;
    }
    assert_int_equal(len, strlen(data));
    (void)snprintf(text, sizeof text, "%s", data);
    free(data);
    return text;
}

static void paths_become_relative(void **state)
{
    static const struct {
        const char *path, *relative;
        enum err_code code;
    } cases[] = {
        {"a", "a", 0},
        {".", ".", 0},
        {"./", ".", 0},
        {"a//./b/", "a/b", 0},
        {"a/../b", "a/../b", 0},
        {"..", "..", 0}, /* for the kernel to judge */
        {"/ws", ".", 0},
        {"/ws/", ".", 0},
        {"//ws/./a", "a", 0},
        {"/ws/a/b", "a/b", 0},
        {"~/x", "~/x", 0},
        {"$HOME", "$HOME", 0},
        {"   ", "   ", 0},
        {"file:///etc/passwd", "file:/etc/passwd", 0},
        {"/ws-evil/a", NULL, ERR_DENIED},
        {"/w", NULL, ERR_DENIED},
        {"/", NULL, ERR_DENIED},
        {"/etc/passwd", NULL, ERR_DENIED},
        {"", NULL, ERR_USAGE},
        {"a\nb", NULL, ERR_USAGE},
        {"a\x1b[2J", NULL, ERR_USAGE},
        {"a\x7f", NULL, ERR_USAGE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[BENEATH_PATH_MAX];
        struct err err = {0};
        int status = beneath_relative("/ws", cases[i].path, out, &err);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(status, cases[i].relative ? 0 : -1);
        if (cases[i].relative)
            assert_string_equal(out, cases[i].relative);
    }
    char out[BENEATH_PATH_MAX];
    assert_int_equal(beneath_relative("/", "/etc/passwd", out, NULL), 0);
    assert_string_equal(out, "etc/passwd");
}

static void long_paths_are_refused(void **state)
{
    char path[6000], out[BENEATH_PATH_MAX];
    struct err err;
    (void)state;
    memset(path, 'a', sizeof path);
    path[256] = '\0';
    assert_int_equal(beneath_relative("/ws", path, out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    path[255] = '\0';
    assert_int_equal(beneath_relative("/ws", path, out, &err), 0);
    for (size_t i = 0; i < sizeof path; i += 2)
        memcpy(path + i, "a/", 2);
    path[BENEATH_PATH_MAX] = '\0';
    assert_int_equal(beneath_relative("/ws", path, out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    path[BENEATH_PATH_MAX - 1] = '\0';
    assert_int_equal(beneath_relative("/ws", path, out, &err), 0);
}

static void git_and_tackle_are_protected(void **state)
{
    static const char *const yes[] = {".git",    ".git/config",         "a/.git/hooks/x", ".GIT/x",
                                      ".tackle", ".Tackle/config.yaml", "a/../.git"};
    static const char *const no[] = {".",   "a",       ".gitignore",   ".github/x",
                                     "git", "a.git/x", ".tackle.yaml", "x.tackle"};
    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(beneath_is_protected(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(beneath_is_protected(no[i]));
}

static void the_root_is_a_directory_without_links(void **state)
{
    char path[BENEATH_PATH_MAX];
    struct err err;
    char *link = test_join(base, "link");
    (void)state;
    assert_int_equal(symlink("W", link), 0);
    int fd = beneath_open_root(link, path, &err);
    assert_true(fd >= 0);
    assert_string_equal(path, real);
    (void)close(fd);
    free(link);
    assert_int_equal(beneath_open_root("/nowhere/at/all", path, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    char *file = test_join(workspace, "a.txt");
    assert_int_equal(beneath_open_root(file, path, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    free(file);
}

/* ---- Reading ---- */

static void what_is_inside_is_read(void **state)
{
    test_needs_openat2();
    char *absolute = test_join(real, "d/f");
    (void)state;
    make_link("d/f", "to_file");
    make_link("d", "to_dir");
    make_link("../a.txt", "d/up");
    make_link("a.txt", "one");
    make_link("one", "two");
    assert_string_equal(look("a.txt"), "alpha");
    assert_string_equal(look("d/../a.txt"), "alpha");
    assert_string_equal(look(absolute), "deep");
    assert_string_equal(look("to_file"), "deep");
    assert_string_equal(look("to_dir/f"), "deep");
    assert_string_equal(look("d/up"), "alpha");
    assert_string_equal(look("two"), "alpha");
    free(absolute);
}

static void what_is_outside_is_refused(void **state)
{
    test_needs_openat2();
    (void)state;
    char *absolute = test_join(base, "O/secret.txt");
    char *inside = test_join(real, "a.txt");
    make_link("../O", "d1");
    make_link(absolute, "l1");
    make_link("l1", "l2");
    make_link("l2", "l3");
    make_link(inside, "l4"); /* an absolute link, even to the inside */
    make_link("/proc/self/root", "p");
    make_link("/dev/zero", "zero");
    make_link("loop", "loop");
    static const char *const outside[] = {"../O/secret.txt",
                                          "d/../../O/secret.txt",
                                          "d1/secret.txt",
                                          "l1",
                                          "l2",
                                          "l3",
                                          "l4",
                                          "p/etc/passwd",
                                          "zero",
                                          ".."};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        char expected[256];
        (void)snprintf(expected, sizeof expected, "outside the workspace: %s", outside[i]);
        assert_string_equal(look(outside[i]), expected);
    }
    assert_string_equal(look("loop"), "goes through a link that cannot be followed here: loop");
    assert_non_null(strstr(look(absolute), "outside the workspace"));
    assert_non_null(strstr(look("/proc/self/environ"), "outside the workspace"));
    free(absolute);
    free(inside);
}

static void only_regular_files_are_opened(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *fifo = test_join(workspace, "fifo");
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)state;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%.90s/socket", workspace);
    assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof address), 0);
    assert_string_equal(look("fifo"), "a FIFO, not a file that can be read: fifo");
    assert_string_equal(look("socket"), "a socket, not a file that can be read: socket");
    assert_string_equal(look("d"), "a directory, not a file that can be read: d");
    assert_string_equal(look("none"), "no such file or directory: none");
    assert_string_equal(look("a.txt/b"), "not a directory, or a part of it is not: a.txt/b");
    if (getuid() == 0) {
        char *device = test_join(workspace, "device");
        if (mknod(device, S_IFCHR | 0666, 0x105) == 0) /* /dev/zero */
            assert_string_equal(look("device"), "a device, not a file that can be read: device");
        free(device);
    }
    (void)close(sock);
    free(fifo);
}

static void directories_are_opened(void **state)
{
    struct err err;
    (void)state;
    int fd = beneath_open_dir(root, "d", 0, &err);
    assert_true(fd >= 0);
    assert_int_equal(faccessat(fd, "f", R_OK, 0), 0);
    (void)close(fd);
    assert_int_equal(beneath_open_dir(root, "a.txt", 0, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(beneath_open_dir(root, "..", 0, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
}

static void large_files_are_not_read(void **state)
{
    char *data = NULL, *path = test_join(workspace, "big");
    size_t len;
    struct err err;
    (void)state;
    put("W/big", "");
    assert_int_equal(beneath_read(root, "big", 0, &data, &len, &err), 0);
    assert_int_equal(len, 0);
    assert_string_equal(data, "");
    free(data);
    assert_int_equal(beneath_read(root, "a.txt", 5, &data, &len, &err), 0);
    assert_string_equal(data, "alpha");
    free(data);
    assert_int_equal(beneath_read(root, "a.txt", 4, &data, &len, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "the file has 5 bytes, over the limit of 4: a.txt");
    assert_int_equal(truncate(path, (off_t)1 << 40), 0);
    assert_int_equal(beneath_read(root, "big", 1 << 20, &data, &len, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    free(path);
}

static void a_race_leads_nowhere(void **state)
{
    char *dir = test_join(workspace, "d"), *link = test_join(workspace, "l");
    (void)state;
    put("O/f", "CANARY");
    make_link("../O", "l");
    pid_t swapper = fork();
    assert_true(swapper >= 0);
    while (swapper == 0)
        (void)syscall(SYS_renameat2, AT_FDCWD, dir, AT_FDCWD, link, 2 /* RENAME_EXCHANGE */);
    for (int i = 0; i < 3000; i++) {
        assert_string_not_equal(look("d/f"), "CANARY");
        (void)beneath_replace(root, "d/f", "new", 3, 0, NULL, NULL);
    }
    (void)kill(swapper, SIGKILL);
    assert_int_equal(waitpid(swapper, NULL, 0), swapper);
    char *outside = test_join(base, "O/f");
    char *text = test_read_file(outside, NULL);
    assert_string_equal(text, "CANARY");
    free(text);
    free(outside);
    free(dir);
    free(link);
}

/* ---- Writing ---- */

/* "" when it worked, or the error's text. */
static const char *write_to(const char *path, const char *text, unsigned flags)
{
    static struct err err;
    char relative[BENEATH_PATH_MAX];
    if (beneath_relative(real, path, relative, &err) ||
        beneath_replace(root, relative, text, strlen(text), flags, NULL, &err))
        return err.text;
    return "";
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st.st_mode;
}

static size_t count_entries(const char *relative)
{
    size_t count = 0;
    DIR *dir = fdopendir(beneath_open_dir(root, relative, 0, NULL));
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count - 2;
}

static void files_are_made_and_replaced(void **state)
{
    bool created = false;
    mode_t mask = umask(027);
    (void)state;
    assert_int_equal(beneath_replace(root, "new", "1", 1, 0, &created, NULL), 0);
    assert_true(created);
    assert_int_equal(mode_of("new") & 07777, 0640);
    assert_int_equal(beneath_replace(root, "new", "two", 3, 0, &created, NULL), 0);
    assert_false(created);
    assert_string_equal(look("new"), "two");
    assert_int_equal(beneath_replace(root, "new", NULL, 0, 0, NULL, NULL), 0);
    assert_string_equal(look("new"), "");
    assert_int_equal(count_entries("."), 3);
    (void)umask(mask);
}

static void mode_owner_and_attributes_are_kept(void **state)
{
    struct stat st;
    char value[8] = "";
    char *path = test_join(workspace, "a.txt");
    (void)state;
    assert_int_equal(chmod(path, 06755), 0);
    assert_string_equal(write_to("a.txt", "beta", 0), "");
    assert_int_equal(mode_of("a.txt") & 07777, 0755);
    assert_int_equal(chmod(path, 0600), 0);
    bool has_attributes = setxattr(path, "user.test", "kept", 4, 0) == 0;
    if (getuid() == 0)
        assert_int_equal(chown(path, 1234, 2345), 0);
    assert_string_equal(write_to("a.txt", "gamma", 0), "");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    if (getuid() == 0) {
        assert_int_equal(st.st_uid, 1234);
        assert_int_equal(st.st_gid, 2345);
    }
    if (has_attributes) {
        assert_int_equal(getxattr(path, "user.test", value, sizeof value), 4);
        assert_string_equal(value, "kept");
    }
    free(path);
}

static void links_inside_are_written_through(void **state)
{
    test_needs_openat2();
    char *hard = test_join(workspace, "hard"), *secret = test_join(base, "O/secret.txt");
    (void)state;
    make_link("d/f", "l");
    make_link("../d/new", "d/dangling");
    assert_string_equal(write_to("l", "through", 0), "");
    assert_string_equal(look("d/f"), "through");
    assert_true(S_ISLNK(mode_of("l")));
    assert_string_equal(write_to("d/dangling", "made", BENEATH_NEW), "");
    assert_string_equal(look("d/new"), "made");
    /* A hard link is broken: what has the other name stays what it was. */
    assert_int_equal(link(secret, hard), 0);
    assert_string_equal(write_to("hard", "own", 0), "");
    char *text = test_read_file(secret, NULL);
    assert_string_equal(text, "CANARY");
    free(text);
    free(hard);
    free(secret);
}

static void nothing_outside_is_written(void **state)
{
    test_needs_openat2();
    char *made = test_join(base, "O/made"), *absolute = test_join(base, "O/made");
    (void)state;
    make_link(absolute, "l1");
    make_link("../O/made", "l2");
    make_link("../O", "out");
    make_link("l2", "l3");
    make_link("loop", "loop");
    assert_string_equal(write_to("../O/made", "x", 0), "outside the workspace: ../O/made");
    assert_string_equal(write_to("l1", "x", 0), "outside the workspace: l1");
    assert_string_equal(write_to("l2", "x", 0), "outside the workspace: l2");
    assert_string_equal(write_to("l3", "x", BENEATH_NEW), "outside the workspace: l3");
    assert_string_equal(write_to("out/made", "x", 0), "outside the workspace: out/made");
    assert_string_equal(write_to("out/a/made", "x", BENEATH_PARENTS),
                        "outside the workspace: out/a/made");
    assert_string_equal(write_to("loop", "x", 0),
                        "goes through a link that cannot be followed here: loop");
    assert_int_equal(access(made, F_OK), -1);
    free(made);
    free(absolute);
}

static void only_files_are_replaced(void **state)
{
    char *fifo = test_join(workspace, "fifo");
    (void)state;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_string_equal(write_to("fifo", "x", 0), "a FIFO, not a file that can be written: fifo");
    assert_string_equal(write_to("d", "x", 0), "a directory, not a file that can be written: d");
    assert_string_equal(write_to(".", "x", 0), "a directory, not a file that can be written: .");
    assert_string_equal(write_to("d/..", "x", 0),
                        "a directory, not a file that can be written: d/..");
    assert_string_equal(write_to("no/x", "x", 0), "no such file or directory: no/x");
    assert_string_equal(write_to("a.txt/x", "x", BENEATH_PARENTS),
                        "not a directory, or a part of it is not: a.txt/x");
    assert_string_equal(write_to("a.txt", "x", BENEATH_NEW), "the file exists already: a.txt");
    assert_string_equal(look("a.txt"), "alpha");
    assert_int_equal(count_entries("."), 3);
    free(fifo);
}

static void directories_are_made_on_the_way(void **state)
{
    (void)state;
    assert_string_equal(write_to("x/y/z/f", "deep", BENEATH_PARENTS), "");
    assert_string_equal(look("x/y/z/f"), "deep");
    assert_string_equal(write_to("x/y/z/g", "deep", BENEATH_PARENTS | BENEATH_NEW), "");
    assert_string_equal(write_to("q/../r/f", "x", BENEATH_PARENTS),
                        "no such file or directory: q/../r/f");
    assert_string_equal(look("q"), "no such file or directory: q");
}

static void protected_files_are_never_written(void **state)
{
    test_needs_openat2();
    static const char *const paths[] = {".git/config",  ".tackle/x", "d/.git/x", ".GIT/hooks/x",
                                        "l/config",     "l/new/x",   "c",        "up/../.git/x",
                                        "d/../.git/new"};
    (void)state;
    put("W/.git/config", "[core]");
    make_link(".git", "l");
    make_link("l/config", "c");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char expected[256];
        (void)snprintf(expected, sizeof expected,
                       "files under .git and .tackle are never written: %s", paths[i]);
        assert_string_equal(write_to(paths[i], "x", BENEATH_PARENTS), expected);
    }
    assert_string_equal(look(".git/config"), "[core]");
    assert_int_equal(count_entries(".git"), 1);
    assert_string_equal(write_to(".gitignore", "x", 0), "");
}

static void a_file_that_may_not_be_written_stays(void **state)
{
    char *path = test_join(workspace, "a.txt");
    (void)state;
    assert_int_equal(chmod(path, 0444), 0);
    const char *said = write_to("a.txt", "x", 0);
    if (getuid() == 0) /* who may write anything */
        assert_string_equal(said, "");
    else
        assert_string_equal(said, "Permission denied: a.txt");
    assert_int_equal(mode_of("a.txt") & 07777, 0444);
    free(path);
}

static void a_workspace_that_is_gone_is_missed(void **state)
{
    struct err err;
    (void)state;
    test_remove_tree(workspace);
    assert_string_equal(look("a.txt"), "the workspace was removed, and with it: a.txt");
    assert_int_equal(beneath_replace(root, "a.txt", "x", 1, BENEATH_PARENTS, NULL, &err), -1);
}

/* ---- Older kernels and other file systems ---- */

#define REFUSE(error)       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((error)&SECCOMP_RET_DATA))
#define LOAD(field)         BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))

/* From here on this process has no openat2 and no O_TMPFILE. */
static void become_old(void)
{
    struct sock_filter code[] = {
        LOAD(nr),
        UNLESS(SYS_openat2, 1),
        REFUSE(ENOSYS),
        UNLESS(SYS_openat, 4),
        LOAD(args[2]),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, O_TMPFILE & ~O_DIRECTORY),
        UNLESS(O_TMPFILE & ~O_DIRECTORY, 1),
        REFUSE(EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof code / sizeof code[0], code};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
    assert_int_equal(syscall(SYS_openat2, root, ".", NULL, 0), -1);
    assert_int_equal(errno, ENOSYS);
    assert_int_equal(openat(root, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600), -1);
    assert_int_equal(errno, EOPNOTSUPP);
}

static void check_the_old_way(void)
{
    become_old();
    assert_string_equal(look("a.txt"), "alpha");
    assert_string_equal(look("d/f"), "deep");
    assert_string_equal(look("in"), "goes through a link that cannot be followed here: in");
    assert_string_equal(look("out/secret.txt"),
                        "goes through a link that cannot be followed here: out/secret.txt");
    assert_string_equal(look("../O/secret.txt"), "outside the workspace: ../O/secret.txt");
    assert_string_equal(look("a.txt/x"), "not a directory, or a part of it is not: a.txt/x");
    assert_string_equal(look("none/x"), "no such file or directory: none/x");
    assert_string_equal(write_to("a.txt", "beta", 0), "");
    assert_string_equal(write_to("new", "one", BENEATH_NEW), "");
    assert_string_equal(write_to("new", "two", BENEATH_NEW), "the file exists already: new");
    assert_string_equal(write_to("x/y", "deep", BENEATH_PARENTS), "");
    assert_string_equal(look("a.txt"), "beta");
    assert_string_equal(look("new"), "one");
    assert_string_equal(write_to("out/made", "x", 0),
                        "goes through a link that cannot be followed here: out/made");
    assert_int_equal(count_entries("."), 6); /* a.txt d in new out x */
}

static void it_works_without_openat2_and_tmpfile(void **state)
{
    int status;
    (void)state;
    make_link("a.txt", "in");
    make_link("../O", "out");
    pid_t pid = fork(); /* what become_old() does cannot be undone */
    assert_true(pid >= 0);
    if (pid == 0) {
        check_the_old_way();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_become_relative),
        cmocka_unit_test(long_paths_are_refused),
        cmocka_unit_test(git_and_tackle_are_protected),
        TEST(the_root_is_a_directory_without_links),
        TEST(what_is_inside_is_read),
        TEST(what_is_outside_is_refused),
        TEST(only_regular_files_are_opened),
        TEST(directories_are_opened),
        TEST(large_files_are_not_read),
        TEST(a_race_leads_nowhere),
        TEST(files_are_made_and_replaced),
        TEST(mode_owner_and_attributes_are_kept),
        TEST(links_inside_are_written_through),
        TEST(nothing_outside_is_written),
        TEST(only_files_are_replaced),
        TEST(directories_are_made_on_the_way),
        TEST(protected_files_are_never_written),
        TEST(a_file_that_may_not_be_written_stays),
        TEST(a_workspace_that_is_gone_is_missed),
        TEST(it_works_without_openat2_and_tmpfile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
