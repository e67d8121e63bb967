/* embed FOLDER: a program outside tackle's tree that embeds the runtime. The model asks for a tool
 * that is a function of this program; its replies come from FOLDER; the loop is our own. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <tackle/tackle.h>

struct seen {
    int calls;
    uint64_t last_seq;
    int gaps;
    int results;
};

static void count_stock(void *user, tackle_pending *pending, const char *args_json)
{
    struct seen *seen = user;
    const char *answer = strstr(args_json, "\"tea\"") ? "12 boxes" : "none left";
    seen->calls++;
    tackle_pending_finish(pending, 0, answer, strlen(answer));
}

static void on_event(void *user, tackle_run *run, const tackle_event *event)
{
    struct seen *seen = user;
    (void)run;
    seen->gaps += event->seq != seen->last_seq + 1;
    seen->last_seq = event->seq;
    seen->results += strcmp(event->type, "result") == 0;
}

static int pump(tackle_runtime *rt, const tackle_run *run, tackle_error *err)
{
    while (!tackle_run_done(run)) {
        struct pollfd ready = {.fd = tackle_fd(rt), .events = POLLIN};
        if (poll(&ready, 1, 20000) != 1) {
            (void)snprintf(err->message, sizeof err->message, "tackle_fd() says nothing for 20 s");
            return -1;
        }
        if (tackle_step(rt, 0, err) < 0)
            return -1;
    }
    return 0;
}

static int check(const struct seen *seen, const tackle_run *run)
{
    printf("%s\n", tackle_run_text(run));
    if (seen->calls == 1 && seen->gaps == 0 && seen->results == 1 &&
        tackle_run_exit_code(run) == TACKLE_EXIT_OK)
        return 0;
    fprintf(stderr, "%d calls, %d gaps, %d results; %s\n", seen->calls, seen->gaps, seen->results,
            tackle_run_result(run));
    return 1;
}

int main(int argc, char **argv)
{
    struct seen seen = {0};
    const tackle_function stock = {
        .size = sizeof stock,
        .name = "count_stock",
        .description = "How much of an article is in stock.",
        .params = "{\"type\":\"object\",\"properties\":{\"article\":{\"type\":\"string\"}},"
                  "\"required\":[\"article\"]}",
        .call = count_stock,
        .user = &seen,
    };
    const tackle_run_options options = {
        .size = sizeof options,
        .prompt = "Do we have to order tea?",
        .on_event = on_event,
        .user = &seen,
    };
    tackle_runtime *rt = NULL;
    tackle_run *run = NULL;
    tackle_error err = TACKLE_ERROR_INIT;
    int status = 1;

    if (argc == 2 && tackle_runtime_new(&rt, &err) == 0 &&
        tackle_set(rt, "replay", argv[1], &err) == 0 &&
        tackle_add_function(rt, &stock, &err) == 0 &&
        tackle_run_start(rt, &options, &run, &err) == 0 && pump(rt, run, &err) == 0)
        status = check(&seen, run);
    else
        fprintf(stderr, "embed: %s\n", err.message);
    tackle_runtime_free(rt);
    return status;
}
