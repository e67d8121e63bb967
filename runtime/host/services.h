/* The services this host offers, each in a file of its own: service_NAME.c. */
#ifndef HOST_SERVICES_H
#define HOST_SERVICES_H

#include <tackle/plugin.h>

extern const tackle_log_v1 service_log;
extern const tackle_config_v1 service_config;
extern const tackle_workspace_v1 service_workspace;
extern const tackle_http_v1 service_http;
extern const tackle_process_v1 service_process;

/* The struct of a service by its id ("log/1"); NULL when it is not offered. */
const void *service_find(const char *id);

#endif
