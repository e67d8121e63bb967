#include "bad.h"

BAD_TOOL(.params = "path: string");
