#include "bad.h"

BAD_TOOL(.size = 8);
