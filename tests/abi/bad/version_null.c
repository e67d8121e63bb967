#include "bad.h"

BAD_PLUGIN(.version = NULL);
