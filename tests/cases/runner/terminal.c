/* A pseudo-terminal for a program of a case; see terminal.h. */
#include "terminal.h"

#include <errno.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "endpoint/memory.h"

int terminal_open(int *ours, int *theirs, struct err *err)
{
    const struct winsize size = {.ws_row = 40, .ws_col = 100};
    struct termios mode;
    if (openpty(ours, theirs, NULL, NULL, &size) != 0)
        return err_set(err, ERR_IO, "openpty: %s", strerror(errno));
    if (tcgetattr(*theirs, &mode) == 0) {
        mode.c_oflag &= ~(tcflag_t)OPOST;
        if (tcsetattr(*theirs, TCSANOW, &mode) == 0)
            return 0;
    }
    (void)close(*ours);
    (void)close(*theirs);
    return err_set(err, ERR_IO, "terminal: %s", strerror(errno));
}

static int read_act(struct run *run, const char *line, struct err *err)
{
    static const char *const kinds[] = {"wait", "type", "press"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (words_skip(&line, kinds[i])) {
            struct act *act = memory_item(&run->acts, run->act_count++, sizeof *act);
            act->kind = (enum act_kind)i;
            return words_value(line, &act->text, NULL, err);
        }
    return err_set(err, ERR_PARSE, "write wait TEXT, type TEXT (and Enter) or press TEXT");
}

int terminal_read(struct run *run, const char *path, const struct section *section, struct err *err)
{
    struct section_lines lines;
    int status = 0;
    run->terminal = true;
    section_lines_init(&lines, section);
    while (status == 0 && section_lines_next(&lines)) {
        status = read_act(run, lines.text.data, err);
        if (status)
            (void)err_prefix(err, "%s:%d", path, lines.line);
    }
    section_lines_release(&lines);
    return status;
}

void terminal_release(struct run *run)
{
    for (size_t i = 0; i < run->act_count; i++)
        free(run->acts[i].text);
    free(run->acts);
}

/* The program may have ended: then nobody reads it, and the expectations tell. */
static void write_text(int fd, const char *text)
{
    for (size_t len = strlen(text), done = 0; done < len;) {
        ssize_t sent = write(fd, text + done, len - done);
        if (sent < 0 && errno != EINTR)
            return;
        done += sent > 0 ? (size_t)sent : 0;
    }
}

void terminal_play(struct typist *typist, const struct run *run, int fd, const struct buf *shown)
{
    for (; typist->done < run->act_count; typist->done++) {
        const struct act *act = &run->acts[typist->done];
        if (act->kind == ACT_WAIT) {
            size_t len = strlen(act->text);
            const char *from = shown->data + typist->seen;
            const char *at = memmem(from, shown->len - typist->seen, act->text, len);
            if (!at)
                return;
            typist->seen = (size_t)(at - shown->data) + len;
        } else {
            write_text(fd, act->text);
            if (act->kind == ACT_TYPE)
                write_text(fd, "\n");
        }
    }
}
