#include "bad.h"

#define FOUR    &tool, &tool, &tool, &tool
#define SIXTEEN FOUR, FOUR, FOUR, FOUR

BAD_PLUGIN(.tools = (const tackle_tool *const[]){SIXTEEN, SIXTEEN, SIXTEEN, SIXTEEN, &tool, NULL});
