/* Decisions in words: what decided, and what would decide otherwise. */
#include "engine/policy_state.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define SHOWN_MAX 160 /* bytes of a path or a command */

void policy_line(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(out, size, format, args);
    va_end(args);
    if (len >= (int)size) { /* cut; not in the middle of a character */
        char *end = out + strlen(out);
        while (end > out && ((unsigned char)end[-1] & 0xc0) == 0x80)
            end--;
        if (end > out && ((unsigned char)end[-1] & 0x80))
            end--;
        *end = '\0';
    }
    for (char *c = out; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
}

static const char *text_of(const struct call *call, const struct subject *subject)
{
    if (subject->kind == SUBJECT_COMMAND)
        return call->subjects.commands[subject->command].text;
    return subject->text ? subject->text : "";
}

/* "; --allow 'write_file(a)' would allow it"; where no such option can be written, in words. */
static void offer(char *out, size_t size, const struct call *call, const struct subject *subject)
{
    const char *text = text_of(call, subject), *tool = call->tool->name;
    bool fits = *text && strlen(text) < SHOWN_MAX && !strchr(text, '\'');
    for (const char *c = text; *c; c++)
        fits = fits && !iscntrl((unsigned char)*c);
    /* In a glob these have a meaning of their own. */
    fits = fits && !(subject->kind == SUBJECT_PATH && strpbrk(text, "*?[]{}\\"));
    if (subject->kind == SUBJECT_CALL)
        policy_line(out, size, "--allow %s would allow it", tool);
    else if (fits)
        policy_line(out, size, "--allow '%s(%s)' would allow it", tool, text);
    else
        policy_line(out, size, "--allow '%s(...)' with a pattern for it would allow it", tool);
}

/* What the call would do, for the beginning of a sentence. */
static void name_call(char *out, size_t size, const struct call *call,
                      const struct subject *subject)
{
    static const char *const joins[] = {"", " of '", " to '", " '"};
    const char *text = text_of(call, subject);
    bool cut = strlen(text) > SHOWN_MAX;
    if (subject->kind == SUBJECT_CALL)
        policy_line(out, size, "%s", call->tool->name);
    else
        policy_line(out, size, "%s%s%.*s%s'", call->tool->name, joins[subject->kind], SHOWN_MAX,
                    text, cut ? "..." : "");
}

static void tell_default(const struct call *call, const struct subject *subject,
                         const struct finding *f, const char *what, struct policy_decision *out)
{
    char way[256];
    offer(way, sizeof way, call, subject);
    if (strcmp(f->name, DEFAULT_SECRETS) == 0)
        policy_line(out->why, sizeof out->why,
                    "%s is denied: files of this name hold secrets (%s); %s", what, f->glob, way);
    else if (strcmp(f->name, DEFAULT_EXECUTED) == 0)
        policy_line(out->why, sizeof out->why,
                    "%s needs an approval: other programs act on such files (%s); %s", what,
                    f->glob, way);
    else if (strcmp(f->name, DEFAULT_LISTED) == 0)
        policy_line(out->why, sizeof out->why, "%s needs an approval: no rule allows it; %s", what,
                    way);
    else if (strcmp(f->name, DEFAULT_UNCLEAR) == 0)
        policy_line(out->why, sizeof out->why,
                    "%s needs an approval: rules can be held to plain words only (no quotes, "
                    "expansions, redirections, assignments), or to argv; %s",
                    what, way);
    else if (strcmp(f->name, DEFAULT_TIER) == 0)
        policy_line(out->why, sizeof out->why,
                    "%s needs an approval: what it runs is not confined enough (tier %s); "
                    "--allow %s would allow it",
                    what, call->policy->tier, call->tool->name);
    else if (subject->unreadable)
        policy_line(out->why, sizeof out->why,
                    "%s needs an approval: no host can be read in its URL; write a plain http or "
                    "https URL, without a user name, with addresses in their usual form",
                    call->tool->name);
    else
        policy_line(out->why, sizeof out->why,
                    "%s needs an approval: the host is not among those allowed; --allow-host %s "
                    "would allow it",
                    what, subject->kind == SUBJECT_HOST ? subject->text : "HOST");
}

void policy_tell(const struct call *call, const struct subject *subject,
                 const struct finding *finding, struct policy_decision *out)
{
    char what[256];
    const struct policy_rule *rule = finding->rule;
    const char *verdict = policy_verdict_name(finding->verdict);
    name_call(what, sizeof what, call, subject);
    out->verdict = finding->verdict;
    if (rule)
        policy_line(out->rule, sizeof out->rule, "%s %.160s (%.80s)", verdict, rule->text,
                    rule->origin);
    else
        policy_line(out->rule, sizeof out->rule, "%s by default%s%s", verdict,
                    finding->name ? ": " : "", finding->name ? finding->name : "");
    if (finding->verdict == POLICY_ALLOW)
        out->why[0] = '\0';
    else if (rule)
        policy_line(out->why, sizeof out->why,
                    "%s %s by the rule '%.160s' (%.100s), which holds "
                    "whatever is allowed elsewhere",
                    what, finding->verdict == POLICY_DENY ? "is denied" : "needs an approval",
                    rule->text, rule->origin);
    else
        tell_default(call, subject, finding, what, out);
}
