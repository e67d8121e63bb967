/* libcurl, loaded with the first request: it brings some thirty libraries along, TLS, Kerberos and
 * LDAP among them, which cost most of what a command takes that asks no endpoint. */
#ifndef IO_CURL_H
#define IO_CURL_H

#include <curl/curl.h>

#include "base/err.h"

#define CURL_FUNCTIONS(X)                                                                          \
    X(easy_cleanup)                                                                                \
    X(easy_getinfo)                                                                                \
    X(easy_header)                                                                                 \
    X(easy_init)                                                                                   \
    X(easy_setopt)                                                                                 \
    X(easy_strerror)                                                                               \
    X(global_cleanup)                                                                              \
    X(global_init)                                                                                 \
    X(multi_add_handle)                                                                            \
    X(multi_assign)                                                                                \
    X(multi_cleanup)                                                                               \
    X(multi_info_read)                                                                             \
    X(multi_init)                                                                                  \
    X(multi_remove_handle)                                                                         \
    X(multi_setopt)                                                                                \
    X(multi_socket_action)                                                                         \
    X(slist_append)                                                                                \
    X(slist_free_all)                                                                              \
    X(version)

/* Its functions, without the curl_ in front. */
#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
struct curl {
    CURL_FUNCTIONS(CURL_MEMBER)
};
#undef CURL_MEMBER

/* Fills `out`. The library stays loaded until the process ends. 0; -1 when it is not there. */
int curl_load(struct curl *out, struct err *err);

#endif
