#include "program.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void setup_child(const struct program *p)
{
    if (chdir(p->dir) != 0 || setenv("FAKE_SCRIPT", "script", 1) != 0)
        _exit(99);
    if (p->set && putenv((char *)(uintptr_t)p->set) != 0)
        _exit(99);
    int in = open(p->input ? "input" : "/dev/null", O_RDONLY | O_CLOEXEC);
    int out = p->out_fd > 0 ? p->out_fd : open("out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int err = open("err", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(99);
}

pid_t program_start(struct program *p, const char *const *args)
{
    const char *argv[16] = {"tackle"};
    for (size_t i = 0; args[i]; i++) {
        assert_true(i + 2 < sizeof argv / sizeof *argv);
        argv[i + 1] = args[i];
    }
    p->dir = test_temp_dir();
    char *script = test_join(p->dir, "script"), *input = test_join(p->dir, "input");
    if (p->script)
        test_write_file(script, p->script, strlen(p->script));
    if (p->input)
        test_write_file(input, p->input, strlen(p->input));
    free(script);
    free(input);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setup_child(p);
        (void)execv(PROGRAM, (char *const *)(uintptr_t)argv);
        _exit(98);
    }
    return child;
}

void program_finish(struct program *p, pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    p->code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    char *out = test_join(p->dir, "out"), *err = test_join(p->dir, "err");
    p->out = test_read_file(out, NULL);
    p->err = test_read_file(err, NULL);
    free(out);
    free(err);
}

void program_run(struct program *p, const char *const *args)
{
    program_finish(p, program_start(p, args));
}

void program_release(struct program *p)
{
    test_remove_tree(p->dir);
    free(p->dir);
    free(p->out);
    free(p->err);
}

void assert_program(const struct program *p, int code, const char *out, const char *err)
{
    assert_string_equal(p->err, err);
    assert_string_equal(p->out, out);
    assert_int_equal(p->code, code);
}

char *program_show(struct program *p, const char *typed, const char *const *args)
{
    int master;
    char *text = NULL, block[4096];
    size_t len = 0;
    const char *argv[16] = {"tackle"};
    for (size_t i = 0; args[i]; i++)
        argv[i + 1] = args[i];
    p->dir = test_temp_dir();
    char *script = test_join(p->dir, "script");
    test_write_file(script, p->script, strlen(p->script));
    pid_t child = forkpty(&master, NULL, NULL, NULL);
    assert_true(child >= 0);
    if (child == 0) {
        if (setenv("FAKE_SCRIPT", script, 1) != 0 || setenv("TERM", "xterm", 1) != 0 ||
            setenv("LC_ALL", "C.UTF-8", 1) != 0 || unsetenv("CI") != 0)
            _exit(99);
        (void)execv(PROGRAM, (char *const *)(uintptr_t)argv);
        _exit(98);
    }
    if (typed)
        assert_int_equal(write(master, typed, strlen(typed)), strlen(typed));
    FILE *file = open_memstream(&text, &len);
    for (ssize_t n; (n = read(master, block, sizeof block)) > 0;)
        (void)fwrite(block, 1, (size_t)n, file);
    assert_int_equal(fclose(file), 0);
    (void)close(master);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    p->code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    free(script);
    return text;
}

int program_shell(const struct program *p, const char *command)
{
    pid_t child = fork();
    int status;
    if (child == 0) {
        if (chdir(p->dir) == 0)
            (void)execl("/bin/bash", "bash", "-c", command, (char *)NULL);
        _exit(97);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void program_clean_environment(void)
{
    static const char *const unset[] = {"GITHUB_ACTIONS", "TF_BUILD",       "GITLAB_CI",
                                        "NO_COLOR",       "FORCE_COLOR",    "CLICOLOR_FORCE",
                                        "FAKE_KEY",       "TACKLE_DATA_DIR"};
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        (void)unsetenv(unset[i]);
    (void)setenv("LC_ALL", "C", 1);
}
