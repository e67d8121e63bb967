/* The values of a plugin's declared options: text, with a type that says which texts fit. */
#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include <stdint.h>

#include <tackle/plugin.h>

#include "base/err.h"

/* The whole text as a decimal number. 0 or -1. */
int option_integer(const char *text, int64_t *out);

/* "true" or "false". 0 or -1. */
int option_boolean(const char *text, int32_t *out);

/* Does the text fit the option's type? 0, or -1 with ERR_CONFIG: what would fit. The value of a
 * secret is not repeated. */
int option_check(const tackle_option *option, const char *value, struct err *err);

#endif
