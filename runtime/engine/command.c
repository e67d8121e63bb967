#include "engine/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enforce.h"

#define WORDS_MAX 16384

/* ---- Lists of words ---- */

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

/* Room for one more in an array that doubles. */
static int make_room(void **array, size_t count, size_t item)
{
    if (count & (count - 1)) /* no power of two: there is room */
        return 0;
    void *larger = reallocarray(*array, count ? 2 * count : 1, item);
    if (!larger)
        return -1;
    *array = larger;
    return 0;
}

static int add_word(char ***words, size_t *count, const char *text, size_t len, struct err *err)
{
    if (*count >= WORDS_MAX)
        return err_set(err, ERR_LIMIT, "the command has more than %d words", WORDS_MAX);
    void *array = *words;
    if (make_room(&array, *count, sizeof **words) != 0)
        return no_memory(err);
    *words = array;
    char *word = strndup(text, len);
    if (!word)
        return no_memory(err);
    (*words)[(*count)++] = word;
    return 0;
}

static int add_part(struct command *c, size_t first, struct err *err)
{
    void *array = c->parts;
    if (make_room(&array, c->part_count, sizeof *c->parts) != 0)
        return no_memory(err);
    c->parts = array;
    c->parts[c->part_count++] = (struct command_part){first, c->word_count - first};
    return 0;
}

static void free_words(char **words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(words[i]);
    free(words);
}

void command_release(struct command *c)
{
    free(c->text);
    free_words(c->words, c->word_count);
    free_words(c->loose, c->loose_count);
    free(c->parts);
    *c = (struct command){0};
}

/* ---- Words ---- */

static bool is_in(const char *const *list, size_t count, const char *word, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == len && memcmp(list[i], word, len) == 0)
            return true;
    return false;
}

#define IS_IN(list, word) is_in(list, sizeof(list) / sizeof *(list), word, strlen(word))

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Bytes that mean themselves in every shell, wherever in a word they stand. */
static bool is_plain(char c)
{
    return is_alnum(c) || (c && strchr("_./:@%+,=-", c));
}

/* HEAD~1 and HEAD^: a tilde means something else only where a word or a value begins. */
static bool is_inner(char before, char c)
{
    return (c == '~' || c == '^') && is_alnum(before);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* sh -c TEXT, python3 -c, perl -e, node --eval; and what a shell evaluates once more. */
static bool runs_code(char *const *words, size_t count)
{
    static const char *const evaluate[] = {"eval", "source", ".", "trap", "alias"};
    static const char *const interpreters[] = {
        "sh",     "bash",    "dash",    "zsh",  "ksh",  "mksh", "ash",  "fish",  "busybox",
        "python", "python2", "python3", "perl", "ruby", "node", "deno", "bun",   "php",
        "lua",    "tclsh",   "awk",     "gawk", "mawk", "nawk", "sed",  "expect"};
    for (size_t i = 0; i < count; i++) {
        const char *name = base_name(words[i]);
        if (i == 0 && IS_IN(evaluate, name))
            return true;
        if (!IS_IN(interpreters, name))
            continue;
        if (strstr(name, "awk") || strcmp(name, "sed") == 0)
            return true;
        for (size_t k = i + 1; k < count && words[k][0] == '-'; k++)
            if (words[k][1] == '-' ? strncmp(words[k], "--eval", 6) == 0
                                   : strpbrk(words[k], "ceErp") != NULL)
                return true;
    }
    return false;
}

static void look_for_code(struct command *c)
{
    for (size_t i = 0; i < c->part_count && !c->has_code; i++)
        c->has_code = runs_code(c->words + c->parts[i].first, c->parts[i].count);
}

/* Whatever may be a word in a text that is not understood. */
static int read_loose(struct command *c, const char *text, size_t len, struct err *err)
{
    for (size_t i = 0; i < len;) {
        size_t start = i;
        while (i < len &&
               (is_plain(text[i]) || (text[i] & 0x80) || text[i] == '~' || text[i] == '^'))
            i++;
        if (i > start && add_word(&c->loose, &c->loose_count, text + start, i - start, err) != 0)
            return -1;
        i += i == start;
    }
    return 0;
}

/* ---- A line of shell ---- */

/* The length of what separates two commands at `text`; 0: it is none. */
static size_t separator(const char *text, size_t len)
{
    if (len >= 2 && (memcmp(text, "&&", 2) == 0 || memcmp(text, "||", 2) == 0))
        return 2;
    return len >= 1 && (*text == ';' || *text == '|' || *text == '\n');
}

/* The last command may end in a separator that waits for nothing more. */
static bool may_end(const char *text, size_t at, size_t len)
{
    for (; at < len; at++)
        if (!strchr(" \t\n", text[at]))
            return false;
    return true;
}

/* False: not understood. */
static int read_parts(struct command *c, const char *text, size_t len, bool *plain, struct err *err)
{
    size_t first = 0;
    *plain = true;
    for (size_t i = 0; i < len && *plain;) {
        size_t skip = separator(text + i, len - i), word = i;
        if (text[i] == ' ' || text[i] == '\t') {
            i++;
        } else if (skip > 0) {
            bool ends = (text[i] == ';' || text[i] == '\n') && may_end(text, i + skip, len);
            bool blank = text[i] == '\n' && c->word_count == first;
            *plain = c->word_count > first || blank;
            *plain = *plain && (ends || !may_end(text, i + skip, len));
            if (c->word_count > first && add_part(c, first, err) != 0)
                return -1;
            first = c->word_count;
            i += skip;
        } else {
            while (i < len && (is_plain(text[i]) || (i > word && is_inner(text[i - 1], text[i]))))
                i++;
            if (i == word || add_word(&c->words, &c->word_count, text + word, i - word, err) != 0)
                return i == word ? (*plain = false, 0) : -1;
            /* NAME=value in front of a command is an assignment. */
            *plain = c->word_count - 1 > first || !strchr(c->words[first], '=');
        }
    }
    return *plain && c->word_count > first ? add_part(c, first, err) : 0;
}

int command_read_shell(struct command *c, const char *text, size_t len, struct err *err)
{
    bool plain = false;
    *c = (struct command){0};
    if (len > COMMAND_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "the command has more than %u KiB", COMMAND_TEXT_MAX >> 10);
    c->text = strndup(text, len);
    if (!c->text)
        return no_memory(err);
    if (read_parts(c, text, len, &plain, err) != 0 || read_loose(c, text, len, err) != 0)
        return -1;
    c->understood = (plain || !ENFORCED(policy_shell_understood)) && c->part_count > 0;
    if (!c->understood)
        c->part_count = 0;
    look_for_code(c);
    return 0;
}

/* ---- An argument vector ---- */

/* For people: an item with anything but plain bytes stands in quotation marks. */
static int show_item(struct buf *out, const char *item)
{
    bool plain = *item != '\0';
    for (const char *at = item; *at; at++)
        plain = plain && is_plain(*at);
    if (out->len > 0 && buf_byte(out, ' ') != 0)
        return -1;
    if (plain)
        return buf_text(out, item);
    int status = buf_byte(out, '\'');
    for (const char *at = item; *at && status == 0; at++)
        status = *at == '\'' ? buf_text(out, "'\\''") : buf_byte(out, *at);
    return status == 0 ? buf_byte(out, '\'') : -1;
}

static bool is_program(const char *word)
{
    for (const char *at = word; *at; at++)
        if (!is_plain(*at) || *at == '=')
            return false;
    return *word != '\0';
}

int command_read_argv(struct command *c, const json_t *argv, struct err *err)
{
    struct buf text;
    size_t index;
    json_t *item;
    int status = 0;
    *c = (struct command){0};
    buf_init(&text, 5 * COMMAND_TEXT_MAX);
    json_array_foreach((json_t *)argv, index, item)
    {
        const char *word = json_string_value(item);
        size_t len = word ? strlen(word) : 0;
        if (!word || len != json_string_length(item))
            status = err_set(err, ERR_USAGE, "item %zu of the command is no text", index + 1);
        else if (len > COMMAND_TEXT_MAX || show_item(&text, word) != 0)
            status = err_set(err, ERR_LIMIT, "the command is too long");
        else if (add_word(&c->words, &c->word_count, word, len, err) != 0 ||
                 read_loose(c, word, len, err) != 0)
            status = -1;
        if (status != 0)
            break;
    }
    if (status == 0 && !(c->text = buf_take(&text)))
        status = no_memory(err);
    buf_release(&text);
    if (status != 0 || c->word_count == 0)
        return status;
    c->understood = is_program(c->words[0]);
    status = add_part(c, 0, err);
    look_for_code(c);
    return status;
}

/* ---- Patterns ---- */

static bool token_is(const char *token, const char *word, size_t len)
{
    for (;;) {
        size_t part = strcspn(token, "\n");
        if (part == len && memcmp(token, word, len) == 0)
            return true;
        if (token[part] == '\0')
            return false;
        token += part + 1;
    }
}

/* `...` closes a pattern; nothing else may hold it. */
static int add_token(struct command_pattern *p, const char *text, size_t len, struct err *err)
{
    if (p->open)
        return err_set(err, ERR_USAGE, "'...' may only be the last word");
    if (len == 3 && memcmp(text, "...", 3) == 0) {
        p->open = true;
        return p->count > 0 ? 0
                            : err_set(err, ERR_USAGE,
                                      "a program must stand before '...'; the tool's name alone is "
                                      "about all commands");
    }
    if (len == 0)
        return err_set(err, ERR_USAGE, "a word of the command is empty");
    if (p->count == COMMAND_TOKENS_MAX)
        return err_set(err, ERR_USAGE, "a command has %d words at most", COMMAND_TOKENS_MAX);
    return add_word(&p->tokens, &p->count, text, len, err);
}

int command_pattern_parse(struct command_pattern *p, const char *text, struct err *err)
{
    *p = (struct command_pattern){0};
    for (const char *at = text + strspn(text, " \t"); *at; at += strspn(at, " \t")) {
        size_t len = strcspn(at, " \t");
        if (add_token(p, at, len, err) != 0)
            return -1;
        at += len;
        if (p->open)
            continue;
        char *token = p->tokens[p->count - 1];
        if (*token == '|' || token[strlen(token) - 1] == '|' || strstr(token, "||"))
            continue; /* an operator of a shell, not alternatives */
        for (; *token; token++)
            *token = *token == '|' ? '\n' : *token;
    }
    return p->count > 0 ? 0 : err_set(err, ERR_USAGE, "a command is wanted: git log ...");
}

/* Alternatives, as one token. */
static int add_choice(struct command_pattern *p, const json_t *choice, struct err *err)
{
    struct buf token;
    size_t index;
    json_t *item;
    int status = 0;
    buf_init(&token, 65536);
    if (json_array_size(choice) == 0)
        status = err_set(err, ERR_USAGE, "a list of alternatives is empty");
    json_array_foreach((json_t *)choice, index, item)
    {
        const char *word = json_string_value(item);
        if (!word || !*word || strpbrk(word, "\n\r"))
            status = err_set(err, ERR_USAGE, "an alternative must be one word");
        else if (buf_format(&token, "%s%s", index ? "\n" : "", word) != 0)
            status = err_set(err, ERR_USAGE, "the alternatives are too long");
        if (status != 0)
            break;
    }
    if (status == 0)
        status = add_token(p, token.data, token.len, err);
    buf_release(&token);
    return status;
}

int command_pattern_from_json(struct command_pattern *p, const json_t *list, struct err *err)
{
    size_t index;
    json_t *item;
    *p = (struct command_pattern){0};
    if (json_is_string(list))
        return command_pattern_parse(p, json_string_value(list), err);
    json_array_foreach((json_t *)list, index, item)
    {
        const char *word = json_string_value(item);
        int status = 0;
        if (json_is_array(item))
            status = add_choice(p, item, err);
        else if (!word || strpbrk(word, "\n\r"))
            status = err_set(err, ERR_USAGE, "word %zu must be a text, or a list of alternatives",
                             index + 1);
        else
            status = add_token(p, word, strlen(word), err);
        if (status != 0)
            return -1;
    }
    return p->count > 0 ? 0 : err_set(err, ERR_USAGE, "a command is wanted: [git, log, ...]");
}

void command_pattern_release(struct command_pattern *p)
{
    free_words(p->tokens, p->count);
    *p = (struct command_pattern){0};
}

/* ---- Matching ---- */

/* Options of git behind its subcommand that run a program or write a file of any name; git takes
 * them shortened as well. */
static bool is_wild_for_git(const char *word)
{
    static const char *const options[] = {
        "--output",      "--ext-diff",       "--textconv",   "--exec",
        "--upload-pack", "--receive-pack",   "--no-index",   "--open-files-in-pager",
        "--extcmd",      "--upload-archive", "--config-env", "--git-dir",
        "--work-tree",   "--exec-path"};
    size_t len = strcspn(word, "=");
    if (word[0] == '-' && word[1] == 'O')
        return true;
    if (strncmp(word, "--", 2) != 0 || len < 3 || strcmp(word, "--text") == 0)
        return false;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strncmp(options[i], word, len) == 0)
            return true;
    return false;
}

bool command_is(const struct command *c, size_t part, const struct command_pattern *p,
                bool any_program)
{
    char *const *words = c->words + c->parts[part].first;
    size_t count = c->parts[part].count;
    if (!c->understood || count < p->count || (count > p->count && !p->open))
        return false;
    const char *program = ENFORCED(policy_bare_program) ? words[0] : base_name(words[0]);
    if (!any_program && !token_is(p->tokens[0], program, strlen(program)))
        return false;
    for (size_t i = 1; i < p->count; i++)
        if (!token_is(p->tokens[i], words[i], strlen(words[i])))
            return false;
    bool is_git = strcmp(base_name(words[0]), "git") == 0;
    for (size_t i = p->count; is_git && i < count && strcmp(words[i], "--") != 0; i++)
        if (ENFORCED(policy_git_options) && is_wild_for_git(words[i]))
            return false;
    return true;
}

/* Is the word, or the path's last name or the value of an option in it, this program? */
static bool names_program(const char *token, const char *word)
{
    const char *value = strrchr(word, '=');
    const char *name = base_name(word);
    if (token_is(token, word, strlen(word)) || token_is(token, name, strlen(name)))
        return true;
    name = value ? base_name(value + 1) : NULL;
    return name && token_is(token, name, strlen(name));
}

/* The pattern's other words behind a word that is its program. */
static bool goes_on(char *const *words, size_t count, const struct command_pattern *p)
{
    bool options = false; /* one was passed over: what follows may be its value */
    size_t token = 1;
    for (size_t i = 0; i < count && token < p->count; i++) {
        if (token_is(p->tokens[token], words[i], strlen(words[i])))
            token++;
        else if (words[i][0] == '-')
            options = true;
        else if (!options)
            return false;
    }
    return token == p->count;
}

bool command_mentions(const struct command *c, const struct command_pattern *p)
{
    for (size_t i = 0; i < c->loose_count; i++)
        if (names_program(p->tokens[0], c->loose[i]) &&
            goes_on(c->loose + i + 1, c->loose_count - i - 1, p))
            return true;
    return false;
}
