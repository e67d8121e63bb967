/* Each agent that ships does its job against a scripted model: real tools, in a real repository
 * that the test makes. What is checked is what is left in the repository, and what the model was
 * told about it. */
#include "test_support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/tackle.h>

#include "endpoint/endpoint.h"

/* System prompt and tools of a default run, in bytes of JSON. */
#define FIRST_REQUEST_MAX 6144

struct job {
    char *folder;
    struct endpoint_child endpoint;
    json_t *requests; /* after job_run() */
    char *answer;
};

/* ---- The repository ---- */

static tackle_runtime *new_runtime(const char *folder, const char *const *settings)
{
    tackle_error err = TACKLE_ERROR_INIT;
    tackle_runtime *rt = NULL;
    assert_int_equal(tackle_runtime_new(&rt, &err), 0);
    if (tackle_set(rt, "workspace", folder, &err) != 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; settings[i]; i += 2) {
        if (tackle_set(rt, settings[i], settings[i + 1], &err) != 0)
            fail_msg("%s", err.message);
    }
    return rt;
}

/* Runs one git tool on the repository; returns its output. */
static char *git(const char *folder, const char *tool, const char *args)
{
    static const char *const settings[] = {
        "plugin",  "git",
        "tools",   "git_init,git_add,git_commit,git_log,git_status",
        "sandbox", "workspace-write",
        NULL,
    };
    tackle_error err = TACKLE_ERROR_INIT;
    char *text = NULL;
    tackle_runtime *rt = new_runtime(folder, settings);
    if (tackle_call_tool(rt, tool, args, &text, &err) != 0)
        fail_msg("%s: %s", tool, err.message);
    json_t *json = json_loads(text, 0, NULL);
    if (!json_is_true(json_object_get(json, "ok")))
        fail_msg("%s: %s", tool, text);
    char *output = strdup(json_string_value(json_object_get(json, "output")));
    assert_non_null(output);
    json_decref(json);
    tackle_free(text);
    tackle_runtime_free(rt);
    return output;
}

static void put(const struct job *job, const char *path, const char *text)
{
    char *full = test_join(job->folder, path);
    test_write_file(full, text, strlen(text));
    free(full);
}

static void file_says(const struct job *job, const char *path, const char *wanted)
{
    char *full = test_join(job->folder, path);
    char *text = test_read_file(full, NULL);
    assert_non_null(text);
    assert_string_equal(text, wanted);
    free(text);
    free(full);
}

static void commit(const struct job *job, const char *message)
{
    char args[256];
    free(git(job->folder, "git_add", "{\"paths\":[\".\"]}"));
    (void)snprintf(args, sizeof args, "{\"message\":\"%s\",\"author\":\"Ann <ann@example.org>\"}",
                   message);
    free(git(job->folder, "git_commit", args));
}

static void job_start(struct job *job, const char *replies)
{
    struct err err = {0};
    *job = (struct job){.folder = test_temp_dir()};
    if (endpoint_child_start(replies, &job->endpoint, &err) != 0)
        fail_msg("%s", err.text);
    free(git(job->folder, "git_init", "{}"));
}

/* Runs the agent to its end, which must be a final answer; returns that. `more`: settings that come
 * with the agent's. */
static char *run_agent(const struct job *job, const char *agent, const char *prompt,
                       const char *const *more)
{
    char path[512];
    (void)snprintf(path, sizeof path, TEST_SOURCE_DIR "/agents/%s.md", agent);
    const char *settings[16] = {
        "agent",         path,
        "plugin_option", "git.author_name=Agent",
        "plugin_option", "git.author_email=agent@example.org",
    };
    for (size_t i = 0; more[i]; i++)
        settings[6 + i] = more[i];
    tackle_error err = TACKLE_ERROR_INIT;
    tackle_run *run = NULL;
    tackle_runtime *rt = new_runtime(job->folder, settings);
    const tackle_run_options options = {.size = sizeof options, .prompt = prompt};
    if (tackle_run_start(rt, &options, &run, &err) != 0 || tackle_run_wait(run, &err) != 0)
        fail_msg("%s", err.message);
    if (tackle_run_exit_code(run) != TACKLE_EXIT_OK)
        fail_msg("%s", tackle_run_result(run));
    char *answer = strdup(tackle_run_text(run));
    assert_non_null(answer);
    tackle_runtime_free(rt);
    return answer;
}

/* Runs the agent on the repository, and records it; then plays the recording, with the endpoint
 * gone: the same requests, and the same answer. */
static void job_run(struct job *job, const char *agent, const char *prompt)
{
    char *place = test_temp_dir(), *tape = test_join(place, "tape");
    const char *const live[] = {"base_url", job->endpoint.url, "record", tape, NULL};
    const char *const replay[] = {"replay", tape, "replay_mode", "full", NULL};
    job->answer = run_agent(job, agent, prompt, live);
    job->requests = endpoint_child_stop(&job->endpoint);
    char *again = run_agent(job, agent, prompt, replay);
    assert_string_equal(again, job->answer);
    free(again);
    test_remove_tree(place);
    free(tape);
    free(place);
}

static void job_end(struct job *job)
{
    json_decref(job->requests);
    test_remove_tree(job->folder);
    free(job->folder);
    free(job->answer);
}

/* ---- What the model was told ---- */

static const json_t *request(const struct job *job, size_t index)
{
    const json_t *body = json_object_get(json_array_get(job->requests, index), "json");
    assert_non_null(body);
    return body;
}

/* The result that stands `from_end` messages before the end of a request. */
static void result_says(const struct job *job, size_t index, size_t from_end, const char *part)
{
    const json_t *messages = json_object_get(request(job, index), "messages");
    size_t count = json_array_size(messages);
    assert_true(count > from_end);
    const json_t *message = json_array_get(messages, count - 1 - from_end);
    const char *content = json_string_value(json_object_get(message, "content"));
    assert_string_equal(json_string_value(json_object_get(message, "role")), "tool");
    assert_non_null(content);
    if (!strstr(content, part))
        fail_msg("\"%s\" is missing in: %s", part, content);
}

static void first_request_is_small(const struct job *job)
{
    const json_t *body = request(job, 0);
    json_t *part =
        json_pack("{s:[O], s:O}", "messages", json_array_get(json_object_get(body, "messages"), 0),
                  "tools", json_object_get(body, "tools"));
    assert_non_null(part);
    char *text = json_dumps(part, JSON_COMPACT);
    assert_non_null(text);
    if (strlen(text) > FIRST_REQUEST_MAX)
        fail_msg("prompt and tools take %zu bytes, %d are allowed", strlen(text),
                 FIRST_REQUEST_MAX);
    free(text);
    json_decref(part);
}

/* ---- The agents ---- */

static void test_assistant_answers_from_the_files(void **state)
{
    struct job job;
    (void)state;
    job_start(&job, "=== reply\n"
                    "text I look.\n"
                    "call list_dir {}\n"
                    "call search {\"pattern\": \"retries\"}\n"
                    "=== reply\n"
                    "text The client retries three times (client.conf:2).\n");
    put(&job, "client.conf", "host = example.org\nretries = 3\n");
    commit(&job, "Add the client's configuration");
    job_run(&job, "assistant", "How often does the client retry?");
    assert_string_equal(job.answer, "The client retries three times (client.conf:2).");
    result_says(&job, 1, 1, "client.conf");
    result_says(&job, 1, 0, "retries = 3");
    first_request_is_small(&job);
    job_end(&job);
}

static void test_assistant_cannot_change_a_file(void **state)
{
    struct job job;
    (void)state;
    job_start(&job, "=== reply\n"
                    "call write_file {\"path\": \"client.conf\", \"content\": \"\"}\n"
                    "=== reply\n"
                    "text I may not change files.\n");
    put(&job, "client.conf", "retries = 3\n");
    job_run(&job, "assistant", "Empty client.conf.");
    result_says(&job, 1, 0, "write_file");
    file_says(&job, "client.conf", "retries = 3\n");
    job_end(&job);
}

static void test_code_review_reads_the_uncommitted_change(void **state)
{
    struct job job;
    (void)state;
    job_start(&job, "=== reply\n"
                    "call git_diff {}\n"
                    "call read_file {\"path\": \"sum.sh\"}\n"
                    "=== reply\n"
                    "text major sum.sh:2 - the second number is left out.\n");
    put(&job, "sum.sh", "#!/bin/sh\necho $(($1 + $2))\n");
    commit(&job, "Add sum.sh");
    put(&job, "sum.sh", "#!/bin/sh\necho $(($1))\n");
    job_run(&job, "code-review", "Review what I have changed.");
    result_says(&job, 1, 1, "-echo $(($1 + $2))");
    result_says(&job, 1, 1, "+echo $(($1))");
    result_says(&job, 1, 0, "echo $(($1))");
    file_says(&job, "sum.sh", "#!/bin/sh\necho $(($1))\n");
    job_end(&job);
}

static void test_release_notes_writes_the_changelog(void **state)
{
    struct job job;
    (void)state;
    job_start(&job,
              "=== reply\n"
              "call git_log {}\n"
              "call read_file {\"path\": \"CHANGELOG.md\"}\n"
              "=== reply\n"
              "call edit_file {\"path\": \"CHANGELOG.md\", \"old_text\": \"## Unreleased\\n\", "
              "\"new_text\": \"## Unreleased\\n\\n- `sum.sh` adds two numbers.\\n\"}\n"
              "=== reply\n"
              "text One commit since 1.0.0; the entry is written.\n");
    put(&job, "CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n## 1.0.0\n\n- First release.\n");
    commit(&job, "Release 1.0.0");
    put(&job, "sum.sh", "#!/bin/sh\necho $(($1 + $2))\n");
    commit(&job, "Add sum.sh");
    job_run(&job, "release-notes", "Write the notes since 1.0.0.");
    result_says(&job, 1, 1, "Add sum.sh");
    file_says(&job, "CHANGELOG.md",
              "# Changelog\n\n## Unreleased\n\n- `sum.sh` adds two numbers.\n\n## 1.0.0\n\n"
              "- First release.\n");
    job_end(&job);
}

static void test_ci_triage_reproduces_the_failure(void **state)
{
    struct job job;
    (void)state;
    job_start(&job, "=== reply\n"
                    "call read_file {\"path\": \"ci.log\"}\n"
                    "=== reply\n"
                    "call run_command {\"command\": \"sh check.sh\"}\n"
                    "call git_log {\"path\": \"sum.sh\"}\n"
                    "=== reply\n"
                    "text Verdict: code. sum.sh leaves out the second number.\n");
    put(&job, "ci.log", "$ sh check.sh\nFAIL 2 + 3: got 2\n");
    put(&job, "check.sh",
        "got=$(sh sum.sh 2 3)\n[ \"$got\" = 5 ] || { echo \"FAIL 2 + 3: got "
        "$got\"; exit 1; }\n");
    put(&job, "sum.sh", "echo $(($1))\n");
    commit(&job, "Simplify sum.sh");
    job_run(&job, "ci-triage", "ci.log is the log of a job that failed. Why?");
    result_says(&job, 2, 1, "FAIL 2 + 3: got 2");
    result_says(&job, 2, 0, "Simplify sum.sh");
    job_end(&job);
}

static void test_repo_chores_fixes_checks_and_commits(void **state)
{
    struct job job;
    (void)state;
    job_start(&job, "=== reply\n"
                    "call run_command {\"command\": \"sh check.sh\"}\n"
                    "call read_file {\"path\": \"sum.sh\"}\n"
                    "=== reply\n"
                    "call edit_file {\"path\": \"sum.sh\", \"old_text\": \"$(($1))\", "
                    "\"new_text\": \"$(($1 + $2))\"}\n"
                    "=== reply\n"
                    "call run_command {\"command\": \"sh check.sh\"}\n"
                    "=== reply\n"
                    "call git_add {\"paths\": [\"sum.sh\"]}\n"
                    "=== reply\n"
                    "call git_commit {\"message\": \"Add the second number\"}\n"
                    "=== reply\n"
                    "text The check passes; committed.\n");
    put(&job, "check.sh", "[ \"$(sh sum.sh 2 3)\" = 5 ] && echo all good\n");
    put(&job, "sum.sh", "echo $(($1))\n");
    commit(&job, "Start");
    put(&job, "notes.txt", "the user's own, not to be committed\n");
    job_run(&job, "repo-chores", "The check fails. Fix it and commit.");
    result_says(&job, 3, 0, "all good");
    file_says(&job, "sum.sh", "echo $(($1 + $2))\n");
    char *log = git(job.folder, "git_log", "{}"), *status = git(job.folder, "git_status", "{}");
    assert_non_null(strstr(log, "Add the second number"));
    assert_non_null(strstr(status, "notes.txt"));
    assert_null(strstr(status, "sum.sh"));
    free(log);
    free(status);
    job_end(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assistant_answers_from_the_files),
        cmocka_unit_test(test_assistant_cannot_change_a_file),
        cmocka_unit_test(test_code_review_reads_the_uncommitted_change),
        cmocka_unit_test(test_release_notes_writes_the_changelog),
        cmocka_unit_test(test_ci_triage_reproduces_the_failure),
        cmocka_unit_test(test_repo_chores_fixes_checks_and_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
