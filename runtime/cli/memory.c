#include "memory.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static _Noreturn void give_up(void)
{
    static const char message[] = "tackle: out of memory\n";
    ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    (void)written; /* there is nobody left to tell */
    _exit(1);
}

void *must(void *pointer)
{
    if (!pointer)
        give_up();
    return pointer;
}

FILE *memory_file(char **text, size_t *len)
{
    return must(open_memstream(text, len));
}

/* libc makes the text smaller in the end; where that fails there is none, and no error. */
void memory_close(FILE *file, char *const *text)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed || !*text)
        give_up();
}

char *memory_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        give_up();
    return text;
}
