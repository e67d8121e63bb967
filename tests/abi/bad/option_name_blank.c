#include "bad.h"

BAD_OPTION(.name = "api url");
