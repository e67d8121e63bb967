/*
 * The link between the runtime and a tackle-host process: frames on a stream socket. Pure functions
 * on bytes; both ends use these, and neither trusts the other.
 *
 * A frame is 12 bytes of header, little-endian, and a payload:
 *     u32 payload length | u16 type | u16 zero | u32 call number (0: not about a call)
 *
 * One call runs at a time on one link. Descriptors of the host process: 3 the socket, 4 the
 * workspace directory (O_PATH), 5 an eventfd that the runtime writes to cancel the running call.
 * The runtime drains it before it sends a CALL; the host only polls it, since it could not tell a
 * cancel that is left over from one that came right behind the call.
 *
 *     runtime                                   host
 *     OPEN        json                   ->
 *                                        <-     OPENED json | REFUSED json
 *     CALL        json; arguments        ->
 *                                        <-     OUTPUT bytes, PROGRESS text, CHANGED json
 *                                        <-     REMEMBER text
 *     REMEMBERED  error, "" when fine    ->
 *                                        <-     FETCH json; body
 *     FETCHED     json; body             ->
 *                                        <-     DONE json
 *     CLOSE                              ->     (the host calls close() and exits)
 *                                        <-     LOG json, at any time, before OPENED too
 *
 *     OPEN     {"version":"0.1.0","options":{name:text},"workspace":"/abs","write":bool,
 *               "home":"/abs"?,"tmp":"/abs"?,       HOME and TMPDIR of the programs it starts
 *               "sandbox":{...}?,                   see below; without it as "tier":"off"
 *               "deny_read":["glob"...]?, "deny_write":["glob"...]?,   for workspace/1
 *               "mounts":bool?}                     may it enter other mounts below the workspace?
 *     OPENED   {"file":{"dev","ino","size","mtime_ns"},
 *               "tier":"t3","landlock":7,"cgroup":"pids,memory","via":"self"|"bwrap"}
 *     REFUSED  {"problem":text} | {"problem":text,"sandbox":true,"step":"mount proc"}
 *     CALL     {"tool","key","ms","cap","probe":bool,"note":text?}; the arguments as JSON
 *     CHANGED  {"path","what":"created"|"modified"|"deleted"}
 *     LOG      {"level":"debug"|"info"|"warn"|"error","text"}
 *     FETCH    {"method","url","headers":["Name: value"]}; the request's body
 *     FETCHED  {"status","content_type","location"} | {"code":-3,"message":text};
 *              the response's body
 *     DONE     {"code","message","omitted","recycle":bool}
 *
 * The sandbox is closed between OPEN and the first instruction of the plugin:
 *
 *     {"tier":"t3"|"t2"|"external"|"off",
 *      "write":bool        the workspace may change
 *      "runs":bool         the plugin starts programs
 *      "git":"write"|"read"    "read": .git and .tackle stay as they are, the workspace may change
 *      "network":"none"|"host",
 *      "read":["/abs"...]  more folders that may be read
 *      "hide":["glob"...]  files of the workspace that nobody in it can read (t3)
 *      "memory_mib":N, "processes":N, "file_mib":N}     0 or left out: no limit
 *
 * What cannot be closed as it was asked for is REFUSED with "sandbox":true and the step that
 * failed; nothing of the plugin has run then. OPENED tells what was closed, which is the tier asked
 * for: "landlock" is the version of Landlock's interface (0: the kernel has none), "cgroup" the
 * controllers that hold it to its limits ("": only limits of single processes do), "via" who made
 * the namespaces of t3. The process that answers need not be the one that was started; that one
 * ends as it ends.
 *
 * "recycle" says that the plugin leaks: the next call should get a new process. A host that has
 * given up waiting for FETCHED, because the call was cancelled, passes over it when it comes.
 */
#ifndef WIRE_LINK_H
#define WIRE_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define LINK_SOCKET_FD    3
#define LINK_WORKSPACE_FD 4
#define LINK_CANCEL_FD    5

#define LINK_HEADER_SIZE 12u
#define LINK_PAYLOAD_MAX (32u << 20)

enum link_type {
    LINK_OPEN = 1,
    LINK_CALL = 2,
    LINK_REMEMBERED = 3,
    LINK_FETCHED = 4,
    LINK_CLOSE = 5,
    LINK_OPENED = 16,
    LINK_REFUSED = 17,
    LINK_OUTPUT = 18,
    LINK_PROGRESS = 19,
    LINK_LOG = 20,
    LINK_CHANGED = 21,
    LINK_REMEMBER = 22,
    LINK_FETCH = 23,
    LINK_DONE = 24
};

struct link_frame {
    uint16_t type;
    uint32_t call;
    const char *payload; /* borrowed from the buffer that was read; not zero-terminated */
    size_t len;
};

/* Appends a frame to `out`. -1 when the payload is over LINK_PAYLOAD_MAX or out is full. */
int link_write(struct buf *out, uint16_t type, uint32_t call, const void *payload, size_t len);

/* A frame of two parts, for CALL, FETCH and FETCHED: u32 length of `head`, head (JSON), body. */
int link_write_parts(struct buf *out, uint16_t type, uint32_t call, const char *head,
                     size_t head_len, const void *body, size_t body_len);

/* Takes the first frame of data[0..len). Returns the bytes it uses, 0 when more are needed, -1 for
 * a frame that breaks the rules: too long, unknown type, non-zero padding. */
long link_read(const char *data, size_t len, struct link_frame *frame, struct err *err);

/* Splits the payload of a frame of two parts. 0 or -1. */
int link_read_parts(const struct link_frame *frame, const char **head, size_t *head_len,
                    const char **body, size_t *body_len);

#endif
