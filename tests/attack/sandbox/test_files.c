/* Files: what a command inside can reach, and what it can change. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "host_peer.h"

#define ATTEMPT TEST_BUILD_DIR "/tests/tools/attempt"

/* The command with the path in the place of each @. */
static char *about(const char *command, const char *path)
{
    struct buf text;
    buf_init(&text, 65536);
    for (; *command; command++)
        if (*command == '@')
            assert_int_equal(buf_text(&text, path), 0);
        else
            assert_int_equal(buf_byte(&text, *command), 0);
    return buf_take(&text);
}

static void says(struct host_inside *in, const char *format, const char *path, const char *text)
{
    char *command = about(format, path);
    host_peer_says(&in->peer, command, text);
    free(command);
}

static void hides(struct host_inside *in, const char *format, const char *path, const char *text)
{
    char *command = about(format, path);
    host_peer_hides(&in->peer, command, text);
    free(command);
}

static void assert_file(const char *folder, const char *name, const char *text)
{
    char *path = test_join(folder, name);
    char *found = test_read_file(path, NULL);
    if (text)
        assert_string_equal(found, text);
    else
        assert_null(found);
    free(found);
    free(path);
}

static void each(const char *tier, const char *more, void (*attack)(struct host_inside *in))
{
    uid_t users[2];
    size_t count = host_users(users);
    for (size_t i = 0; i < count; i++) {
        struct host_inside in;
        host_inside_start(&in, users[i], tier, more);
        attack(&in);
        host_inside_end(&in);
    }
}

/* SBX-01 */
static void write_outside(struct host_inside *in)
{
    says(in, "echo x > @/new && echo WRITTEN; echo end", in->box.outside, "end");
    hides(in, "echo x > @/secret.txt && echo WRITTEN", in->box.outside, "WRITTEN");
    hides(in, "echo x > @/x && echo WRITTEN", in->box.person, "WRITTEN");
    assert_file(in->box.outside, "new", NULL);
    assert_file(in->box.outside, "secret.txt", "CANARY-OUT\n");
    /* The workspace is for writing, and so are the private folders. */
    host_peer_says(&in->peer, "echo yes > made && cat made && echo no > $TMPDIR/x && cat $TMPDIR/x",
                   "yes\nno");
    assert_file(in->box.work, "made", "yes\n");
}

/* Two walls stand before these, so that a test with one of them down changes nothing either. */
static void write_to_the_system(struct host_inside *in)
{
    host_peer_hides(&in->peer, "echo x > /etc/tackle-was-here && echo WRITTEN", "WRITTEN");
    host_peer_hides(&in->peer, "echo x > /usr/tackle-was-here && echo WRITTEN", "WRITTEN");
    host_peer_hides(&in->peer, "mkdir /usr/lib/tackle-was-here && echo WRITTEN", "WRITTEN");
    assert_int_equal(access("/etc/tackle-was-here", F_OK), -1);
    assert_int_equal(access("/usr/tackle-was-here", F_OK), -1);
}

static void sbx_01_t3(void **state)
{
    (void)state;
    each("t3", NULL, write_outside);
    each("t3", NULL, write_to_the_system);
}

static void sbx_01_t2(void **state)
{
    (void)state;
    each("t2", NULL, write_outside);
}

/* SBX-02 */
static void read_outside(struct host_inside *in)
{
    hides(in, "cat @/secret.txt", in->box.outside, "CANARY");
    hides(in, "cat @/.ssh/id_ed25519", in->box.person, "CANARY");
    hides(in, "ls -a @", in->box.person, ".ssh");
    hides(in, "ls @", in->box.root, "outside");
    host_peer_hides(&in->peer, "cat /etc/shadow", "root:");
    host_peer_hides(&in->peer, "ls /root /home && echo LISTED", "LISTED");
    host_peer_hides(&in->peer, "cat ../outside/secret.txt", "CANARY");
    hides(in, "ln -s @/secret.txt l && cat l", in->box.outside, "CANARY");
    host_peer_says(&in->peer, "cat /etc/passwd", "root:");
}

static void sbx_02_t3(void **state)
{
    (void)state;
    each("t3", NULL, read_outside);
}

static void sbx_02_t2(void **state)
{
    (void)state;
    each("t2", NULL, read_outside);
}

static void climb_out(struct host_inside *in)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/secret.txt", in->box.outside + 1);
    char *command = about(ATTEMPT " climb . @", path);
    host_peer_says(&in->peer, command, "climb: refused");
    free(command);
    host_peer_says(&in->peer, "ls -d /.old 2>&1", "No such file");
    host_peer_says(&in->peer, "ls -d /.masked /.masked.d 2>&1", "No such file");
    host_peer_says(&in->peer, "touch /x 2>&1", "Read-only");
}

static void nothing_is_above_the_root(void **state)
{
    (void)state;
    each("t3", NULL, climb_out);
}

/* SBX-03: outside nothing can even be named. What may be read is read-only for its attributes too:
 * see folders_to_read(). */
static void change_attributes(struct host_inside *in)
{
    says(in, ATTEMPT " attributes @/secret.txt", in->box.outside, "attributes: refused (ENOENT)");
}

static void sbx_03(void **state)
{
    (void)state;
    each("t3", NULL, change_attributes);
}

/* A workspace that a run may only read. */
static void write_inside(struct host_inside *in)
{
    host_peer_says(&in->peer, "echo x > new 2>&1; cat file.txt", "in the workspace");
    host_peer_says(&in->peer,
                   "rm -f file.txt 2>&1; mv file.txt other 2>&1; chmod 777 file.txt 2>&1",
                   "Read-only file system");
    assert_file(in->box.work, "new", NULL);
    assert_file(in->box.work, "file.txt", "in the workspace\n");
}

static void read_only_workspace(void **state)
{
    (void)state;
    each("t3", "{\"write\":false}", write_inside);
}

static void write_inside_t2(struct host_inside *in)
{
    host_peer_hides(&in->peer, "echo x > new && echo WRITTEN", "WRITTEN");
    host_peer_hides(&in->peer, "echo x > file.txt && echo WRITTEN", "WRITTEN");
    assert_file(in->box.work, "file.txt", "in the workspace\n");
}

static void read_only_workspace_t2(void **state)
{
    (void)state;
    each("t2", "{\"write\":false}", write_inside_t2);
}

/* SBX-25 */
static void use_devices(struct host_inside *in)
{
    host_peer_says(&in->peer, ATTEMPT " device $PWD/x 2048", "device: refused");
    host_peer_says(&in->peer, ATTEMPT " device $TMPDIR/x 2048", "device: refused");
    host_peer_hides(&in->peer,
                    "for d in sda vda mem kmsg loop0; do test -e /dev/$d && echo THERE; done",
                    "THERE");
    host_peer_says(&in->peer, "head -c 4 /dev/urandom | wc -c; echo x > /dev/null && echo fine",
                   "fine");
    host_peer_hides(&in->peer, "echo x > /proc/sys/kernel/core_pattern && echo WRITTEN", "WRITTEN");
    host_peer_says(&in->peer, "touch /proc/sys/kernel/core_pattern 2>&1", "Read-only file system");
    host_peer_hides(&in->peer, "echo b > /proc/sysrq-trigger && echo WRITTEN", "WRITTEN");
}

static void sbx_25(void **state)
{
    (void)state;
    each("t3", NULL, use_devices);
}

/* SBX-26 */
static void use_private_folders(struct host_inside *in)
{
    host_peer_says(&in->peer,
                   "f=$(mktemp) && echo a > $f && echo b > /tmp/tackle-x && echo c > /dev/shm/x && "
                   "echo d > /run/x && echo e > /var/tmp/x && echo h > ~/x && cat $f /tmp/tackle-x "
                   "/dev/shm/x /run/x /var/tmp/x ~/x",
                   "a\nb\nc\nd\ne\nh\n");
    assert_int_equal(access("/tmp/tackle-x", F_OK), -1);
    assert_int_equal(access("/dev/shm/x", F_OK), -1);
    hides(in, "ls @/..", in->box.root, "tackle-unseen");
}

static void sbx_26(void **state)
{
    char name[] = "/tmp/tackle-unseen-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(name));
    each("t3", NULL, use_private_folders);
    assert_int_equal(rmdir(name), 0);
}

/* Secrets that rules name: nobody inside can read them, whatever tools the command brings. */
static void hidden_files(void **state)
{
    uid_t users[2];
    size_t count = host_users(users);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct host_box box;
        struct host_peer peer;
        struct host_setup setup = {
            .sandbox =
                host_sandbox("t3", "{\"hide\":[\".env\",\"*.pem\",\"keys/**\",\"secret\"]}")};
        static const char *const names[] = {".env", "deep/in/it/.env", "a.pem", "keys/k",
                                            "secret/x/y"};
        host_box_init(&box, users[i]);
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            char *path = test_join(box.work, names[n]);
            test_write_file(path, "CANARY-ENV\n", 11);
            free(path);
        }
        char *path = test_join(box.work, ".env.example");
        test_write_file(path, "EXAMPLE\n", 8);
        free(path);
        host_peer_start(&peer, &box, &setup);
        assert_true(peer.opened);
        host_peer_hides(&peer, "cat .env deep/in/it/.env a.pem keys/k secret/x/y; grep -r CANARY .",
                        "CANARY");
        host_peer_hides(&peer, "chmod 777 .env secret; cat .env; mv .env env; cat env", "CANARY");
        host_peer_says(&peer, "cat .env.example file.txt", "EXAMPLE\nin the workspace");
        (void)host_peer_end(&peer);
        assert_file(box.work, ".env", "CANARY-ENV\n");
        host_box_release(&box);
    }
}

/* More folders to read, and no way to write to them. */
static void folders_to_read(void **state)
{
    uid_t users[2];
    size_t count = host_users(users);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct host_box box;
        struct host_peer peer;
        char more[4200];
        host_box_init(&box, users[i]);
        (void)snprintf(more, sizeof more, "{\"read\":[\"%s\",\"/not/there\",\"%s\"]}", box.outside,
                       TEST_BUILD_DIR "/tests/tools");
        struct host_setup setup = {.sandbox = host_sandbox("t3", more)};
        host_peer_start(&peer, &box, &setup);
        assert_true(peer.opened);
        host_peer_says(&peer, "cat ../outside/secret.txt", "CANARY-OUT");
        host_peer_hides(&peer, "echo x > ../outside/new && echo WRITTEN", "WRITTEN");
        host_peer_says(&peer, ATTEMPT " attributes ../outside/secret.txt",
                       "attributes: refused (EROFS)");
        (void)host_peer_end(&peer);
        assert_file(box.outside, "new", NULL);
        host_box_release(&box);
    }
}

/* The file-size limit, for an ordinary program. */
static void grow_a_file(struct host_inside *in)
{
    host_peer_says(&in->peer, ATTEMPT " grow $PWD/big 2", "grow: refused (EFBIG)");
    host_peer_says(&in->peer, ATTEMPT " grow $PWD/small 0", "grow: done");
}

static void files_do_not_grow_for_ever(void **state)
{
    (void)state;
    each("t3", "{\"file_mib\":1}", grow_a_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sbx_01_t3),
        cmocka_unit_test(sbx_01_t2),
        cmocka_unit_test(sbx_02_t3),
        cmocka_unit_test(sbx_02_t2),
        cmocka_unit_test(nothing_is_above_the_root),
        cmocka_unit_test(sbx_03),
        cmocka_unit_test(read_only_workspace),
        cmocka_unit_test(read_only_workspace_t2),
        cmocka_unit_test(sbx_25),
        cmocka_unit_test(sbx_26),
        cmocka_unit_test(hidden_files),
        cmocka_unit_test(folders_to_read),
        cmocka_unit_test(files_do_not_grow_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
