/* Names for the points where a promise of SECURITY.md is enforced. Each is there so that a test can
 * show that it matters: a build with TACKLE_MUTATE can switch one off, and a named attack then
 * succeeds (tests/attack/mutants.txt, ./dev mutate). In every other build the answer is the
 * constant true: there is nothing to switch.
 *
 *     if (ENFORCED(path_beneath) && !beneath)
 *         return deny();
 *
 * A name is [a-z0-9_]+ and is used in one place. */
#ifndef BASE_ENFORCE_H
#define BASE_ENFORCE_H

#include <stdbool.h>

#ifdef TACKLE_MUTATE
/* False for the point that the variable TACKLE_MUTANT names. */
bool enforce_is_on(const char *point);
#define ENFORCED(point) enforce_is_on(#point)
#else
#define ENFORCED(point) true
#endif

#endif
