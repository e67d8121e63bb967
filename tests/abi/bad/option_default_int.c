#include "bad.h"

BAD_OPTION(.type = TACKLE_OPTION_INT, .default_value = "10s");
