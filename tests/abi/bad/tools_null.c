#include "bad.h"

BAD_PLUGIN(.tools = NULL);
