#include "bad.h"

BAD_TOOL(.does = TACKLE_NETWORK);
