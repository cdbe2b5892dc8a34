/* A runtime in one file: asks for an event, answers with it, for ever. For the cold start of `provided.al2023`. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[1 << 20];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* One answer in `buffer`: returns its body, and how long that is. */
static char *answer(int line, size_t *length) {
  size_t read_bytes = 0;
  for (;;) {
    ssize_t count = read(line, buffer + read_bytes, sizeof buffer - 1 - read_bytes);
    if (count <= 0) fail("read");
    read_bytes += (size_t)count;
    buffer[read_bytes] = 0;
    char *body = strstr(buffer, "\r\n\r\n");
    if (body == NULL) continue;
    body += 4;
    char *told = strcasestr(buffer, "content-length:");
    *length = told == NULL ? 0 : strtoul(told + 15, NULL, 10);
    if (read_bytes >= (size_t)(body - buffer) + *length) return body;
  }
}

static void ask(int line, const char *text, size_t length) {
  while (length > 0) {
    ssize_t count = write(line, text, length);
    if (count <= 0) fail("write");
    text += count;
    length -= (size_t)count;
  }
}

int main(void) {
  static char host[64], request[1 << 20];
  snprintf(host, sizeof host, "%s", getenv("AWS_LAMBDA_RUNTIME_API"));
  char authority[64];
  strcpy(authority, host);
  char *port = strchr(host, ':');
  *port++ = 0;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  inet_pton(AF_INET, host, &to.sin_addr);
  int line = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(line, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(line, (struct sockaddr *)&to, sizeof to) != 0) fail("connect");
  for (;;) {
    size_t length;
    int size = snprintf(request, sizeof request,
                        "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n", authority);
    ask(line, request, (size_t)size);
    char *event = answer(line, &length);
    char id[64] = "";
    char *told = strcasestr(buffer, "lambda-runtime-aws-request-id:");
    if (told != NULL) sscanf(told + 30, " %63[0-9a-f-]", id);
    size = snprintf(request, sizeof request,
                    "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n%.*s",
                    id, authority, length, (int)length, event);
    ask(line, request, (size_t)size);
    answer(line, &length);
  }
}
