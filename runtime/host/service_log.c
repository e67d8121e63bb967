/* log/1: one line into the log of the run. */
#include <string.h>

#include "base/text.h"
#include "host/call.h"
#include "host/services.h"

static void write_line(const tackle_host *host, int32_t level, const char *message)
{
    const struct session *session = session_of(host);
    struct buf text;
    if (!message)
        return;
    if (level < TACKLE_LOG_DEBUG)
        level = TACKLE_LOG_DEBUG;
    if (level > TACKLE_LOG_ERROR)
        level = TACKLE_LOG_ERROR;
    size_t len = strnlen(message, SESSION_MESSAGE_MAX + 1);
    buf_init(&text, 4 * SESSION_MESSAGE_MAX);
    if (text_fix_utf8(&text, message, text_edge(message, len, SESSION_MESSAGE_MAX), NULL) == 0)
        session->sink.log(session->sink.user, level, text.data);
    buf_release(&text);
}

const tackle_log_v1 service_log = {.size = sizeof(tackle_log_v1), .write = write_line};
