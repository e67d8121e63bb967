#include "bad.h"

BAD_TOOL(.effect = 4);
