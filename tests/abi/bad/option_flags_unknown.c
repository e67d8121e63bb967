#include "bad.h"

BAD_OPTION(.flags = 1u << 3);
