#include "bad.h"

BAD_TOOL(.does = TACKLE_READS | 1u << 5);
