#include "wire/link.h"

#include <stdbool.h>

static void put_u16(unsigned char *to, uint16_t value)
{
    to[0] = (unsigned char)(value & 0xff);
    to[1] = (unsigned char)(value >> 8);
}

static void put_u32(unsigned char *to, uint32_t value)
{
    put_u16(to, (uint16_t)(value & 0xffff));
    put_u16(to + 2, (uint16_t)(value >> 16));
}

static uint16_t get_u16(const unsigned char *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static uint32_t get_u32(const unsigned char *from)
{
    return get_u16(from) | (uint32_t)get_u16(from + 2) << 16;
}

/* The header of a frame, with room behind it for all of the payload: the appends that follow
 * cannot fail, so a frame is there whole or not at all. */
static int write_header(struct buf *out, uint16_t type, uint32_t call, size_t len)
{
    unsigned char header[LINK_HEADER_SIZE] = {0};
    if (len > LINK_PAYLOAD_MAX || buf_reserve(out, LINK_HEADER_SIZE + len))
        return -1;
    put_u32(header, (uint32_t)len);
    put_u16(header + 4, type);
    put_u32(header + 8, call);
    return buf_append(out, header, sizeof header);
}

int link_write(struct buf *out, uint16_t type, uint32_t call, const void *payload, size_t len)
{
    if (write_header(out, type, call, len))
        return -1;
    return buf_append(out, payload, len);
}

int link_write_parts(struct buf *out, uint16_t type, uint32_t call, const char *head,
                     size_t head_len, const void *body, size_t body_len)
{
    unsigned char length[4];
    if (head_len > LINK_PAYLOAD_MAX || body_len > LINK_PAYLOAD_MAX ||
        write_header(out, type, call, sizeof length + head_len + body_len))
        return -1;
    put_u32(length, (uint32_t)head_len);
    if (buf_append(out, length, sizeof length) || buf_append(out, head, head_len))
        return -1;
    return buf_append(out, body, body_len);
}

static bool is_known(uint16_t type)
{
    return (type >= LINK_OPEN && type <= LINK_CLOSE) || (type >= LINK_OPENED && type <= LINK_DONE);
}

long link_read(const char *data, size_t len, struct link_frame *frame, struct err *err)
{
    const unsigned char *header = (const unsigned char *)data;
    if (len < LINK_HEADER_SIZE)
        return 0;
    uint32_t payload = get_u32(header);
    uint16_t type = get_u16(header + 4);
    if (payload > LINK_PAYLOAD_MAX)
        return err_set(err, ERR_LIMIT, "a frame of %u bytes, over the limit of %u", payload,
                       LINK_PAYLOAD_MAX);
    if (!is_known(type))
        return err_set(err, ERR_PARSE, "a frame of the unknown type %u", type);
    if (get_u16(header + 6) != 0)
        return err_set(err, ERR_PARSE, "a frame whose header does not end in zeros");
    if (len - LINK_HEADER_SIZE < payload)
        return 0;
    frame->type = type;
    frame->call = get_u32(header + 8);
    frame->payload = data + LINK_HEADER_SIZE;
    frame->len = payload;
    return (long)(LINK_HEADER_SIZE + payload);
}

int link_read_parts(const struct link_frame *frame, const char **head, size_t *head_len,
                    const char **body, size_t *body_len)
{
    uint32_t len;
    if (frame->len < sizeof len)
        return -1;
    len = get_u32((const unsigned char *)frame->payload);
    if (len > frame->len - sizeof len)
        return -1;
    *head = frame->payload + sizeof len;
    *head_len = len;
    *body = *head + len;
    *body_len = frame->len - sizeof len - len;
    return 0;
}
