#include "ci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "github.h"
#include "junit.h"
#include "memory.h"
#include "outfile.h"
#include "result.h"

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

static enum ci_choice detect(void)
{
    if (is_set("GITHUB_ACTIONS"))
        return CI_GITHUB;
    return is_set("GITLAB_CI") ? CI_GITLAB : CI_NONE;
}

void ci_init(struct ci *ci, struct cli *cli)
{
    enum ci_choice chosen = cli->options.ci;
    *ci = (struct ci){.cli = cli, .kind = chosen == CI_AUTO ? detect() : chosen};
    report_init(&ci->report);
    if (ci->kind != CI_NONE) {
        stream_set_ci_log(&cli->out);
        stream_set_ci_log(&cli->err);
    }
}

void ci_release(struct ci *ci)
{
    report_release(&ci->report);
}

/* ---- GitLab ---- */

/* A line that begins or ends a part of the log that can be folded (GitLab, "Custom collapsible
 * sections"). */
static void put_section(struct ci *ci, bool begin, const char *title)
{
    stream_to_runner(&ci->cli->err, true);
    (void)fprintf(ci->cli->err.file, "\x1b[0Ksection_%s:%lld:tackle_run%s\r\x1b[0K%s\n",
                  begin ? "start" : "end", (long long)time(NULL), begin ? "[collapsed=true]" : "",
                  title);
    stream_to_runner(&ci->cli->err, false); /* and it is out before what comes on the other */
    ci->in_section = begin;
}

/* The steps of the run are one section; the answer and what went wrong stand below it. */
static void fold_steps(struct ci *ci, const char *type)
{
    const struct options *o = &ci->cli->options;
    if (ci->kind != CI_GITLAB || o->format != FORMAT_TEXT || o->quiet)
        return;
    if (strcmp(type, "run.started") == 0 && !ci->in_section)
        put_section(ci, true, "The steps of the run");
    else if (strcmp(type, "result") == 0 && ci->in_section)
        put_section(ci, false, "");
}

/* ---- All ---- */

static bool is_wanted(const struct ci *ci)
{
    return ci->kind == CI_GITHUB || ci->cli->options.junit;
}

void ci_event(struct ci *ci, const tackle_event *event)
{
    fold_steps(ci, event->type);
    if (is_wanted(ci))
        report_event(&ci->report, event);
}

void ci_refused(struct ci *ci, const tackle_error *error)
{
    if (is_wanted(ci))
        report_error(&ci->report, error);
}

static void tell_github(struct ci *ci)
{
    struct stream *err = &ci->cli->err;
    const char *summary = getenv("GITHUB_STEP_SUMMARY");
    stream_to_runner(err, true);
    github_annotate(&ci->report, err->file);
    stream_to_runner(err, false);
    if (!summary || !*summary || github_append_summary(&ci->report, summary) == 0)
        return;
    char *message =
        memory_format("cannot write the step summary, %s: %s", summary, strerror(errno));
    cli_complain(ci->cli, message);
    free(message);
}

static int write_junit(struct ci *ci, int code)
{
    tackle_error error = TACKLE_ERROR_INIT;
    char *text = junit_make(&ci->report);
    int status = outfile_write(ci->cli->options.junit, text, &error);
    free(text);
    if (status == 0)
        return code;
    cli_complain(ci->cli, error.message);
    return code ? code : error.exit_code;
}

int ci_finish(struct ci *ci, int code)
{
    if (ci->in_section)
        put_section(ci, false, "");
    if (!is_wanted(ci))
        return code;
    if (!ci->report.result) {
        tackle_error error;
        cli_error(&error, code ? code : TACKLE_EXIT_INTERNAL, "internal",
                  "the run was lost before its result");
        report_error(&ci->report, &error);
    }
    /* A reader that went away is its own wish; anything else is a failure. */
    (void)stream_flush(&ci->cli->out);
    code = cli_output_code(ci->cli, code);
    if (code < TACKLE_EXIT_SIGNALLED && json_number(ci->report.result, "exit_code") != code)
        report_lost(&ci->report, code, "the answer could not be written");
    if (ci->kind == CI_GITHUB)
        tell_github(ci);
    return ci->cli->options.junit ? write_junit(ci, code) : code;
}
