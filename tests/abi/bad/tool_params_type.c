#include "bad.h"

BAD_TOOL(.params = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"strnig\"}}}");
