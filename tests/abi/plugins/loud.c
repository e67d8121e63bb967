/* Its constructor prints where the description goes. */
#include <stdio.h>

#include "../bad/bad.h"

__attribute__((constructor)) static void speak(void)
{
    (void)puts("{\"name\":\"an impostor\"}");
    (void)fflush(stdout);
}

static const tackle_tool tool = {TOOL_FIELDS};
const tackle_plugin tackle_plugin_v1 = {PLUGIN_FIELDS(&tool)};
