#include "io/curl.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libcurl.so.4" /* its name since 2006 */

/* dlsym() gives an object pointer; POSIX says that it can hold a function's. */
static int find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol ? 0 : -1;
}

int curl_load(struct curl *out, struct err *err)
{
    void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        return err_set(err, ERR_INTERNAL, "libcurl cannot be loaded: %s", dlerror());
#define FIND(name)                                                                                 \
    if (find(library, "curl_" #name, &out->name) != 0)                                             \
        return err_set(err, ERR_INTERNAL, "%s has no curl_%s: it is too old", LIBRARY, #name);
    CURL_FUNCTIONS(FIND)
#undef FIND
    return 0;
}
