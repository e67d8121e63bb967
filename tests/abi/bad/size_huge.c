#include "bad.h"

BAD_PLUGIN(.size = 70000);
