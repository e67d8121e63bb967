/* The library that bad/missing_library.c is linked with. */
#include <tackle/plugin.h>

__attribute__((visibility("default"))) int32_t in_absent_library(void *self, tackle_call *call);

int32_t in_absent_library(void *self, tackle_call *call)
{
    (void)self;
    (void)call;
    return TACKLE_OK;
}
