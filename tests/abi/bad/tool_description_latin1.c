#include "bad.h"

BAD_TOOL(.description = "caf\xe9");
