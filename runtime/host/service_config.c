/* config/1: the values of the options that the plugin declares. They were checked when the session
 * began, so that a value that is there has the right form. */
#include "host/call.h"
#include "host/options.h"
#include "host/services.h"

static const char *text(const tackle_host *host, const char *name)
{
    const struct session *session = session_of(host);
    const tackle_option *option = name ? manifest_option(session->manifest, name) : NULL;
    return option ? session->options[option - session->manifest->options] : NULL;
}

static int32_t integer(const tackle_host *host, const char *name, int64_t *out)
{
    const char *value = text(host, name);
    return value && option_integer(value, out) == 0;
}

static int32_t boolean(const tackle_host *host, const char *name, int32_t *out)
{
    const char *value = text(host, name);
    return value && option_boolean(value, out) == 0;
}

const tackle_config_v1 service_config = {
    .size = sizeof(tackle_config_v1), .text = text, .integer = integer, .boolean = boolean};
