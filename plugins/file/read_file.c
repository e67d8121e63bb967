/* read_file: part of a text file. The file is read block by block, so its size costs time only. */
#include "file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pace.h"
#include "show.h"

#define BLOCK_BYTES 65536u
/* Past this many bytes the lines that follow are not counted. */
#define COUNT_MAX (64u << 20)

struct reading {
    tackle_call *call;
    const char *path;
    int fd;
    uint64_t size; /* when it was opened: a file that grows ends there */
    size_t first;  /* lines asked for, from 1 */
    size_t limit;
    bool numbers;
    struct bytes raw; /* the lines asked for, as they are in the file */
    bool raw_full;    /* there is more of them than may be shown */
    size_t line;      /* the one that the next byte belongs to */
    bool open_line;   /* it has bytes already */
    bool counted;     /* the end was reached: `line` tells how many there are */
    struct pace pace;
};

static void take_block(struct reading *r, const char *data, size_t len)
{
    const char *end = data + len;
    while (data < end) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        size_t n = (size_t)((newline ? newline + 1 : end) - data);
        if (r->line >= r->first && r->line - r->first < r->limit && !r->raw_full) {
            size_t room = r->raw.max - r->raw.len;
            r->raw_full = n > room;
            bytes_add(&r->raw, data, r->raw_full ? room : n);
        }
        r->line += newline != NULL;
        r->open_line = !newline;
        data += n;
    }
}

/* Is there nothing more to learn from the rest of the file? */
static bool has_enough(struct reading *r, uint64_t done)
{
    bool have_lines = r->raw_full || r->line >= r->first + r->limit;
    return (have_lines && done >= COUNT_MAX) || pace_over(&r->pace);
}

/* Reads the lines, and counts on. 1: done; 0: the file is binary; or a negative code. */
static int32_t read_lines(struct reading *r)
{
    char block[BLOCK_BYTES];
    uint64_t done = 0;
    r->counted = true;
    while (done < r->size) {
        size_t want = r->size - done < sizeof block ? (size_t)(r->size - done) : sizeof block;
        ssize_t n = read(r->fd, block, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tackle_failf(r->call, TACKLE_E_FAILED, "%s cannot be read: %s", r->path,
                                strerror(errno));
        if (n == 0)
            break;
        if (done == 0 && show_is_binary(block, (size_t)n))
            return 0;
        take_block(r, block, (size_t)n);
        done += (uint64_t)n;
        if (done < r->size && has_enough(r, done)) {
            r->counted = false;
            break;
        }
    }
    if (r->raw.failed)
        return r->call->api->fail(r->call, TACKLE_E_NOMEM, "out of memory");
    return 1;
}

/* What the text looks like when it is put down. */
struct shown {
    size_t lines;
    size_t replaced; /* bytes that are no UTF-8 */
    bool crlf;
    bool mark; /* starts with a byte order mark */
    bool cut;  /* its one line is not whole */
};

static void put_lines(struct reading *r, struct bytes *out, struct shown *shown)
{
    const char *text = bytes_str(&r->raw), *end = text + r->raw.len;
    if (r->first == 1 && r->raw.len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        shown->mark = true;
        text += 3;
    }
    while ((text < end || shown->lines == 0) && out->len < FILE_RESULT_MAX) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        if (!newline && r->raw_full && shown->lines > 0)
            break; /* only the start of it is here; it comes whole with the next call */
        shown->cut = !newline && r->raw_full;
        size_t len = (size_t)((newline ? newline : end) - text);
        size_t keep = shown->cut ? show_edge(text, len) : len;
        if (newline && len > 0 && text[len - 1] == '\r') {
            shown->crlf = true;
            keep--;
        }
        if (r->numbers)
            bytes_format(out, "%6zu\t", r->first + shown->lines);
        shown->replaced += show_text(out, text, keep);
        bytes_text(out, "\n");
        shown->lines++;
        text = newline ? newline + 1 : end;
    }
}

static void put_notes(const struct reading *r, const struct shown *shown, struct bytes *out)
{
    size_t last = r->first + shown->lines - 1;
    size_t total = r->line - (r->open_line ? 0 : 1);
    bool more = !r->counted || last < total;
    if (shown->cut)
        bytes_format(out, "[line %zu is longer than a result may be: only its start is shown]\n",
                     last);
    if (shown->replaced > 0)
        bytes_text(out, "[not valid UTF-8: bad bytes are shown as \xEF\xBF\xBD]\n");
    if (shown->crlf)
        bytes_text(out, "[CRLF line ends]\n");
    if (shown->mark)
        bytes_text(out, "[starts with a byte order mark]\n");
    if (!r->counted)
        bytes_format(out, "[lines %zu-%zu; more follow; go on with offset %zu]\n", r->first, last,
                     last + 1);
    else if (more)
        bytes_format(out, "[lines %zu-%zu of %zu; go on with offset %zu]\n", r->first, last, total,
                     last + 1);
    else if (r->first > 1)
        bytes_format(out, "[lines %zu-%zu of %zu]\n", r->first, last, total);
}

static int32_t answer(struct reading *r)
{
    struct shown shown = {0};
    struct bytes out;
    if (r->line == 1 && !r->open_line)
        return tackle_writef(r->call, "[%s is empty]\n", r->path);
    if (r->raw.len == 0 && !r->counted)
        return tackle_failf(r->call, TACKLE_E_TIMEOUT, "time was up before line %zu was reached",
                            r->first);
    if (r->raw.len == 0)
        return tackle_failf(r->call, TACKLE_E_ARGS, "offset %zu is past the end: %s has %zu lines",
                            r->first, r->path, r->line - (r->open_line ? 0 : 1));
    /* A bad byte takes three, a number seven, and there may be many short lines. */
    bytes_init(&out, 8 * FILE_RESULT_MAX);
    put_lines(r, &out, &shown);
    put_notes(r, &shown, &out);
    int32_t code = file_send(r->call, &out);
    bytes_release(&out);
    return code;
}

int32_t read_file_call(void *self, tackle_call *call)
{
    const struct file_plugin *plugin = self;
    struct reading r = {.call = call, .line = 1};
    int64_t first, limit;
    struct stat st;
    int32_t code = file_arg_int(call, "offset", 1, INT32_MAX, 1, &first);
    if (code == TACKLE_OK)
        code = file_arg_int(call, "limit", 1, INT32_MAX, FILE_LINES_MAX, &limit);
    if (code != TACKLE_OK)
        return code;
    r.path = call->api->arg_text(call, "path", NULL);
    r.first = (size_t)first;
    r.limit = (size_t)(limit < FILE_LINES_MAX ? limit : FILE_LINES_MAX);
    r.numbers = file_arg_bool(call, "line_numbers");
    r.fd = plugin->workspace->open(call, r.path, TACKLE_OPEN_FILE);
    if (r.fd < 0)
        return r.fd;
    pace_start(&r.pace, call);
    bytes_init(&r.raw, FILE_RESULT_MAX);
    if (fstat(r.fd, &st) != 0)
        code =
            tackle_failf(call, TACKLE_E_FAILED, "%s cannot be read: %s", r.path, strerror(errno));
    else {
        r.size = (uint64_t)st.st_size;
        code = read_lines(&r);
    }
    (void)close(r.fd);
    if (code == 0)
        code = tackle_writef(call, "[%s is a binary file of %llu bytes: not shown]\n", r.path,
                             (unsigned long long)r.size);
    else if (code == 1)
        code = answer(&r);
    bytes_release(&r.raw);
    return code;
}
