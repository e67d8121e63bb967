/* Putting tool calls together from pieces that servers key in different ways: by index, by id, by
 * neither; ids missing, empty or repeated; names repeated; arguments as text or as objects. */
#include "wire/chat_calls.h"

#include <stdlib.h>
#include <string.h>

#include "wire/chat_args.h"
#include "wire/chat_reply.h"
#include "wire/chat_echo.h"

#define NAME_MAX_BYTES 256u

static void draft_init(struct chat_draft *draft)
{
    *draft = (struct chat_draft){.is_function = true};
    buf_init(&draft->name, NAME_MAX_BYTES);
    buf_init(&draft->args, CHAT_ARGS_MAX);
}

static void draft_release(struct chat_draft *draft)
{
    free(draft->id);
    buf_release(&draft->name);
    buf_release(&draft->args);
    json_decref(draft->extra);
}

void chat_calls_init(struct chat_calls *calls)
{
    *calls = (struct chat_calls){0};
    draft_init(&calls->function_call);
}

void chat_calls_release(struct chat_calls *calls)
{
    for (size_t i = 0; i < calls->count; i++)
        draft_release(&calls->drafts[i]);
    free(calls->drafts);
    draft_release(&calls->function_call);
    chat_calls_init(calls);
}

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

static struct chat_draft *new_draft(struct chat_calls *calls, struct err *err)
{
    if (calls->count >= CHAT_CALLS_MAX) {
        (void)err_set(err, ERR_LIMIT, "the model asked for more than %u tool calls at once",
                      CHAT_CALLS_MAX);
        return NULL;
    }
    struct chat_draft *drafts =
        reallocarray(calls->drafts, calls->count + 1, sizeof *calls->drafts);
    if (!drafts) {
        (void)no_memory(err);
        return NULL;
    }
    calls->drafts = drafts;
    draft_init(&drafts[calls->count]);
    return &drafts[calls->count++];
}

/* A text member; NULL when absent, empty or no text. */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : NULL;
}

static struct chat_draft *with_id(struct chat_calls *calls, const char *id)
{
    for (size_t i = calls->count; id && i-- > 0;)
        if (calls->drafts[i].id && strcmp(calls->drafts[i].id, id) == 0)
            return &calls->drafts[i];
    return NULL;
}

static struct chat_draft *with_index(struct chat_calls *calls, json_int_t index)
{
    for (size_t i = calls->count; i-- > 0;)
        if (calls->drafts[i].has_index && calls->drafts[i].index == index)
            return &calls->drafts[i];
    return NULL;
}

/* Does a piece with another name begin another call, as this one has all of its arguments? */
static bool is_complete_and_not(const struct chat_draft *draft, const char *name)
{
    if (!name || draft->name.len == 0 || strcmp(draft->name.data, name) == 0)
        return false;
    size_t used = chat_args_first(draft->args.data, draft->args.len);
    return used > 0 && strspn(draft->args.data + used, " \t\r\n") == draft->args.len - used;
}

/* The call that a piece of a stream belongs to; NULL: it begins a new one. */
static struct chat_draft *find_draft(struct chat_calls *calls, const char *id, const char *name,
                                     const json_t *index)
{
    struct chat_draft *draft = with_id(calls, id);
    if (draft) {
        /* two calls under one id: told apart by their indexes when both are named */
        bool other = name && draft->has_index && json_is_integer(index) &&
                     draft->index != json_integer_value(index);
        return other || is_complete_and_not(draft, name) ? NULL : draft;
    }
    if (json_is_integer(index)) {
        draft = with_index(calls, json_integer_value(index));
        /* some proxies give every parallel call index 0 */
        bool other = draft && ((id && name && draft->id) || is_complete_and_not(draft, name));
        return other ? NULL : draft;
    }
    /* without an index parallel calls come one a piece, each named: never take 0 for them */
    if (id || name || calls->count == 0)
        return NULL;
    return &calls->drafts[calls->count - 1];
}

/* A name may be repeated in each piece, and may itself come in pieces before the arguments. */
static void take_name(struct chat_draft *draft, const char *name)
{
    if (!name || strcmp(draft->name.data, name) == 0)
        return;
    if (draft->name.len == 0 || draft->args.len == 0)
        (void)buf_append(&draft->name, name, strlen(name)); /* past the cap no tool is named so */
}

static int take_args(struct chat_draft *draft, const json_t *args, struct err *err)
{
    int status = 0;
    if (json_is_string(args)) {
        status = buf_append(&draft->args, json_string_value(args), json_string_length(args));
    } else if (json_is_object(args) || json_is_array(args)) {
        char *text = json_dumps(args, JSON_COMPACT);
        if (!text)
            return no_memory(err);
        status = buf_text(&draft->args, text);
        free(text);
    }
    if (status)
        return err_set(err, ERR_LIMIT, "the arguments of a tool call are over %u MiB",
                       CHAT_ARGS_MAX >> 20);
    return 0;
}

/* What the server adds to a call has to go back with it. */
static int take_extra(struct chat_draft *draft, const json_t *piece, struct err *err)
{
    static const char *const known[] = {"index", "id", "type", "function", "custom"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)piece, key, value)
    {
        bool is_known = json_is_null(value);
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known = is_known || strcmp(key, known[i]) == 0;
        if (is_known)
            continue;
        if (!draft->extra)
            draft->extra = json_object();
        if (chat_echo_merge(draft->extra, key, value))
            return no_memory(err);
    }
    return 0;
}

int chat_calls_take(struct chat_calls *calls, const json_t *piece, bool whole, struct err *err)
{
    if (json_object_size(piece) == 0)
        return 0;
    const json_t *function = json_object_get(piece, "function");
    const json_t *index = json_object_get(piece, "index");
    const char *id = text_of(piece, "id"), *type = text_of(piece, "type");
    bool is_function = !type || strcmp(type, "function") == 0;
    if (!is_function && !function)
        function = json_object_get(piece, type);
    const char *name = text_of(function, "name");
    struct chat_draft *draft = whole ? NULL : find_draft(calls, id, name, index);
    if (!draft)
        draft = new_draft(calls, err);
    if (!draft)
        return -1;
    if (json_is_integer(index)) {
        draft->index = json_integer_value(index);
        draft->has_index = true;
    }
    if (!is_function)
        draft->is_function = false;
    if (id && !draft->id && !(draft->id = strdup(id)))
        return no_memory(err);
    take_name(draft, name);
    if (take_args(draft, json_object_get(function, "arguments"), err))
        return -1;
    return take_extra(draft, piece, err);
}

int chat_calls_take_function_call(struct chat_calls *calls, const json_t *piece, struct err *err)
{
    take_name(&calls->function_call, text_of(piece, "name"));
    return take_args(&calls->function_call, json_object_get(piece, "arguments"), err);
}

static bool is_blank(const struct chat_draft *draft)
{
    return draft->name.len == 0 && draft->args.len == 0 && !draft->id;
}

bool chat_calls_any_without_args(const struct chat_calls *calls)
{
    for (size_t i = 0; i < calls->count; i++)
        if (calls->drafts[i].args.len == 0 && !is_blank(&calls->drafts[i]))
            return true;
    return calls->count == 0 && calls->function_call.name.len > 0 &&
           calls->function_call.args.len == 0;
}

/* Adds a call to the turn with a copy of the draft's name and of the given arguments. */
static struct chat_call *add_call(struct chat_turn *turn, const struct chat_draft *draft,
                                  const char *text, size_t len, struct err *err)
{
    if (turn->call_count >= CHAT_CALLS_MAX) {
        (void)err_set(err, ERR_LIMIT, "the model asked for more than %u tool calls at once",
                      CHAT_CALLS_MAX);
        return NULL;
    }
    struct chat_call *calls = reallocarray(turn->calls, turn->call_count + 1, sizeof *turn->calls);
    if (!calls) {
        (void)no_memory(err);
        return NULL;
    }
    turn->calls = calls;
    struct chat_call *call = &calls[turn->call_count];
    *call = (struct chat_call){.name = strdup(draft->name.data), .text = malloc(len + 1)};
    if (!call->name || !call->text) {
        chat_call_release(call);
        (void)no_memory(err);
        return NULL;
    }
    memcpy(call->text, text, len);
    call->text[len] = '\0';
    call->len = len;
    turn->call_count++;
    return call;
}

static int replace_text(struct chat_call *call, struct err *err)
{
    char *text = json_dumps(call->args, JSON_COMPACT);
    if (!text)
        return no_memory(err);
    free(call->text);
    call->text = text;
    call->len = strlen(text);
    return 0;
}

/* Reads the arguments of a call that is in the turn. */
static int read_args(struct chat_turn *turn, struct chat_call *call, bool is_function,
                     struct err *err)
{
    struct err problem = {0};
    bool repaired = false;
    if (is_function)
        call->args = chat_args_parse(call->text, call->len, &repaired, &problem);
    else
        (void)err_set(&problem, ERR_PARSE,
                      "this type of tool call is not supported: call one of "
                      "the functions that are declared");
    if (!call->args) {
        call->problem = strdup(problem.text);
        return call->problem ? 0 : no_memory(err);
    }
    if (repaired)
        (void)buf_format(&turn->warnings, "arguments of %s were mended\n", call->name);
    return repaired || call->text[strspn(call->text, " \t\r\n")] != '{' ? replace_text(call, err)
                                                                        : 0;
}

/* Arguments that are a run of objects: a call each, but for a {} that was put in front. */
static int split(struct chat_turn *turn, const struct chat_draft *draft, struct err *err)
{
    const char *text = draft->args.data;
    size_t left = draft->args.len, used;
    bool first = true;
    for (; (used = chat_args_first(text, left)) > 0; text += used, left -= used) {
        size_t blanks = strspn(text, " \t\r\n");
        bool empty = used - blanks == 2;
        if (first && empty && chat_args_first(text + used, left - used) > 0) {
            first = false;
            continue;
        }
        struct chat_call *call = add_call(turn, draft, text, used, err);
        if (!call || read_args(turn, call, draft->is_function, err))
            return -1;
        first = false;
    }
    (void)buf_format(&turn->warnings, "arguments of %s held several objects\n", draft->name.data);
    return 0;
}

static int finish_draft(struct chat_draft *draft, struct chat_turn *turn, struct err *err)
{
    size_t at = turn->call_count;
    if (draft->is_function && chat_args_is_run(draft->args.data, draft->args.len)) {
        if (split(turn, draft, err))
            return -1;
    } else {
        struct chat_call *call = add_call(turn, draft, draft->args.data, draft->args.len, err);
        if (!call || read_args(turn, call, draft->is_function, err))
            return -1;
    }
    turn->calls[at].id = draft->id;
    turn->calls[at].extra = draft->extra;
    draft->id = NULL;
    draft->extra = NULL;
    return 0;
}

int chat_calls_finish(struct chat_calls *calls, struct chat_turn *turn, struct err *err)
{
    for (size_t i = 0; i < calls->count; i++)
        if (!is_blank(&calls->drafts[i]) && finish_draft(&calls->drafts[i], turn, err))
            return -1;
    /* some servers put an empty function_call into every answer */
    if (turn->call_count == 0 && calls->function_call.name.len > 0)
        return finish_draft(&calls->function_call, turn, err);
    return 0;
}
