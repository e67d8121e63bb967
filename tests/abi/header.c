/* Includes the header alone and uses it in the C that is also C++. */
#include <tackle/plugin.h>

static int32_t call(void *self, tackle_call *c)
{
    (void)self;
    if (!TACKLE_HAS(c->api, remembered))
        return tackle_failf(c, TACKLE_E_FAILED, "%s", "too old");
    return tackle_writef(c, "%d", 1);
}

extern int32_t (*const used)(void *self, tackle_call *c);
int32_t (*const used)(void *self, tackle_call *c) = call;
