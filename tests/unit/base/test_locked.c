/* Memory for keys: locked, in no core file, and grown without moving what is in it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/locked.h"
#include "test_support.h"

/* The VmFlags of the mapping that holds an address; see proc(5). */
static void read_flags(const char *address, char *out, int size)
{
    char line[512];
    uintptr_t start = 0, end = 0;
    bool inside = false;
    FILE *file = fopen("/proc/self/smaps", "re");
    assert_non_null(file);
    *out = '\0';
    while (fgets(line, sizeof line, file) && !*out) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) == 2)
            inside = (uintptr_t)address >= start && (uintptr_t)address < end;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            (void)snprintf(out, (size_t)size, "%s ", line);
    }
    (void)fclose(file);
}

static void test_no_core_file_has_it(void **state)
{
    (void)state;
    char flags[512];
    struct locked memory = {0};
    const char *key = locked_copy(&memory, "a key, kept", 5);
    assert_string_equal(key, "a key");
    read_flags(key, flags, sizeof flags);
    assert_non_null(strstr(flags, " dd "));
    locked_release(&memory);
    assert_null(memory.blocks);
}

static void test_grows(void **state)
{
    (void)state;
    struct locked memory = {0};
    const char *first = locked_copy(&memory, "first", 5);
    for (int i = 0; i < 10000; i++)
        assert_non_null(locked_copy(&memory, "0123456789", 10));
    char *large = locked_room(&memory, 1u << 20);
    assert_non_null(large);
    memset(large, 'x', 1u << 20);
    assert_string_equal(first, "first");
    assert_null(locked_room(&memory, SIZE_MAX));
    assert_null(locked_copy(&memory, "", SIZE_MAX));
    locked_release(&memory);
    locked_release(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_core_file_has_it),
        cmocka_unit_test(test_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
