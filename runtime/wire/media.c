#include "wire/media.h"

#include <stdbool.h>
#include <string.h>

struct magic {
    size_t at;
    const char *bytes;
    size_t len;
    const char *type;
};

#define MAGIC(at, bytes, type)                                                                     \
    {                                                                                              \
        at, bytes, sizeof(bytes) - 1, type                                                         \
    }

/* Signatures as in the WHATWG MIME Sniffing Standard, section 6, and the formats' own documents. */
static const struct magic magics[] = {
    MAGIC(0, "\x89PNG\r\n\x1a\n", "image/png"),
    MAGIC(0, "\xff\xd8\xff", "image/jpeg"),
    MAGIC(0, "GIF87a", "image/gif"),
    MAGIC(0, "GIF89a", "image/gif"),
    MAGIC(0, "BM", "image/bmp"),
    MAGIC(0, "%PDF-", "application/pdf"),
    MAGIC(0, "ID3", "audio/mpeg"),
    MAGIC(0, "fLaC", "audio/flac"),
    MAGIC(0, "OggS", "audio/ogg"),
    MAGIC(0, "\x1a\x45\xdf\xa3", "video/webm"),
    MAGIC(0, "FLV\x01", "video/x-flv"),
    MAGIC(0, "\x00\x00\x01\xba", "video/mpeg"),
    MAGIC(0, "\x00\x00\x01\xb3", "video/mpeg"),
};

/* Containers name their contents behind a common head: RIFF....WEBP, ....ftypheic. */
static const struct magic riff[] = {MAGIC(8, "WEBP", "image/webp"), MAGIC(8, "WAVE", "audio/wav"),
                                    MAGIC(8, "AVI ", "video/x-msvideo")};
static const struct magic ftyp[] = {
    MAGIC(8, "heic", "image/heic"), MAGIC(8, "heix", "image/heic"),
    MAGIC(8, "mif1", "image/heif"), MAGIC(8, "avif", "image/avif"),
    MAGIC(8, "M4A ", "audio/mp4"),  MAGIC(8, "qt  ", "video/quicktime"),
    MAGIC(8, "3gp", "video/3gpp"),  MAGIC(8, "", "video/mp4")};

static const char *find(const struct magic *list, size_t count, const char *data, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (len >= list[i].at + list[i].len &&
            memcmp(data + list[i].at, list[i].bytes, list[i].len) == 0)
            return list[i].type;
    return NULL;
}

#define FIND(list, data, len) find(list, sizeof(list) / sizeof(list)[0], data, len)

/* An MPEG audio frame has no magic, but a sync word and fields that exclude most else. */
static bool is_mpeg_audio(const unsigned char *data, size_t len)
{
    return len >= 4 && data[0] == 0xff && (data[1] & 0xe0) == 0xe0 && (data[1] & 0x18) != 0x08 &&
           (data[1] & 0x06) != 0 && (data[2] & 0xf0) != 0xf0 && (data[2] & 0x0c) != 0x0c;
}

const char *media_type(const char *data, size_t len)
{
    if (len >= 12 && memcmp(data, "RIFF", 4) == 0)
        return FIND(riff, data, len);
    if (len >= 12 && memcmp(data + 4, "ftyp", 4) == 0)
        return FIND(ftyp, data, len);
    const char *type = FIND(magics, data, len);
    if (type && strcmp(type, "image/bmp") == 0 && (len < 30 || memchr(data, '\0', 30) == NULL))
        type = NULL; /* a text that begins with BM */
    if (!type && is_mpeg_audio((const unsigned char *)data, len))
        type = "audio/mpeg";
    return type;
}

/* RFC 4648, section 4. */
static void encode(char *out, const unsigned char *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; len >= 3; len -= 3, data += 3) {
        *out++ = digits[data[0] >> 2];
        *out++ = digits[(data[0] & 3) << 4 | data[1] >> 4];
        *out++ = digits[(data[1] & 15) << 2 | data[2] >> 6];
        *out++ = digits[data[2] & 63];
    }
    if (len == 0)
        return;
    unsigned second = len == 2 ? data[1] : 0;
    *out++ = digits[data[0] >> 2];
    *out++ = digits[(data[0] & 3u) << 4 | second >> 4];
    *out++ = len == 2 ? digits[(second & 15) << 2] : '=';
    *out = '=';
}

int media_data_url(struct buf *out, const char *type, const char *data, size_t len)
{
    size_t start = out->len, size = (len + 2) / 3 * 4;
    if (buf_format(out, "data:%s;base64,", type) != 0)
        return -1;
    if (buf_reserve(out, size) != 0) {
        buf_cut(out, start);
        return -1;
    }
    encode(out->data + out->len, (const unsigned char *)data, len);
    out->len += size;
    out->data[out->len] = '\0';
    return 0;
}
