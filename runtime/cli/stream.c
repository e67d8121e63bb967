#include "stream.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "memory.h"

/* All bytes or an error, whatever the descriptor's mode. */
static void write_out(struct stream *s, const char *data, size_t len)
{
    size_t done = 0;
    while (done < len && s->error == 0) {
        ssize_t n = write(s->fd, data + done, len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            (void)poll(&(struct pollfd){.fd = s->fd, .events = POLLOUT}, 1, -1);
        else if (errno != EINTR)
            s->error = errno;
    }
}

static void write_or_hold(struct stream *s, const char *data, size_t len)
{
    if (!s->held || len == 0 || s->waiting_len + len > STREAM_HELD_MAX) {
        write_out(s, data, len);
        return;
    }
    s->waiting = must(realloc(s->waiting, s->waiting_len + len));
    memcpy(s->waiting + s->waiting_len, data, len);
    s->waiting_len += len;
}

/* The write function of the FILE. Whatever is printed comes by here, so no place that prints can
 * forget the runner. */
static ssize_t write_file(void *cookie, const char *data, size_t len)
{
    struct stream *s = cookie;
    size_t done = 0;
    for (size_t i = 0; s->ci_log && i < len; i++)
        if (marks_next(&s->marks, data[i]) && !s->to_runner) {
            write_or_hold(s, data + done, i - done);
            write_or_hold(s, " ", 1);
            done = i;
        }
    write_or_hold(s, data + done, len - done);
    return s->error == 0 ? (ssize_t)len : 0; /* 0 means error: fopencookie(3) */
}

void stream_hold(struct stream *s, bool hold)
{
    (void)fflush(s->file);
    s->held = hold;
    if (hold || s->waiting_len == 0)
        return;
    write_out(s, s->waiting, s->waiting_len); /* an error is in s->error */
    free(s->waiting);
    s->waiting = NULL;
    s->waiting_len = 0;
}

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

static bool is_dumb(void)
{
    const char *term = getenv("TERM");
    return !term || !*term || strcmp(term, "dumb") == 0;
}

/* The runners whose log lines can be commands. */
static bool in_ci_log(void)
{
    return is_set("GITHUB_ACTIONS") || is_set("TF_BUILD") || is_set("GITLAB_CI");
}

int stream_init(struct stream *s, int fd, bool for_people)
{
    *s = (struct stream){.fd = fd};
    s->terminal = isatty(fd) == 1;
    s->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    s->animate = s->terminal && !is_dumb() && !is_set("CI");
    s->ci_log = in_ci_log();
    s->form = s->ci_log || s->terminal || for_people ? CLEAN_TERMINAL : CLEAN_NONE;
    s->file = fopencookie(s, "w", (cookie_io_functions_t){.write = write_file});
    if (!s->file)
        return -1;
    stream_set_colour(s, COLOUR_AUTO);
    return 0;
}

void stream_release(struct stream *s)
{
    if (s->file) {
        stream_hold(s, false);
        (void)fclose(s->file); /* an error is in s->error */
    }
    s->file = NULL;
}

static bool is_on(const char *variable)
{
    return is_set(variable) && strcmp(getenv(variable), "0") != 0;
}

void stream_set_colour(struct stream *s, enum colour_choice choice)
{
    if (choice != COLOUR_AUTO)
        s->colour = choice == COLOUR_ALWAYS;
    else if (is_set("NO_COLOR"))
        s->colour = false;
    else if (is_on("FORCE_COLOR") || is_on("CLICOLOR_FORCE"))
        s->colour = true;
    else
        s->colour = s->terminal && !is_dumb();
}

void stream_set_ci_log(struct stream *s)
{
    s->ci_log = true;
    s->form = CLEAN_TERMINAL;
}

void stream_to_runner(struct stream *s, bool on)
{
    (void)stream_flush(s);
    s->to_runner = on;
}

int stream_flush(struct stream *s)
{
    (void)fflush(s->file);
    return s->error ? -1 : 0;
}

void stream_text(struct stream *s, const char *text, size_t len)
{
    clean_text(s->form, s->file, text, len);
}

const char *stream_style(const struct stream *s, enum style style)
{
    static const char *const codes[] = {"\x1b[0m",  "\x1b[1m",  "\x1b[2m",
                                        "\x1b[31m", "\x1b[32m", "\x1b[33m"};
    return s->colour ? codes[style] : "";
}

size_t stream_columns(const struct stream *s)
{
    struct winsize size;
    if (!s->terminal)
        return 0;
    if (ioctl(s->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}
