#include "bad.h"

BAD_PLUGIN(.tools = (const tackle_tool *const[]){NULL});
