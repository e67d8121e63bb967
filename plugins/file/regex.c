/* PCRE2 for patterns and lines that nobody has vetted. */
#include "regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/enforce.h"

#define MATCH_STEPS_MAX 1000000u
#define HEAP_KIB_MAX    32768u
#define DEPTH_MAX       10000u
#define NESTING_MAX     100u
#define JIT_STACK_MIN   (32u << 10)
#define JIT_STACK_MAX   (1u << 20)

struct regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
    pcre2_jit_stack *stack; /* NULL without just-in-time compilation */
};

static pcre2_code *compile(const char *pattern, size_t len, unsigned flags,
                           char problem[REGEX_PROBLEM_SIZE])
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    if (flags & REGEX_FIXED)
        options |= PCRE2_LITERAL;
    else
        options |= PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
    if (flags & REGEX_ANY_CASE)
        options |= PCRE2_CASELESS;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int error = PCRE2_ERROR_NOMEMORY;
    PCRE2_SIZE at = 0;
    pcre2_code *code = NULL;
    if (context &&
        (!ENFORCED(regex_nesting) || pcre2_set_parens_nest_limit(context, NESTING_MAX) == 0) &&
        pcre2_set_max_pattern_length(context, REGEX_PATTERN_MAX) == 0)
        code = pcre2_compile((PCRE2_SPTR)pattern, len, options, &error, &at, context);
    pcre2_compile_context_free(context);
    if (!code) {
        PCRE2_UCHAR text[200] = "unknown error";
        (void)pcre2_get_error_message(error, text, sizeof text);
        (void)snprintf(problem, REGEX_PROBLEM_SIZE, "%s, at offset %zu", (const char *)text, at);
    }
    return code;
}

/* Compiled code is several times as fast; where it cannot be had (no executable memory) the
 * interpreter does the same. */
static void set_up_jit(struct regex *r)
{
    if (pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE) != 0)
        return;
    r->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
    if (r->stack)
        pcre2_jit_stack_assign(r->limits, NULL, r->stack);
}

struct regex *regex_new(const char *pattern, size_t len, unsigned flags,
                        char problem[REGEX_PROBLEM_SIZE])
{
    struct regex *r = calloc(1, sizeof *r);
    (void)snprintf(problem, REGEX_PROBLEM_SIZE, "out of memory");
    if (!r)
        return NULL;
    r->code = compile(pattern, len, flags, problem);
    if (!r->code)
        goto failed;
    r->data = pcre2_match_data_create(1, NULL);
    r->limits = pcre2_match_context_create(NULL);
    if (!r->data || !r->limits ||
        pcre2_set_match_limit(r->limits, ENFORCED(regex_steps) ? MATCH_STEPS_MAX : UINT32_MAX) !=
            0 ||
        pcre2_set_heap_limit(r->limits, HEAP_KIB_MAX) != 0 ||
        pcre2_set_depth_limit(r->limits, DEPTH_MAX) != 0)
        goto failed;
    set_up_jit(r);
    return r;
failed:
    regex_free(r);
    return NULL;
}

void regex_free(struct regex *r)
{
    if (!r)
        return;
    pcre2_jit_stack_free(r->stack);
    pcre2_match_context_free(r->limits);
    pcre2_match_data_free(r->data);
    pcre2_code_free(r->code);
    free(r);
}

int regex_find(struct regex *r, const char *line, size_t len, size_t *at)
{
    int rc = pcre2_match(r->code, (PCRE2_SPTR)line, len, 0, 0, r->data, r->limits);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return -1;
    *at = pcre2_get_ovector_pointer(r->data)[0];
    return 1;
}
