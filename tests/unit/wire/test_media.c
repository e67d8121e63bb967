#include "test_support.h"

#include <string.h>

#include "wire/media.h"

#define TYPE_OF(bytes) media_type(bytes, sizeof(bytes) - 1)

static void knows_files_by_their_bytes(void **state)
{
    (void)state;
    assert_string_equal(TYPE_OF("\x89PNG\r\n\x1a\n...."), "image/png");
    assert_string_equal(TYPE_OF("\xff\xd8\xff\xe0JFIF"), "image/jpeg");
    assert_string_equal(TYPE_OF("GIF89a......"), "image/gif");
    assert_string_equal(TYPE_OF("RIFF\x10\0\0\0WEBPVP8 "), "image/webp");
    assert_string_equal(TYPE_OF("RIFF\x10\0\0\0WAVEfmt "), "audio/wav");
    assert_string_equal(TYPE_OF("%PDF-1.7\n"), "application/pdf");
    assert_string_equal(TYPE_OF("ID3\x04\0\0"), "audio/mpeg");
    assert_string_equal(TYPE_OF("\xff\xfb\x90\x64...."), "audio/mpeg");
    assert_string_equal(TYPE_OF("\0\0\0\x18"
                                "ftypisom...."),
                        "video/mp4");
    assert_string_equal(TYPE_OF("\0\0\0\x18"
                                "ftypheic...."),
                        "image/heic");
    assert_string_equal(TYPE_OF("\x1a\x45\xdf\xa3webm"), "video/webm");
}

static void takes_text_for_no_media(void **state)
{
    (void)state;
    assert_null(TYPE_OF(""));
    assert_null(TYPE_OF("BM is the abbreviation of a thing, as everyone knows"));
    assert_null(TYPE_OF("RIFF raff"));
    assert_null(TYPE_OF("RIFF\x10\0\0\0none...."));
    assert_null(TYPE_OF("{\"a\": 1}"));
    assert_null(TYPE_OF("\xff\xff\xff\xff"));
    assert_null(media_type("\x89PN", 3));
}

static void data_urls_are_base64(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "data:a/b;base64,"},
        {"f", "data:a/b;base64,Zg=="},
        {"fo", "data:a/b;base64,Zm8="},
        {"foo", "data:a/b;base64,Zm9v"},
        {"foob", "data:a/b;base64,Zm9vYg=="},
        {"fooba", "data:a/b;base64,Zm9vYmE="},
        {"foobar", "data:a/b;base64,Zm9vYmFy"}, /* RFC 4648, section 10 */
    };
    struct buf out;
    buf_init(&out, 100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&out);
        assert_int_equal(media_data_url(&out, "a/b", cases[i][0], strlen(cases[i][0])), 0);
        assert_string_equal(out.data, cases[i][1]);
    }
    buf_clear(&out);
    assert_int_equal(media_data_url(&out, "a/b", "\xff\xfe\xfd", 3), 0);
    assert_string_equal(out.data, "data:a/b;base64,//79");
    buf_release(&out);
}

static void a_full_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 20);
    assert_int_equal(buf_text(&out, "x"), 0);
    assert_int_equal(media_data_url(&out, "a/b", "foobar", 6), -1);
    assert_string_equal(out.data, "x");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_files_by_their_bytes),
        cmocka_unit_test(takes_text_for_no_media),
        cmocka_unit_test(data_urls_are_base64),
        cmocka_unit_test(a_full_buffer_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
