/* The keys of a runtime, and all else that must not leave it: one place in memory, one set for
 * base/redact.h. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "api/runtime.h"

/* Reads the key file that the settings name, if they do: it becomes the key of the endpoint that is
 * asked. ERR_AUTH says what is wrong with the file. */
int keys_read_file(struct tackle_runtime *rt, const struct settings *s, struct err *err);

/* Secrets of the environment: what is named like one, and what the setting `redact` names. */
int keys_learn_environment(struct tackle_runtime *rt);
int keys_learn_named(struct tackle_runtime *rt, const struct settings *s, struct err *err);

/* One more secret; NULL is none. */
int keys_learn(struct tackle_runtime *rt, const char *name, const char *value);

/* Is one of the runtime's own keys in a prompt, its files included? ERR_USAGE names it. */
int keys_refuse_in(const struct tackle_runtime *rt, const struct chat_part *parts, size_t count,
                   struct err *err);

/* Wipes and frees them. */
void keys_release(struct tackle_runtime *rt);

#endif
