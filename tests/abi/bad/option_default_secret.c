#include "bad.h"

BAD_OPTION(.type = TACKLE_OPTION_INT, .flags = TACKLE_OPTION_SECRET, .default_value = "hunter2");
