/* A shared object, but no plugin. */
#include "bad.h"

__attribute__((visibility("default")))
int32_t (*const something)(void *, tackle_call *) = do_nothing;
