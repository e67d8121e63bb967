/* The example of plugins/README.md does what the page says. */
#include "test_support.h"

#include "plugin_test.h"

static void greets(void **state)
{
    (void)state;
    struct plugin_test *t = plugin_test_new(&tackle_plugin_v1, NULL);
    const struct plugin_result *r = plugin_test_call(t, "greet", "{\"name\":\"Ada\"}");
    assert_int_equal(r->code, TACKLE_OK);
    assert_string_equal(r->output, "Hello, Ada!\n");
    plugin_test_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(greets)};
    return cmocka_run_group_tests_name("plugins/hello", tests, NULL, NULL);
}
