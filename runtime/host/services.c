#include "host/services.h"

#include <string.h>

const void *service_find(const char *id)
{
    static const struct {
        const char *id;
        const void *table;
    } offered[] = {
        {"log/1", &service_log},
        {"config/1", &service_config},
        {"workspace/1", &service_workspace},
        {"http/1", &service_http},
        {"process/1", &service_process},
    };
    for (size_t i = 0; id && i < sizeof offered / sizeof offered[0]; i++) {
        if (strcmp(id, offered[i].id) == 0)
            return offered[i].table;
    }
    return NULL;
}
