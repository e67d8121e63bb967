#include "bad.h"

BAD_OPTION(.type = TACKLE_OPTION_BOOL, .default_value = "yes");
