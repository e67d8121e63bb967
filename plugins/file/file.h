/* What the file tools share: the plugin's state, the caps, the tools' entry points. */
#ifndef FILE_FILE_H
#define FILE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <tackle/plugin.h>

#include "bytes.h"

#define FILE_RESULT_MAX  (256u << 10) /* bytes of content in one result */
#define FILE_LINES_MAX   2000
#define FILE_ENTRIES_MAX 2000
#define FILE_WRITE_MAX   (10u << 20) /* bytes written by one call, and edited */
#define FILE_SEARCH_MAX  (16u << 20) /* bytes of a file that is searched */

struct file_plugin {
    const tackle_host *host;
    const tackle_workspace_v1 *workspace;
};

int32_t read_file_call(void *self, tackle_call *call);
int32_t write_file_call(void *self, tackle_call *call);
int32_t write_file_probe(void *self, tackle_call *call);
int32_t edit_file_call(void *self, tackle_call *call);
int32_t edit_file_probe(void *self, tackle_call *call);
int32_t list_dir_call(void *self, tackle_call *call);
int32_t find_files_call(void *self, tackle_call *call);
int32_t search_call(void *self, tackle_call *call);

/* The integer argument `key`, `otherwise` when it is absent. TACKLE_E_ARGS with fail() called when
 * it is not within min and max. */
int32_t file_arg_int(tackle_call *call, const char *key, int64_t min, int64_t max,
                     int64_t otherwise, int64_t *out);

/* The flag `key`; false when it is absent. */
bool file_arg_bool(tackle_call *call, const char *key);

/* What to say behind a file that was replaced: "", or that it had other names. */
const char *file_link_note(const struct stat *old);

/* Hands a built text to the model. */
int32_t file_send(tackle_call *call, const struct bytes *text);

#endif
