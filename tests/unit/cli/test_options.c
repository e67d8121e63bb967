/* The command line's grammar. The settings are those of fake_tackle.c. */
#include "test_support.h"

#include <string.h>

#include "cli.h"

#define WORDS_MAX 16

struct parsed {
    struct option_table table;
    struct options options;
    char problem[OPTION_PROBLEM_SIZE];
    int status;
};

/* `args` are ended by NULL. */
static void parse(struct parsed *p, const char *const *args)
{
    char *argv[WORDS_MAX] = {(char *)(uintptr_t) "tackle"};
    int argc = 1;
    for (; *args; args++) {
        assert_true(argc < WORDS_MAX);
        argv[argc++] = (char *)(uintptr_t)*args;
    }
    option_table_init(&p->table);
    p->status = options_parse(&p->options, &p->table, argc, argv, p->problem);
}

static void forget(struct parsed *p)
{
    options_release(&p->options);
    option_table_release(&p->table);
}

#define PARSE(p, ...) parse(p, (const char *const[]){__VA_ARGS__, NULL})

static void assert_setting(const struct parsed *p, size_t at, const char *key, const char *value)
{
    assert_true(at < p->options.setting_count);
    assert_string_equal(p->options.settings[at].key, key);
    assert_string_equal(p->options.settings[at].value, value);
}

static void options_stand_anywhere(void **state)
{
    struct parsed p;
    (void)state;
    PARSE(&p, "--max-steps", "3", "run", "-qv", "do it", "--model=x", "-Cdir", "-m", "y");
    assert_int_equal(p.status, 0);
    assert_string_equal(p.options.command->name, "run");
    assert_int_equal(p.options.word_count, 1);
    assert_string_equal(p.options.words[0], "do it");
    assert_null(p.options.words[1]);
    assert_true(p.options.quiet);
    assert_int_equal(p.options.verbose, 1);
    assert_int_equal(p.options.setting_count, 4);
    assert_setting(&p, 0, "max_steps", "3");
    assert_setting(&p, 1, "model", "x");
    assert_setting(&p, 2, "workspace", "dir");
    assert_setting(&p, 3, "model", "y");
    forget(&p);
}

static void switches_have_a_negative(void **state)
{
    struct parsed p;
    (void)state;
    PARSE(&p, "run", "--no-stream", "--stream", "--no-tools", "-");
    assert_int_equal(p.status, 0);
    assert_setting(&p, 0, "stream", "false");
    assert_setting(&p, 1, "stream", "true");
    assert_setting(&p, 2, "no_tools", "true"); /* not the negative of --tools */
    assert_string_equal(p.options.words[0], "-");
    forget(&p);
}

static void files_gather(void **state)
{
    struct parsed p;
    (void)state;
    PARSE(&p, "run", "-f", "a", "--file=b", "x");
    assert_int_equal(p.options.file_count, 2);
    assert_string_equal(p.options.files[1], "b");
    assert_null(p.options.files[2]);
    assert_int_equal(p.options.setting_count, 0);
    forget(&p);
}

static void two_dashes_end_options(void **state)
{
    struct parsed p;
    (void)state;
    PARSE(&p, "run", "--", "--model");
    assert_int_equal(p.status, 0);
    assert_string_equal(p.options.words[0], "--model");
    forget(&p);
}

static void wrong_lines_are_explained(void **state)
{
    static const struct {
        const char *args[5];
        const char *problem;
    } cases[] = {
        {{"run", "--modle", "x"}, "unknown option --modle; did you mean --model?"},
        {{"run", "--no-strem"}, "unknown option --no-strem; did you mean --no-stream?"},
        {{"run", "--max-step", "3"}, "unknown option --max-step; did you mean --max-steps?"},
        {{"run", "--zzz=1"}, "unknown option --zzz; 'tackle help' shows what there is"},
        {{"run", "-x"}, "unknown option -x; 'tackle help' shows what there is"},
        {{"run", "--model"}, "--model needs a value: --model [PROVIDER/]MODEL"},
        {{"run", "--model", "--quiet"}, "--model needs a value: --model [PROVIDER/]MODEL"},
        {{"run", "--quiet=yes"}, "--quiet takes no value"},
        {{"run", "--no-model"}, "unknown option --no-model; did you mean --model?"},
        {{"run", "--color", "red"}, "--color: 'red' is not one of auto|always|never"},
        {{"run", "--color", ""}, "--color: '' is not one of auto|always|never"},
        {{"rum"}, "unknown command 'rum'; did you mean 'run'?"},
        {{"fix it"}, "unknown command 'fix it'; to give a task, write: tackle run \"...\""},
        {{"wwwwww"}, "unknown command 'wwwwww'; 'tackle help' lists the commands"},
        {{"version", "--model", "x"},
         "'tackle version' takes no option --model; see 'tackle help version'"},
        {{"--keep", "run"}, "'tackle run' takes no option --keep; see 'tackle help run'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p;
        parse(&p, cases[i].args);
        assert_int_equal(p.status, -1);
        assert_string_equal(p.problem, cases[i].problem);
        forget(&p);
    }
}

static void format_is_known_in_spite_of_errors(void **state)
{
    struct parsed p;
    (void)state;
    PARSE(&p, "run", "--nope", "--output-format", "stream-json");
    assert_int_equal(p.status, -1);
    assert_int_equal(p.options.format, FORMAT_STREAM_JSON);
    forget(&p);
}

static void values_may_begin_with_a_dash(void **state)
{
    struct parsed p;
    (void)state;
    PARSE(&p, "run", "--max-steps", "-3", "--model=--quiet");
    assert_int_equal(p.status, 0);
    assert_setting(&p, 0, "max_steps", "-3"); /* the library refuses it */
    assert_setting(&p, 1, "model", "--quiet");
    forget(&p);
}

static void the_table_has_no_name_twice(void **state)
{
    struct option_table table;
    (void)state;
    option_table_init(&table);
    for (size_t i = 0; i < table.count; i++) {
        for (size_t j = i + 1; j < table.count; j++) {
            assert_string_not_equal(table.rows[i].name, table.rows[j].name);
            assert_true(!table.rows[i].letter || table.rows[i].letter != table.rows[j].letter);
        }
    }
    option_table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(switches_have_a_negative),
        cmocka_unit_test(files_gather),
        cmocka_unit_test(two_dashes_end_options),
        cmocka_unit_test(wrong_lines_are_explained),
        cmocka_unit_test(format_is_known_in_spite_of_errors),
        cmocka_unit_test(values_may_begin_with_a_dash),
        cmocka_unit_test(the_table_has_no_name_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
