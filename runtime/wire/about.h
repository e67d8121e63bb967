/* What an endpoint tells of itself when it is asked with a GET: which models it has, what is left
 * on the account. Servers agree on neither form; these read all that are in use. */
#ifndef WIRE_ABOUT_H
#define WIRE_ABOUT_H

#include <jansson.h>

/* The list of models as [{"id","owned_by"?,"context"?}], sorted by id, each id once. Read are
 * {"data":[...]}, {"models":[...]} and a bare array, of objects with `id` or `name` or of texts;
 * Google's prefix "models/" is taken off; members without an id are passed over. A new reference;
 * NULL when the value holds no list, or out of memory. */
json_t *about_models(const json_t *body);

/* The balance in an answer: a number on its own, or a member with one of the usual names in the
 * object or in an object inside it; total_credits less total_usage where both are told; last a
 * number under `data`. A new reference to a number; NULL when there is none. */
json_t *about_credits(const json_t *body);

#endif
