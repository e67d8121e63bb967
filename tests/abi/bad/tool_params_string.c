#include "bad.h"

BAD_TOOL(.params = "{\"type\":\"string\"}");
