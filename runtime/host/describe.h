/* What a plugin is, as JSON: `tackle-host describe PATH`. */
#ifndef HOST_DESCRIBE_H
#define HOST_DESCRIBE_H

#include <jansson.h>
#include <sys/stat.h>

#include "host/manifest.h"
#include "host/problems.h"

/* {"dev","ino","size","mtime_ns"}: is it still the same file? A new reference; NULL: no memory. */
json_t *describe_file(const struct stat *file);

/* {"name","version","description","abi":"1.0","path","needs":[...],
 *  "options":[{"name","type":"text|int|bool|url","secret":bool,"default","help"}],
 *  "tools":[{"name","description","params":{...},"does":["reads","writes","runs","network"],
 *            "parallel":bool,"effect":"never|safe|keyed|probe","hosts":[...]}],
 *  "file":{...}}
 * "default" and "params" may be null. A new reference; NULL: no memory. */
json_t *describe_plugin(const char *path, const struct manifest *manifest, const struct stat *file);

/* {"path","problems":[{"what","fix"}]} */
json_t *describe_problems(const char *path, const struct problems *problems);

/* A JSON string of any bytes: what is not UTF-8 becomes U+FFFD. */
json_t *describe_text(const char *text);

#endif
