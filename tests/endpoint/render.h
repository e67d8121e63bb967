/* Turns a reply of the script into the bytes of an HTTP response, with the places where it pauses.
 */
#ifndef ENDPOINT_RENDER_H
#define ENDPOINT_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "request.h"
#include "script.h"

/* A response, ready to be sent piece by piece. */
struct response {
    struct buf head; /* status line and headers */
    struct buf body;
    size_t *ends; /* where each piece of the body ends; the last is the body's length */
    size_t end_count;
    size_t loop;                /* with `endless`: the body up to here is sent again and again */
    enum reply_framing framing; /* never FRAMING_DEFAULT */
};

/* reply NULL: the script has no answer for this request, which is said as a 500. */
void response_render(const struct reply *reply, const struct request *request,
                     struct response *out);
void response_release(struct response *response);

#endif
