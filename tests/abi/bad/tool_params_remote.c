#include "bad.h"

BAD_TOOL(.params = "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"http://example.org/"
                   "a.json\"}}}");
