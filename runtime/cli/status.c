#include "status.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "line.h"
#include "memory.h"

int64_t status_now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void status_init(struct status *s, struct stream *to, bool enabled)
{
    *s = (struct status){.to = to, .enabled = enabled, .since_ms = status_now_ms()};
}

void status_begin(struct status *s)
{
    s->since_ms = status_now_ms();
}

static const char *next_frame(struct status *s)
{
    static const char *const dots[] = {"\u280B", "\u2819", "\u2839", "\u2838", "\u283C",
                                       "\u2834", "\u2826", "\u2827", "\u2807", "\u280F"};
    static const char *const ascii[] = {"|", "/", "-", "\\"};
    unsigned frame = s->frame++;
    return s->to->utf8 ? dots[frame % 10] : ascii[frame % 4];
}

void status_draw(struct status *s, const char *what)
{
    int64_t now = status_now_ms();
    if (!s->enabled || now - s->drawn_ms < STATUS_PERIOD_MS)
        return;
    char time[LINE_SHORT] = "";
    if (now - s->since_ms >= 1000)
        line_duration((now - s->since_ms) / 1000 * 1000, time);
    char *full = memory_format("%s %s  %s", next_frame(s), what, time);
    /* The last column stays free: some terminals wrap as soon as it is written. */
    char *line = line_make(full, strlen(full), stream_columns(s->to) - 1, s->to->utf8);
    (void)fprintf(s->to->file, "\r\x1b[K%s%s%s", stream_style(s->to, STYLE_DIM), line,
                  stream_style(s->to, STYLE_NONE));
    (void)stream_flush(s->to);
    s->shown = true;
    s->drawn_ms = now;
    free(line);
    free(full);
}

void status_hide(struct status *s)
{
    if (!s->shown)
        return;
    s->shown = false;
    (void)fputs("\r\x1b[K", s->to->file);
    (void)stream_flush(s->to);
}
