/* What a plugin for a later tackle 2 will look like from here. */
#include <stdint.h>

extern __attribute__((visibility("default"))) const uint32_t tackle_plugin_v2[64];
const uint32_t tackle_plugin_v2[64] = {256};
