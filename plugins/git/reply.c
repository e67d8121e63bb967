/* Capped, clean output; see reply.h. */
#include "reply.h"

#include <string.h>
#include <time.h>

#define NOTE_BYTES 512 /* kept free for the line of reply_end() */

void reply_init(struct reply *r, tackle_call *call)
{
    r->call = call;
    r->left = REPLY_MAX_BYTES - NOTE_BYTES;
    r->cut = false;
}

/* The length of the UTF-8 character at `s` (RFC 3629), 0 when there is none. */
static size_t utf8_len(const unsigned char *s, size_t len)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t need;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        need = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        need = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        need = 4;
    else
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (len < need || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    return need;
}

/* Hands on valid UTF-8, cut at a character when the cap is reached. */
static int put(struct reply *r, const char *text, size_t len)
{
    if (r->cut)
        return -1;
    if (len > r->left) {
        len = r->left;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
        r->cut = true;
    }
    r->left -= len;
    if (len > 0 && r->call->api->write(r->call, text, len) != TACKLE_OK)
        r->cut = true;
    return r->cut ? -1 : 0;
}

int reply_bytes(struct reply *r, const char *text, size_t len)
{
    size_t start = 0, at = 0;
    while (at < len) {
        size_t n = utf8_len((const unsigned char *)text + at, len - at);
        if (n > 0) {
            at += n;
            continue;
        }
        if (put(r, text + start, at - start) < 0 || put(r, "\xef\xbf\xbd", 3) < 0)
            return -1;
        start = ++at;
    }
    return put(r, text + start, at - start);
}

int reply_text(struct reply *r, const char *text)
{
    return reply_bytes(r, text, strlen(text));
}

int reply_format(struct reply *r, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (len < 0)
        return -1;
    return reply_text(r, line);
}

/* U+200E, U+200F, U+202A to U+202E and U+2066 to U+2069 turn a line round for its reader. */
static bool is_bidi(const unsigned char *s, size_t len)
{
    return len == 3 && s[0] == 0xe2 &&
           ((s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xaa && s[2] <= 0xae))) ||
            (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

/* Can this character of a name be shown as it is? C1 controls are U+0080 to U+009F. */
static bool is_plain(const unsigned char *s, size_t len)
{
    if (len == 1)
        return s[0] >= 0x20 && s[0] != 0x7f && s[0] != '"' && s[0] != '\\';
    return len > 0 && !is_bidi(s, len) && !(s[0] == 0xc2 && s[1] < 0xa0);
}

static int put_escaped(struct reply *r, unsigned char c)
{
    static const char letters[] = "\a\b\t\n\v\f\r\"\\", names[] = "abtnvfr\"\\";
    const char *found = c ? strchr(letters, c) : NULL;
    if (found)
        return reply_format(r, "\\%c", names[found - letters]);
    return reply_format(r, "\\%03o", c);
}

int reply_path(struct reply *r, const char *prefix, const char *path)
{
    const unsigned char *s = (const unsigned char *)path;
    size_t len = strlen(path), at = 0;
    while (at < len) {
        size_t n = utf8_len(s + at, len - at);
        if (!is_plain(s + at, n))
            break;
        at += n;
    }
    if (at == len)
        return reply_text(r, prefix) < 0 ? -1 : put(r, path, len);
    if (reply_format(r, "\"%s", prefix) < 0)
        return -1;
    for (at = 0; at < len;) {
        size_t n = utf8_len(s + at, len - at);
        bool plain = is_plain(s + at, n);
        if (n == 0)
            n = 1;
        for (size_t i = 0; !plain && i < n; i++)
            if (put_escaped(r, s[at + i]) < 0)
                return -1;
        if (plain && put(r, path + at, n) < 0)
            return -1;
        at += n;
    }
    return put(r, "\"", 1);
}

int reply_line(struct reply *r, const char *text)
{
    while (*text) {
        size_t n = 0;
        while ((unsigned char)text[n] >= 0x20 && text[n] != 0x7f)
            n++;
        if (reply_bytes(r, text, n) < 0)
            return -1;
        text += n;
        if (*text) {
            if (put(r, " ", 1) < 0)
                return -1;
            text++;
        }
    }
    return r->cut ? -1 : 0;
}

int reply_id(struct reply *r, const git_oid *id)
{
    char text[8];
    return put(r, git_oid_tostr(text, sizeof text, id), 7);
}

int reply_date(struct reply *r, const git_time *when, bool full)
{
    struct tm tm;
    time_t local;
    if (__builtin_add_overflow(when->time, (git_time_t)when->offset * 60, &local) ||
        !gmtime_r(&local, &tm))
        return reply_text(r, "(no date)");
    if (reply_format(r, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) < 0)
        return -1;
    if (!full)
        return 0;
    int minutes = when->offset < 0 ? -when->offset : when->offset;
    return reply_format(r, " %02d:%02d:%02d %c%02d%02d", tm.tm_hour, tm.tm_min, tm.tm_sec,
                        when->offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

int32_t reply_end(struct reply *r, const char *hint)
{
    if (r->cut)
        (void)tackle_writef(r->call, "\n[cut here: the limit of one answer is 256 KiB; %s]\n",
                            hint);
    return TACKLE_OK;
}
