/* Runs a fuzz target without libFuzzer: `driver DIR [COUNT]` gives it every file of DIR and then
 * COUNT inputs that are made of these, always the same ones. An input that ends the process is
 * kept in ./crash-PROGRAM. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define FILES_MAX  512
#define INPUT_MAX  4096 /* bytes of a made input */
#define SECONDS    1.5  /* then it ends before COUNT: slow machines should not wait */
#define STEPS_MAX  6    /* changes to one input */
#define INPUTS_STD 4000

struct input {
    uint8_t *data;
    size_t len;
};

/* What the death callback has to know; nothing else can reach it. */
static struct {
    const uint8_t *data;
    size_t len;
    char path[256];
} running;

static void keep_input(void)
{
    int fd = open(running.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || !running.data)
        return;
    for (size_t done = 0; done < running.len;) {
        ssize_t n = write(fd, running.data + done, running.len - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    (void)close(fd);
    (void)!write(STDERR_FILENO, "the input is kept in ", 21);
    (void)!write(STDERR_FILENO, running.path, strlen(running.path));
    (void)!write(STDERR_FILENO, "\n", 1);
}

static void on_abort(int signal)
{
    (void)signal;
    keep_input();
    _exit(1);
}

/* Of the sanitizers' runtime, when the program has one. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static void run(const uint8_t *data, size_t len)
{
    /* In memory of its own size, so that AddressSanitizer sees where it ends. */
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    if (len > 0)
        memcpy(copy, data, len);
    running.data = copy;
    running.len = len;
    (void)LLVMFuzzerTestOneInput(copy, len);
    running.data = NULL;
    free(copy);
}

/* ---- The corpus ---- */

static int read_input(int dir, const char *name, struct input *out)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");
    *out = (struct input){0};
    if (!file)
        return -1;
    size_t n = 0, size = 0;
    do {
        out->len += n;
        if (size - out->len < 4096) {
            size = size ? size * 2 : 16384;
            uint8_t *grown = realloc(out->data, size);
            if (!grown)
                abort();
            out->data = grown;
        }
        n = fread(out->data + out->len, 1, size - out->len, file);
    } while (n > 0);
    return fclose(file);
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In the order of their names, so that the inputs made of them are always the same. */
static size_t read_corpus(const char *path, struct input *inputs)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_input, alphasort);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        if (used == FILES_MAX || read_input(dir, entries[i]->d_name, &inputs[used]) != 0) {
            (void)fprintf(stderr, "%s/%s: %s\n", path, entries[i]->d_name,
                          used == FILES_MAX ? "too many files" : strerror(errno));
            exit(2);
        }
        used++;
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    if (dir >= 0)
        (void)close(dir);
    return used;
}

/* ---- Inputs made of these ---- */

static uint32_t chance(uint64_t *state, size_t below)
{
    *state ^= *state << 13; /* xorshift64, G. Marsaglia */
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return below ? (uint32_t)((*state >> 11) % below) : 0;
}

static void insert(struct input *in, size_t at, const uint8_t *bytes, size_t len)
{
    if (len > INPUT_MAX - in->len)
        len = INPUT_MAX - in->len;
    memmove(in->data + at + len, in->data + at, in->len - at);
    memcpy(in->data + at, bytes, len);
    in->len += len;
}

static void insert_part(struct input *in, size_t at, const struct input *from, uint64_t *state)
{
    uint8_t part[256];
    if (from->len == 0)
        return;
    size_t start = chance(state, from->len);
    size_t len = 1 + chance(state, from->len - start < sizeof part ? from->len - start : 256);
    if (len > from->len - start)
        len = from->len - start;
    memcpy(part, from->data + start, len);
    insert(in, at, part, len);
}

/* One change; `in` has room for INPUT_MAX bytes. */
static void change(struct input *in, const struct input *other, uint64_t *state)
{
    static const uint8_t telling[] = "\0\n\r\t \"\\{}[]:,.-+0129eE/*?!#$&<>=u%\x1b\x7f\x80\xc2\xed"
                                     "\xef\xf4\xff";
    size_t at = chance(state, in->len + 1);
    size_t left = in->len - at;
    uint8_t byte = telling[chance(state, sizeof telling - 1)];
    switch (chance(state, 7)) {
    case 0:
        if (left > 0)
            in->data[at] ^= (uint8_t)(1u << chance(state, 8));
        break;
    case 1:
        if (left > 0)
            in->data[at] = byte;
        break;
    case 2:
        insert(in, at, &byte, 1);
        break;
    case 3: { /* a part goes */
        size_t len = left > 0 ? 1 + chance(state, left) : 0;
        memmove(in->data + at, in->data + at + len, left - len);
        in->len -= len;
        break;
    }
    case 4: /* a part comes again */
        insert_part(in, at, in, state);
        break;
    case 5:
        insert_part(in, at, other, state);
        break;
    default: /* the end is missing */
        in->len = at;
        break;
    }
}

static size_t run_changed(const struct input *inputs, size_t count, size_t wanted)
{
    uint8_t room[INPUT_MAX];
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    clock_t end = clock() + (clock_t)(SECONDS * CLOCKS_PER_SEC);
    size_t done = 0;
    for (; done < wanted && clock() < end; done++) {
        const struct input *from = &inputs[chance(&state, count)];
        struct input made = {room, from->len < INPUT_MAX ? from->len : INPUT_MAX};
        memcpy(room, from->data, made.len);
        for (uint32_t steps = 1 + chance(&state, STEPS_MAX); steps > 0; steps--)
            change(&made, &inputs[chance(&state, count)], &state);
        run(made.data, made.len);
    }
    return done;
}

int main(int argc, char **argv)
{
    static struct input inputs[FILES_MAX];
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s DIR [COUNT]\n", argv[0]);
        return 2;
    }
    const char *slash = strrchr(argv[0], '/');
    (void)snprintf(running.path, sizeof running.path, "crash-%s", slash ? slash + 1 : argv[0]);
    (void)signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_input);
    size_t count = read_corpus(argv[1], inputs);
    if (count == 0) {
        (void)fprintf(stderr, "%s: no inputs\n", argv[1]);
        return 2;
    }
    run(NULL, 0);
    for (size_t i = 0; i < count; i++)
        run(inputs[i].data, inputs[i].len);
    size_t wanted = argc > 2 ? strtoul(argv[2], NULL, 10) : INPUTS_STD;
    size_t made = run_changed(inputs, count, wanted);
    (void)printf("%zu files, %zu inputs made of them: ok\n", count, made);
    for (size_t i = 0; i < count; i++)
        free(inputs[i].data);
    return 0;
}
