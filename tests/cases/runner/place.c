/* Makes, fills, looks through and removes the folder of a case; see place.h. */
#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint/memory.h"
#include "endpoint/words.h"

#define FILE_MAX (64u << 20)

static char *join(const char *a, const char *b)
{
    struct buf path;
    buf_init(&path, 8192);
    put_format(&path, "%s/%s", a, b);
    return buf_take(&path);
}

static int make_dirs(const char *path, struct err *err)
{
    char *copy = memory_text(path);
    int status = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && status == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            status = err_set(err, ERR_IO, "%s: %s", copy, strerror(errno));
        *slash = '/';
    }
    free(copy);
    return status;
}

static int write_file(const char *path, const char *data, size_t len, mode_t mode, struct err *err)
{
    if (make_dirs(path, err))
        return -1;
    FILE *file = fopen(path, "wbe");
    if (!file)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    bool good = fwrite(data, 1, len, file) == len && fchmod(fileno(file), mode) == 0;
    if (fclose(file) != 0 || !good)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return 0;
}

int place_new(struct place *place, struct err *err)
{
    static const char *const dirs[] = {"workspace/", "home/",    "config/",  "state/", "cache/",
                                       "data/",      "runtime/", "outside/", "tmp/"};
    static const struct {
        const char *path, *text;
    } secrets[] = {{"outside/secret.txt", PLACE_CANARY "OUT\n"},
                   {"home/.ssh/id_ed25519", PLACE_CANARY "SSH\n"},
                   {"home/.aws/credentials", PLACE_CANARY "AWS\n"}};
    const char *base = getenv("TMPDIR");
    int status = 0;
    (void)snprintf(place->root, sizeof place->root, "%s/tackle-case-XXXXXX",
                   base && *base == '/' && strlen(base) < 200 ? base : "/tmp");
    if (!mkdtemp(place->root))
        return err_set(err, ERR_IO, "%s: %s", place->root, strerror(errno));
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs && status == 0; i++) {
        char *path = join(place->root, dirs[i]);
        status = make_dirs(path, err);
        free(path);
    }
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets && status == 0; i++) {
        char *path = join(place->root, secrets[i].path);
        status = write_file(path, secrets[i].text, strlen(secrets[i].text), 0600, err);
        free(path);
    }
    return status;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    /* The current folder is the one that it is in; of a folder that has been read, itself. */
    char name[NAME_MAX + 4];
    (void)st;
    (void)snprintf(name, sizeof name, "%s%s", type == FTW_DP ? "../" : "", path + ftw->base);
    /* A case may have left a folder that cannot be read. */
    if (type == FTW_DNR)
        (void)chmod(name, 0700);
    return remove(ftw->level > 0 ? name : path) == 0 || type == FTW_DNR ? 0 : 1;
}

void place_remove(struct place *place)
{
    if (!*place->root)
        return;
    place_remove_tree(place->root);
    *place->root = '\0';
}

void place_remove_tree(const char *dir)
{
    for (int tries = 0; tries < 3; tries++)
        if (nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT | FTW_CHDIR) == 0 &&
            access(dir, F_OK) != 0)
            break;
}

char *place_path(const struct place *place, const char *path)
{
    if (*path == '/')
        return memory_text(path);
    char *workspace = join(place->root, "workspace");
    char *full = *path ? join(workspace, path) : memory_text(workspace);
    free(workspace);
    return full;
}

/* ---- Sections ---- */

size_t place_unescape(char *text, size_t len)
{
    static const char letters[] = "nt0r\\", meanings[] = "\n\t\0\r\\";
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        const char *letter = text[i] == '\\' && i + 1 < len
                                 ? memchr(letters, text[i + 1], sizeof letters - 1)
                                 : NULL;
        unsigned byte;
        if (letter) {
            text[used++] = meanings[letter - letters];
            i++;
        } else if (text[i] == '\\' && i + 3 < len && text[i + 1] == 'x' &&
                   sscanf(text + i + 2, "%2x", &byte) == 1) {
            text[used++] = (char)(unsigned char)byte;
            i += 3;
        } else {
            text[used++] = text[i];
        }
    }
    return used;
}

/* === file PATH [mode=0755] [escaped] [no-newline] [repeat=N] */
static int apply_file(const struct place *place, const struct words *words,
                      const struct section *section, struct err *err)
{
    long repeat = 1;
    mode_t mode = 0644;
    struct buf text;
    int status = 0;
    char *body = memory_copy(section->body, section->body_len);
    size_t len = section->body_len;
    for (size_t i = 1; i < words->count && status == 0; i++) {
        const char *word = words->items[i];
        if (strncmp(word, "mode=", 5) == 0)
            mode = (mode_t)(strtoul(word + 5, NULL, 8) & 07777);
        else if (strcmp(word, "escaped") == 0)
            len = place_unescape(body, len);
        else if (strcmp(word, "no-newline") == 0)
            len -= len > 0;
        else if (strncmp(word, "repeat=", 7) == 0)
            status = words_number(word + 7, 10000000, &repeat, err);
        else
            status = err_set(err, ERR_PARSE,
                             "write === file PATH [mode=0755] [escaped] [no-newline] [repeat=N]");
    }
    buf_init(&text, FILE_MAX);
    for (long i = 0; i < repeat && status == 0; i++)
        put(&text, body, len);
    char *path = place_path(place, words->items[0]);
    if (status == 0)
        status = write_file(path, text.data, text.len, mode, err);
    free(path);
    free(body);
    buf_release(&text);
    return status;
}

/* === link PATH -> TARGET */
static int apply_link(const struct place *place, const struct words *words, struct err *err)
{
    if (words->count != 3 || strcmp(words->items[1], "->") != 0)
        return err_set(err, ERR_PARSE, "write === link PATH -> TARGET");
    char *path = place_path(place, words->items[0]);
    int status = make_dirs(path, err);
    if (status == 0 && symlink(words->items[2], path) != 0)
        status = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    free(path);
    return status;
}

/* === dir PATH [mode=0700] */
static int apply_dir(const struct place *place, const struct words *words, struct err *err)
{
    char *path = place_path(place, words->items[0]);
    char *inside = join(path, "");
    int status = make_dirs(inside, err);
    if (status == 0 && words->count == 2 && strncmp(words->items[1], "mode=", 5) == 0 &&
        chmod(path, (mode_t)(strtoul(words->items[1] + 5, NULL, 8) & 07777)) != 0)
        status = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    free(inside);
    free(path);
    return status;
}

int place_apply(const struct place *place, const struct section *section, struct err *err)
{
    struct words words;
    int status;
    if (strcmp(section->name, "git") == 0) {
        char *workspace = place_path(place, "");
        status = place_commit(workspace, *section->words ? section->words : "first commit", err);
        free(workspace);
        return status;
    }
    if (words_split(section->words, &words, err))
        return -1;
    if (words.count == 0)
        status = err_set(err, ERR_PARSE, "=== %s: which path?", section->name);
    else if (strcmp(section->name, "link") == 0)
        status = apply_link(place, &words, err);
    else if (strcmp(section->name, "dir") == 0)
        status = apply_dir(place, &words, err);
    else
        status = apply_file(place, &words, section, err);
    words_release(&words);
    return status;
}

/* ---- Looking ---- */

char *place_read(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    struct buf text;
    if (fd < 0)
        return NULL;
    buf_init(&text, FILE_MAX);
    for (;;) {
        char block[16384];
        ssize_t got = read(fd, block, sizeof block);
        if (got <= 0 || text.len + (size_t)got > FILE_MAX)
            break;
        put(&text, block, (size_t)got);
    }
    (void)close(fd);
    *len = text.len;
    return buf_take(&text);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

typedef void (*entry_fn)(void *user, const char *path, const struct stat *st);

/* Every entry below a folder in the order of names, links not followed. */
static void walk(const char *dir, entry_fn visit, void *user)
{
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char *path = join(dir, name);
        struct stat st;
        bool is_self = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        if (!is_self && lstat(path, &st) == 0) {
            visit(user, path, &st);
            if (S_ISDIR(st.st_mode))
                walk(path, visit, user);
        }
        free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

/* FNV-1a, 64 bits: enough to notice a change. */
static uint64_t hash_of(const char *path)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    size_t len = 0;
    char *data = place_read(path, &len);
    for (size_t i = 0; data && i < len; i++) {
        hash ^= (unsigned char)data[i];
        hash *= UINT64_C(1099511628211);
    }
    free(data);
    return hash;
}

static void note_entry(void *user, const char *path, const struct stat *st)
{
    struct buf *out = user;
    char target[4096];
    ssize_t len = S_ISLNK(st->st_mode) ? readlink(path, target, sizeof target - 1) : 0;
    target[len > 0 ? len : 0] = '\0';
    uint64_t hash = S_ISREG(st->st_mode) ? hash_of(path) : 0;
    put_format(out, "%s %06o %016" PRIx64 " %s\n", path, (unsigned)st->st_mode, hash, target);
}

struct gift {
    uid_t user;
    int error;
};

static void give_entry(void *user, const char *path, const struct stat *st)
{
    struct gift *gift = user;
    if (st->st_uid == 0 && lchown(path, gift->user, (gid_t)gift->user) != 0)
        gift->error = errno;
}

int place_give(const struct place *place, uid_t user, struct err *err)
{
    struct gift gift = {.user = user};
    if (chown(place->root, user, (gid_t)user) != 0)
        gift.error = errno;
    walk(place->root, give_entry, &gift);
    return gift.error ? err_set(err, ERR_IO, "%s cannot be given to user %ld: %s", place->root,
                                (long)user, strerror(gift.error))
                      : 0;
}

void place_snapshot(const char *dir, struct buf *out)
{
    walk(dir, note_entry, out);
}

void place_snapshot_unchanging(const struct place *place, struct buf *out)
{
    static const char *const changing[] = {".",     "..",   "workspace", "config", "state",
                                           "cache", "data", "tmp",       "runtime"};
    struct dirent **entries;
    int count = scandir(place->root, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        bool changes = false;
        for (size_t j = 0; j < sizeof changing / sizeof *changing; j++)
            changes = changes || strcmp(entries[i]->d_name, changing[j]) == 0;
        char *path = join(place->root, entries[i]->d_name);
        if (!changes) /* of a file, which a case may ask for, nothing is noted */
            place_snapshot(path, out);
        free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

struct file_visit {
    void (*visit)(void *user, const char *path);
    void *user;
};

static void visit_regular(void *user, const char *path, const struct stat *st)
{
    const struct file_visit *file = user;
    if (S_ISREG(st->st_mode))
        file->visit(file->user, path);
}

void place_walk(const char *dir, void (*visit)(void *user, const char *path), void *user)
{
    struct file_visit file = {visit, user};
    walk(dir, visit_regular, &file);
}
