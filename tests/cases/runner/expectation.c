/* Reads the lines of `expect` sections: SUBJECT CONDITION. See case.h and tests/README.md. */
#include "case.h"

#include <stdlib.h>
#include <string.h>

#include "endpoint/match.h"
#include "endpoint/memory.h"

static const struct {
    const char *word;
    enum subject subject;
    bool has_name;    /* a path or a type follows */
    bool has_pointer; /* a JSON pointer may follow */
} subjects[] = {
    {"exit", SUBJECT_EXIT, false, false},         {"stdout", SUBJECT_STDOUT, false, false},
    {"stderr", SUBJECT_STDERR, false, false},     {"json", SUBJECT_JSON, false, true},
    {"result", SUBJECT_RESULT, false, true},      {"event", SUBJECT_EVENT, true, true},
    {"requests", SUBJECT_REQUESTS, false, false}, {"request", SUBJECT_REQUEST, false, false},
    {"file", SUBJECT_FILE, true, false},          {"mode", SUBJECT_MODE, true, false},
    {"commits", SUBJECT_COMMITS, false, false},
};

/* "exit 3" and "exit signal 9" mean "exit is ..."; "exit matches ^[23]$" stands for itself. */
static int read_exit(const char *rest, struct expectation *out, struct err *err)
{
    struct buf text;
    bool is_plain = strncmp(rest, "matches ", 8) != 0;
    buf_init(&text, SECTIONS_FILE_MAX);
    put_format(&text, "%s%s", is_plain ? "is " : "", rest);
    out->match = match_new(text.data, err);
    buf_release(&text);
    return out->match ? 0 : -1;
}

static void read_endpoint(const char **rest, struct expectation *out)
{
    free(out->endpoint);
    out->endpoint = words_skip(rest, "of") ? words_take(rest) : memory_text(CASE_MAIN_ENDPOINT);
}

/* "2 CONDITION", "last of other CONDITION", "any CONDITION" */
static int read_request(const char *rest, struct expectation *out, struct err *err)
{
    if (words_skip(&rest, "any")) {
        out->request = REQUEST_ANY;
    } else if (words_skip(&rest, "last")) {
        out->request = REQUEST_LAST;
    } else {
        char *number = words_take(&rest);
        int status = words_number(number, 1000000, &out->request, err);
        free(number);
        if (status || out->request == 0)
            return err_set(err, ERR_PARSE, "write request N, any or last [of ENDPOINT] CONDITION");
    }
    read_endpoint(&rest, out);
    out->condition = condition_new(rest, err);
    return out->condition ? 0 : -1;
}

/* A name may be in quotation marks when it has spaces in it. */
static int read_name(const char **rest, char **name, struct err *err)
{
    const char *end = **rest == '"' ? strchr(*rest + 1, '"') : NULL;
    free(*name);
    *name = end ? memory_copy(*rest + 1, (size_t)(end - *rest - 1)) : words_take(rest);
    if (end)
        *rest = end + 1 + strspn(end + 1, " ");
    return **name ? 0 : err_set(err, ERR_PARSE, "a name must follow");
}

int expectation_read(const char *text, int line, struct expectation *out, struct err *err)
{
    const char *rest = text;
    *out = (struct expectation){.line = line,
                                .text = memory_text(text),
                                .endpoint = memory_text(CASE_MAIN_ENDPOINT),
                                .name = memory_text(""),
                                .pointer = memory_text("")};
    size_t i = 0, count = sizeof subjects / sizeof *subjects;
    while (i < count && !words_skip(&rest, subjects[i].word))
        i++;
    if (i == count)
        return err_set(err, ERR_PARSE,
                       "\"%s\" is no expectation; it begins with exit, stdout, stderr, json, "
                       "result, event, requests, request, file, mode, commits or tolerate",
                       text);
    out->subject = subjects[i].subject;
    if (out->subject == SUBJECT_EXIT)
        return read_exit(rest, out, err);
    if (out->subject == SUBJECT_REQUEST)
        return read_request(rest, out, err);
    if (out->subject == SUBJECT_REQUESTS)
        read_endpoint(&rest, out);
    if (subjects[i].has_name && read_name(&rest, &out->name, err))
        return -1;
    if (subjects[i].has_pointer && *rest == '/') {
        free(out->pointer);
        out->pointer = words_take(&rest);
    }
    out->match = match_new(rest, err);
    return out->match ? 0 : -1;
}

int expectation_read_body(const struct section *section, struct expectation *out, struct err *err)
{
    struct buf line;
    const char *rest = section->words;
    bool is_file = words_skip(&rest, "file");
    if (!is_file && strcmp(rest, "stdout") != 0 && strcmp(rest, "stderr") != 0)
        return err_set(err, ERR_PARSE, "write === expect [stdout | stderr | file PATH]");
    json_t *value = json_stringn(section->body, section->body_len);
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    int status = err_set(err, ERR_PARSE, "the text is no UTF-8");
    if (text) {
        buf_init(&line, SECTIONS_FILE_MAX * 2);
        put_format(&line, "%s is %s", section->words, text);
        status = expectation_read(line.data, section->line, out, err);
        buf_release(&line);
    }
    free(text);
    json_decref(value);
    return status;
}

void expectation_release(struct expectation *expectation)
{
    free(expectation->text);
    free(expectation->endpoint);
    free(expectation->name);
    free(expectation->pointer);
    match_free(expectation->match);
    condition_free(expectation->condition);
}
