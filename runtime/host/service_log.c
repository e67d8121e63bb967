/* log/1: one line into the log of the run. */
#include <string.h>

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
    buf_init(&text, SESSION_TEXT_MAX);
    call_keep_text(&text, message, strnlen(message, SESSION_MESSAGE_MAX + 1));
    session->sink.log(session->sink.user, level, text.data);
    buf_release(&text);
}

const tackle_log_v1 service_log = {.size = sizeof(tackle_log_v1), .write = write_line};
