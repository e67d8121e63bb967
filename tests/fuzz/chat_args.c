/* wire/chat_args: an object, or a line for the model; and what is an object stays one. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "wire/chat_args.h"
#include "wire/json_repair.h"

static void check_runs(const char *text, size_t size)
{
    size_t used = chat_args_first(text, size);
    FUZZ_CHECK(used <= size);
    if (chat_args_is_run(text, size))
        FUZZ_CHECK(used > 0 && used < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct err err = {0};
    bool repaired = false;
    json_t *args = chat_args_parse(text, size, &repaired, &err);
    if (args) {
        FUZZ_CHECK(json_is_object(args));
        char *again = json_dumps(args, JSON_COMPACT);
        FUZZ_CHECK(again);
        json_t *same = chat_args_parse(again, strlen(again), &repaired, &err);
        FUZZ_CHECK(same && !repaired && json_equal(args, same));
        json_decref(same);
        free(again);
    } else {
        FUZZ_CHECK(err.code == ERR_PARSE || err.code == ERR_LIMIT);
        FUZZ_CHECK(*err.text && fuzz_is_clean(err.text, strlen(err.text)));
        FUZZ_CHECK(!strchr(err.text, '\n'));
    }
    json_decref(args);
    check_runs(text, size);
    (void)json_is_cut(text, size);
    return 0;
}
