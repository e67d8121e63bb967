/* tackle-host describe: what loads, and what exactly is said of what does not. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_support.h"

#define EXPECTED ABI_PLUGINS "/expected.txt"

struct described {
    json_t *info; /* NULL when it printed no JSON */
    int status;   /* as of waitpid() */
};

static struct described describe(const char *path)
{
    struct described out = {NULL, -1};
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(fds[1], STDOUT_FILENO);
        (void)execl(HOST_PROGRAM, HOST_PROGRAM, "describe", path, (char *)NULL);
        _exit(127);
    }
    (void)close(fds[1]);
    FILE *file = fdopen(fds[0], "r");
    assert_non_null(file);
    out.info = json_loadf(file, 0, NULL);
    (void)fclose(file);
    assert_int_equal(waitpid(pid, &out.status, 0), pid);
    return out;
}

static char *plugin_path(const char *name)
{
    char file[128];
    (void)snprintf(file, sizeof file, "%s.so", name);
    return test_join(ABI_PLUGINS, file);
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "(none)";
}

/* ---- Plugins that load ---- */

static json_t *good(const char *name)
{
    char *path = plugin_path(name);
    struct described got = describe(path);
    assert_true(WIFEXITED(got.status));
    assert_int_equal(WEXITSTATUS(got.status), 0);
    assert_string_equal(text(got.info, "path"), path);
    free(path);
    return got.info;
}

static void a_plugin_of_1_0_loads(void **state)
{
    static const char expected[] =
        "{\"name\":\"good_1_0\",\"version\":\"1.0\",\"description\":\"All of ABI "
        "1.0.\",\"abi\":\"1.0\","
        "\"needs\":[\"log/1\",\"config/1\",\"workspace/1\",\"http/1\",\"process/1\"],\"options\":["
        "{\"name\":\"api\",\"type\":\"url\",\"secret\":false,\"default\":\"http://example.org/\","
        "\"help\":\"Where to ask.\"},"
        "{\"name\":\"count\",\"type\":\"int\",\"secret\":false,\"default\":\"3\",\"help\":\"\"},"
        "{\"name\":\"flag\",\"type\":\"bool\",\"secret\":true,\"default\":null,\"help\":\"\"}],"
        "\"tools\":[{\"name\":\"all_of_1_0\",\"description\":\"Uses every function of a call.\","
        "\"params\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}}},"
        "\"does\":[],\"parallel\":true,\"effect\":\"probe\",\"hosts\":[]},"
        "{\"name\":\"services\",\"description\":\"Uses every service.\",\"params\":null,"
        "\"does\":[\"reads\",\"writes\",\"runs\",\"network\"],\"parallel\":false,"
        "\"effect\":\"never\",\"hosts\":[\"example.org\",\"$api\"]}]}";
    struct stat st;
    char *path = plugin_path("good_1_0");
    json_t *info = good("good_1_0");
    json_t *file = json_object_get(info, "file");
    (void)state;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(json_integer_value(json_object_get(file, "ino")), st.st_ino);
    assert_int_equal(json_integer_value(json_object_get(file, "dev")), st.st_dev);
    assert_int_equal(json_integer_value(json_object_get(file, "size")), st.st_size);
    assert_int_equal(json_integer_value(json_object_get(file, "mtime_ns")),
                     st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec);
    (void)json_object_del(info, "file");
    (void)json_object_del(info, "path");
    char *printed = json_dumps(info, JSON_COMPACT);
    assert_string_equal(printed, expected);
    free(printed);
    free(path);
    json_decref(info);
}

static void a_newer_plugin_loads(void **state)
{
    json_t *info = good("newer");
    const json_t *tools = json_object_get(info, "tools");
    (void)state;
    assert_string_equal(text(info, "abi"), "1.9");
    assert_int_equal(json_array_size(tools), 2);
    assert_string_equal(text(json_array_get(tools, 1), "name"), "second");
    assert_string_equal(text(json_array_get(tools, 1), "effect"), "safe");
    assert_string_equal(text(json_array_get(json_object_get(info, "options"), 0), "default"),
                        "value");
    json_decref(info);
}

static void a_constructor_may_print(void **state)
{
    json_t *info = good("loud");
    (void)state;
    assert_string_equal(text(info, "name"), "bad");
    json_decref(info);
}

static void a_link_to_a_plugin_loads(void **state)
{
    char *dir = test_temp_dir(), *link = test_join(dir, "link.so"), *path = plugin_path("newer");
    (void)state;
    assert_int_equal(symlink(path, link), 0);
    struct described got = describe(link);
    assert_string_equal(text(got.info, "name"), "newer");
    json_decref(got.info);
    test_remove_tree(dir);
    free(dir);
    free(link);
    free(path);
}

/* ---- Plugins that do not ---- */

/* All problems as lines "what; fix". */
static char *problems(const char *path)
{
    char lines[8192] = "";
    size_t used = 0, i;
    json_t *problem;
    struct described got = describe(path);
    assert_true(WIFEXITED(got.status));
    assert_int_equal(WEXITSTATUS(got.status), 3);
    json_array_foreach(json_object_get(got.info, "problems"), i, problem)
    {
        int len = snprintf(lines + used, sizeof lines - used, "%s; %s\n", text(problem, "what"),
                           text(problem, "fix"));
        assert_true(len > 0 && (size_t)len < sizeof lines - used);
        used += (size_t)len;
    }
    json_decref(got.info);
    return strdup(lines);
}

static void expect(const char *path, const char *lines)
{
    char *got = problems(path);
    assert_string_equal(got, lines);
    free(got);
}

/* expected.txt: the name of a file in bad/ without ".c", and below it, indented, what is said. */
static void each_bad_plugin_is_told_why(void **state)
{
    char *all = test_read_file(EXPECTED, NULL);
    unsigned count = 0;
    (void)state;
    assert_non_null(all);
    for (char *at = all; *at;) {
        size_t len = strcspn(at, "\n");
        char name[64], lines[8192] = "", library[80];
        (void)snprintf(name, sizeof name, "%.*s", (int)len, at);
        at += len + 1;
        while (strncmp(at, "    ", 4) == 0) {
            len = strcspn(at, "\n") + 1;
            (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%.*s",
                           (int)(len - 4), at + 4);
            at += len;
        }
        (void)snprintf(library, sizeof library, "bad_%s", name);
        char *path = plugin_path(library);
        char *got = problems(path);
        if (strcmp(got, lines) != 0)
            fail_msg("%s is told:\n%snot:\n%s", name, got, lines);
        free(got);
        free(path);
        count++;
    }
    assert_true(count > 40);
    free(all);
}

static void files_that_are_no_plugins_are_told_apart(void **state)
{
    char *dir = test_temp_dir(), *path = test_join(dir, "x.so"), *good_path = plugin_path("newer");
    static const char fix[] = "build it with: cc -shared -fPIC -o NAME.so NAME.c\n";
    char lines[512];
    size_t len;
    (void)state;
    expect(path, "cannot be opened: No such file or directory; check the path\n");
    expect(dir, "is a directory, not a plugin; name the .so file in it\n");

    assert_int_equal(mkfifo(path, 0600), 0);
    (void)snprintf(lines, sizeof lines, "is not a regular file; %s", fix);
    expect(path, lines);
    assert_int_equal(unlink(path), 0);

    test_write_file(path, "#include <tackle/plugin.h>\n", 27);
    (void)snprintf(lines, sizeof lines, "cannot be loaded: file too short; %s", fix);
    expect(path, lines);
    char page[4096];
    memset(page, '#', sizeof page);
    test_write_file(path, page, sizeof page);
    (void)snprintf(lines, sizeof lines, "cannot be loaded: invalid ELF header; %s", fix);
    expect(path, lines);

    char *bytes = test_read_file(good_path, &len);
    assert_non_null(bytes);
    bytes[18] = 0x28; /* e_machine: ARM */
    test_write_file(path, bytes, len);
    char *got = problems(path);
    assert_non_null(strstr(got, "cannot be loaded: "));
    free(got);
    free(bytes);
    test_remove_tree(dir);
    free(dir);
    free(path);
    free(good_path);
}

static void files_that_others_can_change_are_refused(void **state)
{
    char *dir = test_temp_dir(), *path = test_join(dir, "x.so"), *good_path = plugin_path("newer");
    char lines[512];
    size_t len;
    char *bytes = test_read_file(good_path, &len);
    (void)state;
    assert_non_null(bytes);
    test_write_file(path, bytes, len);
    assert_int_equal(chmod(path, 0666), 0);
    expect(path, "can be changed by other users (mode 0666); chmod go-w the file\n");

    /* Writable by a group: fine only while that is the owner's private group. */
    assert_int_equal(chmod(path, 0664), 0);
    if (chown(path, (uid_t)-1, getuid()) == 0 && chmod(path, 0664) == 0) {
        struct described got = describe(path);
        assert_string_equal(text(got.info, "name"), "newer");
        json_decref(got.info);
    }
    if (getuid() == 0) {
        assert_int_equal(chown(path, 0, 100), 0);
        expect(path, "can be changed by other users (mode 0664); chmod go-w the file\n");
        assert_int_equal(chown(path, 12345, 12345), 0);
        expect(path, "belongs to another user (uid 12345); copy it to a file of your own\n");
        assert_int_equal(chown(path, 0, 0), 0);
    }
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    (void)snprintf(lines, sizeof lines,
                   "lies in %s/, where every user can replace it (mode 0777); chmod o-w the "
                   "folder, or move the plugin\n",
                   dir);
    expect(path, lines);
    assert_int_equal(chmod(dir, 01777), 0);
    struct described got = describe(path);
    assert_string_equal(text(got.info, "name"), "newer");
    json_decref(got.info);
    free(bytes);
    test_remove_tree(dir);
    free(dir);
    free(path);
    free(good_path);
}

static int run_host(const char *first, const char *second)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int fd = 3; fd < 10; fd++)
            (void)close(fd);
        (void)execl(HOST_PROGRAM, HOST_PROGRAM, first, second, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void wrong_use_of_the_program_is_told(void **state)
{
    (void)state;
    assert_int_equal(run_host(NULL, NULL), 2);
    assert_int_equal(run_host("describe", NULL), 2);
    assert_int_equal(run_host("dance", "x.so"), 2);
    assert_int_equal(run_host("--version", NULL), 0);
    assert_int_equal(run_host("serve", "x.so"), 70); /* by hand, without a link */
}

static void a_constructor_that_aborts_ends_describe(void **state)
{
    char *path = plugin_path("aborting");
    struct described got = describe(path);
    (void)state;
    assert_null(got.info);
    assert_true(WIFSIGNALED(got.status));
    assert_int_equal(WTERMSIG(got.status), SIGABRT);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_of_1_0_loads),
        cmocka_unit_test(a_newer_plugin_loads),
        cmocka_unit_test(a_constructor_may_print),
        cmocka_unit_test(a_link_to_a_plugin_loads),
        cmocka_unit_test(each_bad_plugin_is_told_why),
        cmocka_unit_test(files_that_are_no_plugins_are_told_apart),
        cmocka_unit_test(files_that_others_can_change_are_refused),
        cmocka_unit_test(a_constructor_that_aborts_ends_describe),
        cmocka_unit_test(wrong_use_of_the_program_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
