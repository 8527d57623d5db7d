/* What the parts of the client share: the request's environment, output, memory and words for errors. */
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *env[VARIABLES];
char cni_version[CNI_VERSION_OCTETS] = "1.0.0"; /* what an error object names until the config has been read */
char run_dir[MAX_RUN_DIR_OCTETS + 1];
static char signal_reply[256];
static size_t signal_reply_length;

/* ---- output: the only places that write to standard output ---- */

bool write_all(int fd, const char *data, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, data, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    length -= (size_t)n;
  }
  return true;
}

void hold_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

void on_signal(int number) {
  (void)number;
  write_all(STDOUT_FILENO, signal_reply, signal_reply_length);
  _exit(1);
}

void prepare_signal_reply(void) {
  int n = snprintf(signal_reply, sizeof signal_reply,
                   "{\"cniVersion\":\"%s\",\"code\":%d,\"msg\":\"margay-cni was stopped by a signal before the agent "
                   "answered; repeat the request, or send DEL\"}\n",
                   cni_version, TRY_LATER);
  signal_reply_length = (size_t)n;
}

static void escape_json(const char *text, char *out, size_t size) {
  size_t n = 0;
  for (; *text && n + 7 < size; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') out[n++] = '\\', out[n++] = (char)c;
    else if (c < 0x20 || c >= 0x7f) n += (size_t)snprintf(out + n, size - n, "\\u%04x", c);
    else out[n++] = (char)c;
  }
  out[n] = 0;
}

void fail(int code, const char *details, const char *format, ...) {
  static char message[1024], escaped[6 * 1024 + 8], object[8 * 1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  escape_json(message, escaped, sizeof escaped);
  int n = snprintf(object, sizeof object, "{\"cniVersion\":\"%s\",\"code\":%d,\"msg\":\"%s\"%s%s%s}\n", cni_version, code,
                   escaped, details ? ",\"details\":\"" : "", details ? details : "", details ? "\"" : "");
  hold_signals();
  write_all(STDOUT_FILENO, object, (size_t)n);
  exit(1);
}

void grow(struct buffer *b, size_t more) {
  if (b->capacity - b->length >= more) return;
  size_t capacity = b->capacity ? b->capacity : 4096;
  while (capacity - b->length < more) capacity *= 2;
  char *data = realloc(b->data, capacity);
  if (!data) fail(IO_FAILURE, NULL, "out of memory: %zu octets refused", capacity);
  b->data = data;
  b->capacity = capacity;
}

/* ---- errors and time ---- */

/* A runtime takes a DEL whose error says "No such file or directory" for done. */
const char *reason(int error) { return error == ENOENT ? "it does not exist" : strerror(error); }

long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
