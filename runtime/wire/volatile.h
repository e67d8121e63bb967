/* What may differ between a recording and its replay, and how it is told from what may not: folders
 * and names of the machine, which become placeholders in a recording (${workspace}), and patterns
 * of what is never the same twice, such as times, which count as equal when two texts are compared.
 * Secrets are among them, so that none gets into a recording. */
#ifndef WIRE_VOLATILE_H
#define WIRE_VOLATILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/redact.h"

/* Where a text stands: patterns may be for the results of tools alone. */
enum volatile_place { VOLATILE_PROSE, VOLATILE_RESULT };

struct volatile_rules;

/* The rules that tackle brings, without values yet. NULL only when out of memory. */
struct volatile_rules *volatile_new(void);
void volatile_free(struct volatile_rules *rules); /* NULL is fine */

/* What a placeholder stands for now: "workspace", "/home/ann/shop". Names: workspace, home, tmp,
 * run, host. A value too short to be told from other text is left out. 0 or -1 (out of memory). */
int volatile_set(struct volatile_rules *rules, const char *name, const char *value);

/* What must not be recorded: `secrets` are borrowed; NULL: there are none. */
void volatile_hide(struct volatile_rules *rules, const struct redact *secrets);

/* The list of a manifest: [{"name","what","was"?} | {"name","pattern","in"}]. Rules that are not
 * in it are dropped; patterns of the user's are added. ERR_CONFIG names the rule that is wrong. */
int volatile_read(struct volatile_rules *rules, const json_t *list, struct err *err);

/* That list; a new reference, NULL when out of memory. */
json_t *volatile_json(const struct volatile_rules *rules);

/* Appends the text with placeholders and without secrets. `by_model`: the model wrote it, so the
 * value is kept in the list as "was", for its replies say the same wherever they are replayed. 0 or
 * -1, as with all of struct buf. */
int volatile_mask(struct volatile_rules *rules, const char *text, size_t len, bool by_model,
                  struct buf *out);

/* Secrets only. */
int volatile_redact(const struct volatile_rules *rules, const char *text, size_t len,
                    struct buf *out);

/* Placeholders become what they stand for now. */
int volatile_unmask(const struct volatile_rules *rules, const char *text, size_t len,
                    struct buf *out);

/* Appends the text with the places of the recording ("was") as they are now: for what the model
 * asked of a tool then, and is done here. */
int volatile_move(const struct volatile_rules *rules, const char *text, size_t len,
                  struct buf *out);

/* Each match of a pattern becomes its name: two texts that are equal then are equal enough. What a
 * pattern is too complex for stays as it is. */
int volatile_smooth(const struct volatile_rules *rules, enum volatile_place place, const char *text,
                    size_t len, struct buf *out);

#endif
