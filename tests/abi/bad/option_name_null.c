#include "bad.h"

BAD_OPTION(.name = NULL);
