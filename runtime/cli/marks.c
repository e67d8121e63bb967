#include "marks.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Anywhere in a line: "##[" and "##vso[". `inner` counts what has come of them: "#", "##", "##v",
 * "##vs", "##vso". */
static bool next_inner(struct marks *m, char byte)
{
    int c = tolower((unsigned char)byte);
    bool whole = c == '[' && (m->inner == 2 || m->inner == 5);
    if (c == '#')
        m->inner = m->inner == 0 || m->inner > 2 ? 1 : 2;
    else if (m->inner >= 2 && m->inner < 5 && c == "vso"[m->inner - 2])
        m->inner++;
    else
        m->inner = 0;
    return whole;
}

/* The runner of GitHub skips all blanks of Unicode, being a .NET program: these are the bytes of
 * U+00A0, U+1680, U+2000 to U+200A, U+202F, U+205F and U+3000. Few characters have no other. */
static bool is_blank(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x80 && c <= 0x8A) || c == 0x9A ||
           c == 0x9F || c == 0xA0 || c == 0xAF || c == 0xC2 || c == 0xE1 || c == 0xE2 || c == 0xE3;
}

/* At the beginning of a line. */
static bool next_first(struct marks *m, char byte)
{
    static const char *const words[] = {"::", "section_start:", "section_end:"};
    if (byte == '\n') {
        m->ended = false;
        m->len = 0;
        return false;
    }
    if (m->ended || (m->len == 0 && is_blank(byte)))
        return false;
    m->word[m->len++] = byte;
    m->ended = true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncasecmp(words[i], m->word, m->len) == 0) {
            if (strlen(words[i]) == m->len)
                return true;
            m->ended = false;
        }
    return false;
}

bool marks_next(struct marks *m, char byte)
{
    bool inner = next_inner(m, byte), first = next_first(m, byte);
    return inner || first;
}
