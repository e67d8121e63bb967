#include "bad.h"

BAD_TOOL(.name = "do-nothing");
