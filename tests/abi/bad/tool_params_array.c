#include "bad.h"

BAD_TOOL(.params = "[]");
