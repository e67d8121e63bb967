#include "bad.h"

BAD_OPTION(.size = 16);
