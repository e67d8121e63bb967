/* search: lines of files that match a regular expression, with lines around them. */
#include "file.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "glob.h"
#include "load.h"
#include "regex.h"
#include "show.h"
#include "walk.h"

#define SHOWN_MAX 2048u /* bytes shown of a line */

struct search {
    tackle_call *call;
    struct pace pace;
    struct regex *regex;
    struct glob_set glob; /* .count 0: every file */
    size_t context;
    size_t max_results;
    struct bytes out;
    size_t results;
    size_t files; /* searched */
    size_t binary;
    size_t too_large;
    size_t unreadable;
    size_t denied;   /* by the policy */
    size_t given_up; /* lines on which the pattern took too many steps */
    bool more;       /* there are results past max_results or the size of a result */
    bool stopped;    /* time was up in the middle of a file */
};

/* ---- One file ---- */

/* The text that is searched, and how far it has been shown. */
struct scan {
    const char *path;
    const char *text;
    const char *end;
    const char *shown_to; /* after the last line shown; NULL: none yet */
    size_t after;         /* lines still to be shown after a match */
};

static const char *line_end(const struct scan *s, const char *line)
{
    const char *newline = memchr(line, '\n', (size_t)(s->end - line));
    return newline ? newline : s->end;
}

static size_t line_len(const char *line, const char *end)
{
    size_t len = (size_t)(end - line);
    return len > 0 && line[len - 1] == '\r' ? len - 1 : len;
}

static void put_line(struct search *search, struct scan *s, const char *line, size_t number,
                     char mark, size_t focus)
{
    const char *end = line_end(s, line);
    show_name(&search->out, s->path);
    bytes_format(&search->out, "%c%zu%c ", mark, number, mark);
    show_line(&search->out, line, line_len(line, end), focus, SHOWN_MAX);
    bytes_text(&search->out, "\n");
    s->shown_to = end < s->end ? end + 1 : s->end;
}

/* Shows the lines before a match that have not been shown yet, as far as the context goes. */
static void put_before(struct search *search, struct scan *s, const char *line, size_t number)
{
    const char *from = line, *floor = s->shown_to ? s->shown_to : s->text;
    size_t count = 0;
    while (count < search->context && from > floor) {
        from--;
        while (from > floor && from[-1] != '\n')
            from--;
        count++;
    }
    if (search->context > 0 && search->out.len > 0 && from != s->shown_to)
        bytes_text(&search->out, "--\n");
    for (; count > 0; count--) {
        put_line(search, s, from, number - count, '-', 0);
        from = s->shown_to;
    }
}

/* Is the result full? */
static bool is_full(struct search *search)
{
    search->more = search->results == search->max_results || search->out.len >= FILE_RESULT_MAX;
    return search->more;
}

static void search_text(struct search *search, const char *path, const char *text, size_t len)
{
    struct scan s = {.path = path, .text = text, .end = text + len};
    size_t number = 1;
    for (const char *line = text; line < s.end && !search->stopped; number++) {
        const char *end = line_end(&s, line);
        size_t at = 0;
        int found = regex_find(search->regex, line, line_len(line, end), &at);
        search->given_up += found < 0;
        if (found == 1) {
            if (is_full(search))
                return;
            put_before(search, &s, line, number);
            put_line(search, &s, line, number, ':', at);
            search->results++;
            s.after = search->context;
        } else if (s.after > 0) {
            put_line(search, &s, line, number, '-', 0);
            s.after--;
        }
        line = end < s.end ? end + 1 : s.end;
        /* A line that was given up has cost as much as thousands of others. */
        search->stopped = found < 0 ? pace_over(&search->pace) : pace_tick(&search->pace);
    }
}

/* Takes over fd. */
static void search_fd(struct search *search, const char *path, int fd)
{
    struct load file;
    int rc = load_fd(fd, FILE_SEARCH_MAX, &file);
    if (rc == LOAD_TOO_BIG)
        search->too_large++;
    else if (rc != 0)
        search->unreadable++;
    else if (show_is_binary(file.data, file.len))
        search->binary++;
    else {
        search->files++;
        search_text(search, path, file.data, file.len);
    }
    load_release(&file);
}

/* ---- Many files ---- */

/* Each file is opened by the host, as every other: some are kept from tools. */
static void search_tree(struct search *search, const struct file_plugin *plugin, struct walk *w)
{
    struct walk_entry entry;
    while (!search->stopped && !search->more && walk_next(w, &entry)) {
        if (entry.type != DT_REG)
            continue;
        if (search->glob.count > 0 && !glob_set_match(&search->glob, entry.relative))
            continue;
        int32_t fd = plugin->workspace->open(search->call, entry.path, TACKLE_OPEN_FILE);
        search->denied += fd == TACKLE_E_DENIED;
        search->unreadable += fd < 0 && fd != TACKLE_E_DENIED;
        if (fd >= 0)
            search_fd(search, entry.path, fd);
        search->stopped = search->stopped || pace_over(&search->pace);
    }
}

static const char *files(size_t count)
{
    return count == 1 ? "file" : "files";
}

static void put_notes(struct search *search, const struct walk *w)
{
    const struct search *s = search;
    struct bytes *out = &search->out;
    if (s->results == 0)
        bytes_format(out, "[no match in %zu %s]\n", s->files, files(s->files));
    if (s->more)
        bytes_format(out, "[there are more than the %zu results shown]\n", s->results);
    if (s->given_up > 0)
        bytes_format(out, "[the pattern was too costly on %zu %s as no match]\n", s->given_up,
                     s->given_up == 1 ? "line, which counts" : "lines, which count");
    if (s->binary > 0)
        bytes_format(out, "[%zu binary %s skipped]\n", s->binary, files(s->binary));
    if (s->too_large > 0)
        bytes_format(out, "[%zu %s larger than %u MiB skipped]\n", s->too_large,
                     files(s->too_large), FILE_SEARCH_MAX >> 20);
    if (s->denied > 0)
        bytes_format(out, "[%zu %s skipped: the policy denies reading them]\n", s->denied,
                     files(s->denied));
    if (s->unreadable > 0)
        bytes_format(out, "[%zu %s cannot be read]\n", s->unreadable, files(s->unreadable));
    if (s->stopped)
        bytes_format(out, "[time was up after %zu %s: narrow path, glob or pattern]\n", s->files,
                     files(s->files));
    if (w)
        walk_write_notes(w, out);
}

/* A directory is tried first: when both fail, the second failure tells what the thing is. */
static int32_t search_place(struct search *search, const struct file_plugin *plugin,
                            const char *path)
{
    tackle_call *call = search->call;
    struct walk_options options = {.depth = WALK_DEPTH_MAX, .obey_ignore = true};
    struct walk *w;
    int32_t code = walk_open(plugin, call, path, &options, &search->pace, &w);
    if (code == TACKLE_OK) {
        search_tree(search, plugin, w);
    } else {
        int32_t fd = plugin->workspace->open(call, path, TACKLE_OPEN_FILE);
        if (fd < 0)
            return fd;
        search_fd(search, path, fd);
    }
    put_notes(search, w);
    walk_free(w);
    return file_send(call, &search->out);
}

static int32_t take_args(struct search *search)
{
    tackle_call *call = search->call;
    char problem[REGEX_PROBLEM_SIZE];
    const char *glob_problem;
    int64_t context, max_results;
    size_t len;
    const char *pattern = call->api->arg_text(call, "pattern", &len);
    const char *glob = call->api->arg_text(call, "glob", NULL);
    unsigned flags = (file_arg_bool(call, "ignore_case") ? REGEX_ANY_CASE : 0u) |
                     (file_arg_bool(call, "fixed") ? REGEX_FIXED : 0u);
    int32_t code = file_arg_int(call, "context", 0, 10, 0, &context);
    if (code == TACKLE_OK)
        code = file_arg_int(call, "max_results", 1, 500, 100, &max_results);
    if (code != TACKLE_OK)
        return code;
    search->context = (size_t)context;
    search->max_results = (size_t)max_results;
    if (glob && glob_set_init(&search->glob, glob, &glob_problem) != 0)
        return tackle_failf(call, TACKLE_E_ARGS, "glob cannot be used: %s", glob_problem);
    if (len == 0)
        return call->api->fail(call, TACKLE_E_ARGS, "pattern is empty");
    search->regex = regex_new(pattern, len, flags, problem);
    if (!search->regex)
        return tackle_failf(call, TACKLE_E_ARGS, "pattern cannot be used: %s", problem);
    return TACKLE_OK;
}

int32_t search_call(void *self, tackle_call *call)
{
    struct search search = {.call = call};
    const char *path = call->api->arg_text(call, "path", NULL);
    bytes_init(&search.out, 16 * FILE_RESULT_MAX);
    pace_start(&search.pace, call);
    int32_t code = take_args(&search);
    if (code == TACKLE_OK)
        code = search_place(&search, self, path ? path : ".");
    regex_free(search.regex);
    glob_set_release(&search.glob);
    bytes_release(&search.out);
    return code;
}
