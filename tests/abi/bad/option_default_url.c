#include "bad.h"

BAD_OPTION(.type = TACKLE_OPTION_URL, .default_value = "example.org");
