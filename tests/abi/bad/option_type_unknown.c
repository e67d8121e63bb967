#include "bad.h"

BAD_OPTION(.type = 9);
