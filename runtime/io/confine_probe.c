#include "io/confine_probe.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/enforce.h"
#include "engine/confine.h"
#include "io/ask_host.h"
#include "io/small_file.h"

#define KEY_MAX   512
#define CACHE_MAX 4096

/* ---- What an answer depends on ---- */

static uint64_t inode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static int boot_id(char out[64])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, out, 63) : -1;
    if (fd >= 0)
        (void)close(fd);
    if (got <= 0)
        return -1;
    out[got] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return 0;
}

/* -1: it cannot be told, so nothing is kept. */
static int make_key(const char *host_program, const char *tier, char out[KEY_MAX])
{
    struct utsname name;
    struct stat host;
    char boot[64];
    if (uname(&name) != 0 || stat(host_program, &host) != 0 || boot_id(boot) != 0)
        return -1;
    int len = snprintf(out, KEY_MAX,
                       "1 %s %s %s boot %s uid %ju ns %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                       " host %ju:%ju:%ju:%jd.%09ld",
                       TACKLE_VERSION_TEXT, tier, name.release, boot, (uintmax_t)geteuid(),
                       inode_of("/proc/self/ns/user"), inode_of("/proc/self/ns/mnt"),
                       inode_of("/proc/self/ns/pid"), inode_of("/proc/self/ns/net"),
                       (uintmax_t)host.st_dev, (uintmax_t)host.st_ino, (uintmax_t)host.st_size,
                       (intmax_t)host.st_mtim.tv_sec, (long)host.st_mtim.tv_nsec);
    return len > 0 && len < KEY_MAX ? 0 : -1;
}

static char *cache_path(const char *cache_dir, const char *tier)
{
    char *path = NULL;
    return asprintf(&path, "%s/sandbox/%s.json", cache_dir, tier) > 0 ? path : NULL;
}

/* ---- Answers ---- */

static void copy_text(const json_t *from, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(from, key));
    (void)snprintf(out, size, "%s", text ? text : "");
}

static bool take_offer(const json_t *answer, const char *tier, struct confine_offer *out)
{
    const char *had = json_string_value(json_object_get(answer, "tier"));
    *out = (struct confine_offer){.had = had && strcmp(had, tier) == 0};
    if (ENFORCED(probe_answer) && (!out->had || json_object_get(answer, "problem")))
        return out->had = false;
    json_int_t landlock = json_integer_value(json_object_get(answer, "landlock"));
    out->landlock = landlock > 0 && landlock < 1000 ? (int)landlock : 0;
    copy_text(answer, "cgroup", out->cgroup, sizeof out->cgroup);
    copy_text(answer, "via", out->via, sizeof out->via);
    return true;
}

static bool read_cache(const char *path, const char *key, const char *tier,
                       struct confine_offer *out)
{
    json_t *entry = small_file_read_json(path, CACHE_MAX);
    const char *of = json_string_value(json_object_get(entry, "key"));
    bool good = of && strcmp(of, key) == 0 && take_offer(json_object_get(entry, "had"), tier, out);
    json_decref(entry);
    return good;
}

static void write_cache(const char *path, const char *key, json_t *answer)
{
    json_t *entry = json_pack("{s:s, s:O}", "key", key, "had", answer);
    (void)small_file_write_json(path, entry); /* without it the next run asks again */
    json_decref(entry);
}

static int ask(const char *host_program, const char *tier, json_t **answer,
               struct confine_offer *out, struct err *err)
{
    struct err why = {.text = ""};
    char how[ASK_HOST_HOW] = "";
    if (ask_host(host_program, "probe", tier, answer, how, &why) != 0)
        return confine_fail(err, tier, NULL, why.text);
    const char *problem = json_string_value(json_object_get(*answer, "problem"));
    if (take_offer(*answer, tier, out))
        return 0;
    if (!problem)
        (void)err_set(&why, ERR_SANDBOX, "tackle-host %s", how);
    return confine_fail(err, tier, json_string_value(json_object_get(*answer, "step")),
                        problem ? problem : why.text);
}

int confine_probe(const char *host_program, const char *cache_dir, const char *tier,
                  struct confine_offer *out, struct err *err)
{
    char key[KEY_MAX];
    json_t *answer = NULL;
    char *path =
        cache_dir && make_key(host_program, tier, key) == 0 ? cache_path(cache_dir, tier) : NULL;
    int status = 0;
    *out = (struct confine_offer){.had = false};
    if (!path || !read_cache(path, key, tier, out)) {
        status = ask(host_program, tier, &answer, out, err);
        if (status == 0 && path)
            write_cache(path, key, answer);
    }
    json_decref(answer);
    free(path);
    return status;
}
