/* Its constructor ends the process. */
#include <stdlib.h>

#include "../bad/bad.h"

__attribute__((constructor)) static void stop(void)
{
    abort();
}

static const tackle_tool tool = {TOOL_FIELDS};
const tackle_plugin tackle_plugin_v1 = {PLUGIN_FIELDS(&tool)};
