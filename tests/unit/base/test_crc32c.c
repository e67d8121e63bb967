#include "test_support.h"

#include <string.h>

#include "base/crc32c.h"

/* RFC 3720, appendix B.4, and the usual check value. */
static void it_is_the_castagnoli_polynomial(void **state)
{
    unsigned char bytes[32];
    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x46dd794e);
}

static void it_goes_on_where_it_stopped(void **state)
{
    (void)state;
    for (size_t at = 0; at <= 9; at++)
        assert_int_equal(crc32c(crc32c(0, "123456789", at), &"123456789"[at], 9 - at), 0xe3069283);
    assert_int_equal(crc32c(7, "", 0), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_castagnoli_polynomial),
        cmocka_unit_test(it_goes_on_where_it_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
