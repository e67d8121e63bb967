/* The commands beside run and chat: output, exit code, and whether what they print works. */
#include "program.h"

#include <string.h>

/* ---- The other commands ---- */

static void commands_end_as_they_should(void **state)
{
    static const struct {
        const char *args[6];
        int code;
        const char *in_out, *in_err;
    } cases[] = {
        {{NULL}, 2, "", "tackle demo"},
        {{"--help"}, 0, "Commands:", ""},
        {{"help", "run"}, 0, "--max-steps N", ""},
        {{"run", "--help"}, 0, "--[no-]stream", ""},
        {{"help", "rum"}, 2, "", "did you mean 'run'?"},
        {{"help", "man"}, 0, "tackle man", ""},
        {{"version"}, 0, "tackle 0.1.0 (plugin ABI 1.", ""},
        {{"--version"}, 0, "tackle 0.1.0", ""},
        {{"version", "--json"}, 0, "\"version\":\"0.1.0\"", ""},
        {{"tools"}, 0, "read_file   file    reads         yes\n", ""},
        {{"tools", "ls", "--output-format", "json"}, 0, "[{\"name\":\"write_file\"", ""},
        {{"tools", "show", "read_file"}, 0, "effect       safe", ""},
        {{"tools", "show", "red_file"}, 2, "", "did you mean 'read_file'?"},
        {{"tools", "call", "x", "{}"}, 0, "did\x1b[2J it\n", ""},
        {{"tools", "call", "x", "{\"fail\":1}"}, 6, "", "tackle: no such file\n"},
        {{"tools", "call", "x", "{"}, 2, "", "no JSON object"},
        {{"tools", "call"}, 2, "", "write: tackle tools call NAME"},
        {{"tools", "cal"}, 2, "", "did you mean 'tackle tools call'?"},
        {{"policy", "check", "--", "git", "log"}, 0, "decision     allow", ""},
        {{"policy", "check", "ask", "{}"}, 8, "because      w", ""},
        {{"policy", "check", "--", "git", "push"}, 7, "because      --allow x", ""},
        {{"policy", "check", "x", "{}", "--json"}, 7, "\"decision\":\"deny\"", ""},
        {{"policy", "check", "git", "log", "x"}, 2, "", "tackle policy check -- COMMAND"},
        {{"policy"}, 2, "", "check, show or lint"},
        {{"policy", "show"}, 0, "run_command(curl)", ""},
        {{"policy", "lint"}, 3, "it runs any command", ""},
        {{"plugins"}, 0, "read_file write_file", ""},
        {{"plugins", "info", "file"}, 0, "/p/file.so", ""},
        {{"plugins", "check", "./bad.so"}, 3, "no symbol", ""},
        {{"plugins", "check", "./good.so"}, 0, "small", ""},
        {{"plugins", "new", "../x"}, 2, "", "is no name for a plugin"},
        {{"agents"}, 0, "assistant  installed  Answers\n", ""},
        {{"agents", "show", "assistant"}, 0, "You help.", ""},
        {{"agents", "check", "nobody"}, 3, "", "no such agent"},
        {{"runs"}, 0, "r1   2026-11-23 10:11  success  2      $0.5000  Go\\x1b[2J\n", ""},
        {{"runs", "show", "r1"}, 0, "user", ""},
        {{"runs", "show", "r2"}, 13, "", "no such run"},
        {{"runs", "verify", "r1"}, 13, "record 4 is damaged", ""},
        {{"runs", "rm", "r1"}, 0, "removed", ""},
        {{"runs", "rm", "r2"}, 13, "", "no such run"},
        {{"models"}, 0, "default   m      not set (TACKLE_API_KEY)", ""},
        {{"models"}, 0, "PROVIDER", "tackle models PROVIDER\n"},
        {{"models", "ollama"}, 0, "qwen3\n", ""},
        {{"models", "-m", "empty/"}, 0, "", "no models"},
        {{"models", "--output-format", "json", "ollama"}, 0, "\"owned_by\":\"me\"", ""},
        {{"models", "olama"}, 2, "", "no such provider"},
        {{"models", "a", "b"}, 2, "", "one word too many"},
        {{"credits"}, 0, "12.5 credits at https://a\n", ""},
        {{"credits", "o"}, 0, "it says {\"plan\":\"free\"}\n", ""},
        {{"credits", "--output-format", "json"}, 0, "\"credits\":12.5", ""},
        {{"config", "show", "--origin", "--max-steps", "4"}, 0, "max_steps  4      flag\n", ""},
        {{"config", "--max-steps", "four"}, 2, "", "whole number"},
        {{"doctor"}, 3, "broken   endpoint       gone", ""},
        {{"doctor"}, 3, "to do: wait", ""},
        {{"doctor", "--offline"}, 0, "ok       key            is set", ""},
        {{"doctor", "--json", "--offline"}, 0, "\"name\":\"terminal\"", ""},
        {{"wire"}, 2, "", "write: tackle wire parse"},
        {{"wire", "parse"}, 2, "", "write: tackle wire parse"},
        {{"wire", "parse", "-"}, 0, "{\"len\":0,\"status\":0,\"chunk\":0,", ""},
        {{"wire", "parse", "/dev/null", "--status", "404"}, 0, "\"status\":404", ""},
        {{"wire", "parse", "-", "--content-type", "text/html"}, 0, "\"random\":false}\n", ""},
        {{"wire", "parse", "-", "--chunk", "7"}, 0, "\"chunk\":7,\"random\":false", ""},
        {{"wire", "parse", "-", "--chunk", "random"}, 0, "\"random\":true", ""},
        {{"wire", "parse", "-", "--chunk=0"}, 2, "", "from 1 up nor random"},
        {{"wire", "parse", "-", "--chunk", "-1"}, 2, "", "from 1 up nor random"},
        {{"wire", "parse", "-", "--status", "20x"}, 2, "", "'20x' is not an HTTP status"},
        {{"wire", "parse", "-", "--status="}, 2, "", "'' is not an HTTP status"},
        {{"wire", "parse", "/nowhere"}, 3, "", "cannot read /nowhere: No such file"},
        {{"wire", "parse", "/"}, 3, "", "cannot read /: Is a directory"},
        {{"wire", "schema", "-"}, 3, "", "not JSON"},
        {{"wire", "shema", "-"}, 2, "", "did you mean 'tackle wire schema'?"},
        {{"completion"}, 2, "", "one of bash, zsh, fish"},
        {{"completion", "tcsh"}, 2, "", "'tcsh' is not one of"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct program p = {0};
        program_run(&p, cases[i].args);
        assert_int_equal(p.code, cases[i].code);
        assert_non_null(strstr(p.out, cases[i].in_out));
        assert_non_null(strstr(p.err, cases[i].in_err));
        if (*cases[i].in_out == '\0')
            assert_string_equal(p.out, "");
        program_release(&p);
    }
}

static void bash_completes(void **state)
{
    struct program p = {0};
    (void)state;
    RUN(&p, "completion", "bash");
    assert_int_equal(p.code, 0);
    assert_int_equal(program_shell(&p,
                                   "source ./out && "
                                   "COMP_WORDS=(tackle run --sandbox w) COMP_CWORD=3 && _tackle && "
                                   "[ \"${COMPREPLY[*]}\" = workspace-write ] && "
                                   "COMP_WORDS=(tackle -q tools sh) COMP_CWORD=3 && _tackle && "
                                   "[ \"${COMPREPLY[*]}\" = show ] && "
                                   "COMP_WORDS=(tackle run --no-str) COMP_CWORD=2 && _tackle && "
                                   "[ \"${COMPREPLY[*]}\" = --no-stream ]"),
                     0);
    program_release(&p);
}

static void other_completions_name_every_command(void **state)
{
    static const char *const shells[] = {"zsh", "fish"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct program p = {0};
        RUN(&p, "completion", shells[i]);
        assert_int_equal(p.code, 0);
        assert_non_null(strstr(p.out, "plugins"));
        assert_non_null(strstr(p.out, "max-steps"));
        assert_null(strstr(p.out, "manual page")); /* hidden */
        program_release(&p);
    }
}

static void the_manual_has_no_warnings(void **state)
{
    struct program p = {0};
    (void)state;
    RUN(&p, "man");
    assert_int_equal(p.code, 0);
    assert_non_null(strstr(p.out, ".TH TACKLE 1"));
    assert_non_null(strstr(p.out, "max\\-steps"));
    /* groff checks it where it is installed. */
    assert_int_equal(
        program_shell(&p, "command -v groff >/dev/null || exit 0; "
                          "groff -man -ww -Tutf8 out >page 2>warnings && [ ! -s warnings ]"),
        0);
    program_release(&p);
}

static void a_new_plugin_compiles_as_printed(void **state)
{
    struct program p = {0};
    (void)state;
    RUN(&p, "plugins", "new", "my-greet");
    assert_int_equal(p.code, 0);
    /* `set` makes a second run in the same folder impossible to miss. */
    assert_int_equal(program_shell(&p,
                                   "command=$(grep -m1 -o 'cc -shared.*' out) && $command -Wall "
                                   "-Wextra -Werror && [ -s my-greet.so ]"),
                     0);
    assert_int_equal(program_shell(&p,
                                   "cp my-greet.c before && '" PROGRAM "' plugins new my-greet; "
                                   "[ $? = 2 ] && cmp before my-greet.c"),
                     0);
    program_release(&p);
}

static void the_demo_needs_its_files(void **state)
{
    struct program p = {.set = "TACKLE_DATA_DIR=/nowhere"};
    (void)state;
    RUN(&p, "demo");
    assert_int_equal(p.code, 3);
    assert_non_null(strstr(p.err, "is tackle installed whole?"));
    program_release(&p);
}

static void the_demo_says_what_is_recorded(void **state)
{
    struct program p = {.script = FINAL, .set = "TACKLE_DATA_DIR=" TEST_SOURCE_DIR "/agents"};
    (void)state;
    RUN(&p, "demo", "--dir", "here");
    assert_int_equal(p.code, 0);
    assert_string_equal(p.out, "Yes.\n");
    assert_non_null(strstr(p.err, "The model's replies are recorded: no key, no network. Every "
                                  "tool call is real."));
    assert_int_equal(program_shell(&p, "[ -f here/check.sh ] && [ -f here/CHANGELOG.md ]"), 0);
    program_release(&p);
    RUN(&p, "demo"); /* removed at the end */
    assert_int_equal(p.code, 0);
    assert_non_null(strstr(p.err, "was removed"));
    program_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_end_as_they_should),
        cmocka_unit_test(bash_completes),
        cmocka_unit_test(other_completions_name_every_command),
        cmocka_unit_test(the_manual_has_no_warnings),
        cmocka_unit_test(a_new_plugin_compiles_as_printed),
        cmocka_unit_test(the_demo_needs_its_files),
        cmocka_unit_test(the_demo_says_what_is_recorded),
    };
    program_clean_environment();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
