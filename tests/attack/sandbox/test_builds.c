/* SBX-27: what builds and tests of ordinary projects need works in t3. */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host_peer.h"

static void try_as_each(const char *program, const char *command, const char *text)
{
    uid_t users[2];
    if (program && access(program, X_OK) != 0)
        test_skip("the program is not here");
    size_t count = host_users(users);
    for (size_t i = 0; i < count; i++) {
        struct host_inside in;
        host_inside_start(&in, users[i], "t3", NULL);
        host_peer_says(&in.peer, command, text);
        host_inside_end(&in);
    }
}

static void compiler(void **state)
{
    (void)state;
    try_as_each("/usr/bin/cc",
                "printf '#include <stdio.h>\\nint main(void){puts(\"built\");return 0;}' > a.c && "
                "cc -O2 -o a a.c && ./a",
                "built");
}

/* Its leak checker traces the program that it is in. */
static void sanitizers(void **state)
{
    (void)state;
    try_as_each("/usr/bin/cc",
                "printf '#include <stdlib.h>\\nint main(void){return malloc(7)==NULL;}' > a.c && "
                "{ cc -fsanitize=address -o a a.c || { echo LeakSanitizer; exit; }; } && ./a 2>&1",
                "LeakSanitizer");
}

static void make(void **state)
{
    (void)state;
    try_as_each(
        "/usr/bin/make",
        "printf 'all: one two\\n\\t@cat one two\\none two:\\n\\t@echo $@ > $@\\n' > Makefile "
        "&& make -j4",
        "one\ntwo");
}

static void git(void **state)
{
    (void)state;
    try_as_each(
        "/usr/bin/git",
        "mkdir r && cd r && git init -q . && git config user.name T && git config "
        "user.email t@x && touch a && git add a && git commit -qm made && git log --oneline",
        "made");
}

#define PYTHON "/usr/bin/python3"

static void asyncio(void **state)
{
    (void)state;
    try_as_each(PYTHON,
                PYTHON " -c \"import asyncio\n"
                       "async def main():\n"
                       "    p = await asyncio.create_subprocess_exec('echo', 'asynchronous')\n"
                       "    await p.wait()\n"
                       "asyncio.run(main())\"",
                "asynchronous");
}

static void multiprocessing(void **state)
{
    (void)state;
    try_as_each(PYTHON,
                PYTHON " -c \"import multiprocessing as m; print(m.Pool(2).map(abs, [-1, -2]))\"",
                "[1, 2]");
}

static void local_server(void **state)
{
    (void)state;
    try_as_each(PYTHON,
                PYTHON " -c \"import http.server, threading, urllib.request\n"
                       "s = http.server.HTTPServer(('127.0.0.1', 0), "
                       "http.server.SimpleHTTPRequestHandler)\n"
                       "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
                       "u = 'http://127.0.0.1:%d/file.txt' % s.server_address[1]\n"
                       "print(urllib.request.urlopen(u).read().decode())\" 2>&1",
                "in the workspace");
}

static void terminal(void **state)
{
    (void)state;
    try_as_each(PYTHON, PYTHON " -c \"import pty; pty.spawn(['tty'])\"", "/dev/pts/0");
}

static void threads(void **state)
{
    (void)state;
    try_as_each(PYTHON,
                PYTHON " -c \"import threading as t; l=[t.Thread(target=print, args=('threaded',)) "
                       "for i in range(4)]; [x.start() for x in l]; [x.join() for x in l]\"",
                "threaded\nthreaded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compiler),     cmocka_unit_test(sanitizers),
        cmocka_unit_test(make),         cmocka_unit_test(git),
        cmocka_unit_test(asyncio),      cmocka_unit_test(multiprocessing),
        cmocka_unit_test(local_server), cmocka_unit_test(terminal),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
