#include "bad.h"

static const tackle_option option = {OPTION_FIELDS};

BAD_PLUGIN(.options = (const tackle_option *const[]){&option, &option, NULL});
