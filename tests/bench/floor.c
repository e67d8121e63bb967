/* The floor: what libcurl alone costs. Posts the bodies of a recorded run over one connection and
 * parses nothing. usage: bench-floor URL BODY SIZES
 *
 * BODY is the body of the run's last request, SIZES the length of each body, one a line: as a
 * conversation only grows, every body is the start of the last one. */
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t ignore(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

static char *read_file(const char *path, size_t *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && (text = malloc((size_t)st.st_size + 1)) &&
        read(fd, text, (size_t)st.st_size) == (ssize_t)st.st_size) {
        *len = (size_t)st.st_size;
        text[*len] = '\0';
    } else {
        free(text);
        text = NULL;
    }
    if (fd >= 0)
        (void)close(fd);
    return text;
}

/* The first `size` bytes, ended as a body ends. */
static CURLcode post(CURL *easy, char *body, size_t size)
{
    char behind[2];
    memcpy(behind, body + size - 2, 2);
    memcpy(body + size - 2, "]}", 2);
    CURLcode code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    if (code == CURLE_OK)
        code = curl_easy_perform(easy);
    memcpy(body + size - 2, behind, 2);
    return code;
}

static CURLcode post_all(CURL *easy, char *body, size_t len, const char *sizes)
{
    CURLcode code = CURLE_OK;
    char *end;
    for (size_t size; code == CURLE_OK && (size = strtoul(sizes, &end, 10)) >= 2; sizes = end)
        code = size <= len ? post(easy, body, size) : CURLE_READ_ERROR;
    return code;
}

static struct curl_slist *make_headers(void)
{
    static const char *const lines[] = {"Content-Type: application/json",
                                        "Accept: text/event-stream, application/json",
                                        "Expect:", "Authorization: Bearer bench"};
    struct curl_slist *headers = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        headers = curl_slist_append(headers, lines[i]);
    return headers;
}

int main(int argc, char **argv)
{
    size_t len = 0, sizes_len = 0;
    if (argc != 4) {
        (void)fputs("usage: bench-floor URL BODY SIZES\n", stderr);
        return 2;
    }
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    char *body = read_file(argv[2], &len), *sizes = read_file(argv[3], &sizes_len);
    struct curl_slist *headers = make_headers();
    CURL *easy = curl_easy_init();
    if (code != CURLE_OK || !body || !sizes || !headers || !easy) {
        (void)fprintf(stderr, "bench-floor: cannot start with %s and %s\n", argv[2], argv[3]);
        return 1;
    }
    code = curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    if (code == CURLE_OK)
        code = post_all(easy, body, len, sizes);
    if (code != CURLE_OK)
        (void)fprintf(stderr, "bench-floor: %s\n", curl_easy_strerror(code));
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    free(body);
    free(sizes);
    return code == CURLE_OK ? 0 : 1;
}
