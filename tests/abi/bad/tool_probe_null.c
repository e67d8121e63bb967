#include "bad.h"

BAD_TOOL(.effect = TACKLE_EFFECT_PROBE);
