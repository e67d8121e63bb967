#include "bad.h"

BAD_PLUGIN(.name = "Bad");
