/* The life of a connection; see connection.h. The order of phases is READ, HEAD, BODY, DRAIN and
 * READ again; SILENT is a scripted stall, END a scripted or natural close. */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "memory.h"

void connection_init(struct connection *connection, int fd, unsigned number)
{
    *connection = (struct connection){.fd = fd, .number = number, .phase = PHASE_READ};
    buf_init(&connection->in, REQUEST_HEAD_MAX + REQUEST_BODY_MAX);
    buf_init(&connection->out, SCRIPT_BODY_MAX + REQUEST_HEAD_MAX);
}

static void drop_response(struct connection *connection)
{
    if (connection->has_response)
        response_release(&connection->response);
    connection->has_response = false;
}

void connection_release(struct connection *connection)
{
    drop_response(connection);
    buf_release(&connection->in);
    buf_release(&connection->out);
    (void)close(connection->fd);
    connection->fd = -1;
}

/* False when the client has closed or the socket is broken. */
static bool receive(struct connection *connection)
{
    char block[16384];
    for (;;) {
        ssize_t got = recv(connection->fd, block, sizeof block, 0);
        if (got > 0)
            put(&connection->in, block, (size_t)got);
        else if (got == 0)
            return false;
        else if (errno != EINTR)
            return errno == EAGAIN || errno == EWOULDBLOCK;
    }
}

/* Sends what is in `out`; false when the socket is broken. */
static bool flush(struct connection *connection)
{
    connection->wants_write = false;
    while (connection->out.len > 0) {
        ssize_t sent =
            send(connection->fd, connection->out.data, connection->out.len, MSG_NOSIGNAL);
        if (sent >= 0) {
            buf_shift(&connection->out, (size_t)sent);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            connection->wants_write = true;
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static void pause_for(struct connection *connection, int64_t ms)
{
    if (ms > 0)
        connection->wake_ms = clock_ms() + ms;
}

/* The number of body bytes after which the script breaks the answer off; SIZE_MAX: it does not. */
static size_t break_at(const struct connection *connection)
{
    const struct reply *reply = connection->reply;
    switch (reply ? reply->place : PLACE_NONE) {
    case PLACE_NONE:
        break;
    case PLACE_START:
    case PLACE_HEADERS:
        return 0;
    case PLACE_HALF:
        return connection->response.body.len / 2;
    case PLACE_BYTES:
        return reply->place_bytes;
    }
    return SIZE_MAX;
}

static void break_off(struct connection *connection)
{
    static const struct linger at_once = {.l_onoff = 1};
    if (connection->reply->how == BREAK_STALL) {
        connection->phase = PHASE_SILENT;
        return;
    }
    /* With a linger time of zero, close() resets the connection (socket(7)). */
    if (connection->reply->how == BREAK_RESET)
        (void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    connection->phase = PHASE_END;
}

/* 1: a request was taken and is being answered; 0: more bytes are needed; -1: give up. */
static int read_request(struct connection *connection, connection_answer_fn answer, void *user)
{
    struct request request;
    const struct request *kept;
    bool wants_continue;
    int status = request_take(&connection->in, &request, &wants_continue, NULL);
    if (status < 0)
        return -1;
    if (status == 0) {
        if (wants_continue && !connection->continued)
            put_text(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
        connection->continued = wants_continue;
        return 0;
    }
    request.connection = connection->number;
    connection->continued = false;
    connection->reply = answer(user, &request, &kept);
    response_render(connection->reply, kept, &connection->response);
    connection->has_response = true;
    connection->piece = 0;
    connection->sent = 0;
    connection->phase = PHASE_HEAD;
    if (connection->reply)
        pause_for(connection, connection->reply->wait_ms);
    return 1;
}

static void send_head(struct connection *connection)
{
    const struct reply *reply = connection->reply;
    if (reply && reply->place == PLACE_START) {
        break_off(connection);
        return;
    }
    put(&connection->out, connection->response.head.data, connection->response.head.len);
    connection->phase = PHASE_BODY;
    if (reply)
        pause_for(connection, reply->wait_body_ms);
}

static void end_body(struct connection *connection)
{
    if (connection->response.framing == FRAMING_CHUNKED)
        put_text(&connection->out, "0\r\n\r\n");
    connection->phase = PHASE_DRAIN;
}

/* The next piece of the body, or its end. */
static void send_piece(struct connection *connection)
{
    const struct response *response = &connection->response;
    const struct reply *reply = connection->reply;
    bool endless = reply && reply->endless && response->loop > 0;
    if (endless && (connection->piece == response->end_count ||
                    response->ends[connection->piece] > response->loop))
        connection->piece = 0;
    size_t limit = break_at(connection) - connection->sent;
    if (limit == 0) {
        break_off(connection);
        return;
    }
    if (connection->piece == response->end_count) {
        end_body(connection);
        return;
    }
    size_t start = connection->piece > 0 ? response->ends[connection->piece - 1] : 0;
    size_t len = response->ends[connection->piece++] - start;
    size_t send_len = len < limit ? len : limit;
    if (len > 0 && response->framing == FRAMING_CHUNKED)
        put_format(&connection->out, "%zx\r\n", len);
    put(&connection->out, response->body.data + start, send_len);
    if (len > 0 && send_len == len && response->framing == FRAMING_CHUNKED)
        put_text(&connection->out, "\r\n");
    connection->sent += send_len;
    if (reply && connection->piece < response->end_count)
        pause_for(connection, reply->wait_chunk_ms);
}

/* What comes after the output of the last phase has been sent. False: nothing until more arrives.
 */
static bool advance(struct connection *connection, connection_answer_fn answer, void *user)
{
    switch (connection->phase) {
    case PHASE_READ: {
        int status = read_request(connection, answer, user);
        if (status < 0)
            connection->phase = PHASE_END;
        return status != 0 || connection->out.len > 0;
    }
    case PHASE_HEAD:
        send_head(connection);
        return true;
    case PHASE_BODY:
        send_piece(connection);
        return true;
    case PHASE_DRAIN:
        connection->phase = connection->response.framing == FRAMING_CLOSE ? PHASE_END : PHASE_READ;
        drop_response(connection);
        return true;
    case PHASE_SILENT:
    case PHASE_END:
        break;
    }
    return false;
}

bool connection_step(struct connection *connection, bool readable, connection_answer_fn answer,
                     void *user)
{
    /* An endless answer must not keep the others waiting. */
    int turns = 64;
    if (readable && !receive(connection))
        return false;
    for (;;) {
        if (!flush(connection))
            return false;
        if (connection->phase == PHASE_END && connection->out.len == 0)
            return false;
        if (connection->wants_write)
            return true;
        if (connection->wake_ms > clock_ms())
            return true;
        connection->wake_ms = 0;
        if (turns-- == 0) {
            connection->wake_ms = clock_ms();
            return true;
        }
        if (!advance(connection, answer, user) && connection->phase != PHASE_END)
            return true;
    }
}
