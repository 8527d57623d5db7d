/* Frames, the socket, and the queue of deletions; the layout is drawn in io.margay.cni.protocol's package-info.java. */
#define _GNU_SOURCE
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
  PROTOCOL_VERSION = 1, /* what this client speaks */
  PROTOCOL_OLDEST = 1,  /* the oldest agent it understands */
  KIND_REQUEST = 1,
  KIND_REPLY = 2,
  HEADER_OCTETS = 12,
  FIELD_OCTETS = 8,
  MAX_REPLY_OCTETS = 4 << 20,
  MAX_QUEUED_DELETIONS = 10000,
  QUEUE_PATIENCE_MS = 5000, /* how long DEL waits for an agent that is draining the queue, or dies again and again */
  REPLY_PATIENCE_MS = 60000,
  DEL_REPLY_PATIENCE_MS = 20000 /* within the minute runtimes give a clean-up, with time left to queue */
};
enum { FIELD_STDIN = 16, FIELD_PROGRAM = 17 };
enum { REPLY_EXIT_CODE = 1, REPLY_STDOUT = 2, REPLY_STDERR = 3 };

static const char MAGIC[4] = {'M', 'G', 'Y', 'C'};

/* ---- the frame ---- */

static void put_number(char *at, uint32_t number, int octets) {
  for (int i = octets - 1; i >= 0; i--, number >>= 8) at[i] = (char)(number & 0xff);
}

static uint32_t get_number(const char *at, int octets) {
  uint32_t number = 0;
  for (int i = 0; i < octets; i++) number = number << 8 | (unsigned char)at[i];
  return number;
}

static void put_field(struct buffer *b, int type, const char *data, size_t length) {
  grow(b, FIELD_OCTETS + length);
  put_number(b->data + b->length, (uint32_t)type, 2);
  put_number(b->data + b->length + 2, 0, 2);
  put_number(b->data + b->length + 4, (uint32_t)length, 4);
  if (length) memcpy(b->data + b->length + FIELD_OCTETS, data, length);
  b->length += FIELD_OCTETS + length;
}

void build_request(struct buffer *b, const struct buffer *in, const char *program) {
  grow(b, HEADER_OCTETS);
  b->length = HEADER_OCTETS;
  for (int i = 0; i < VARIABLES; i++)
    if (env[i]) put_field(b, i + 1, env[i], strlen(env[i]));
  put_field(b, FIELD_PROGRAM, program, strlen(program));
  put_field(b, FIELD_STDIN, in->data, in->length);
  memcpy(b->data, MAGIC, sizeof MAGIC);
  put_number(b->data + 4, PROTOCOL_VERSION, 1);
  put_number(b->data + 5, PROTOCOL_OLDEST, 1);
  put_number(b->data + 6, KIND_REQUEST, 2);
  put_number(b->data + 8, (uint32_t)(b->length - HEADER_OCTETS), 4);
}

static bool send_request(int fd, const struct buffer *b, const int *fds, int count) {
  union { char room[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr align; } control = {{0}};
  struct iovec part = {b->data, b->length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = control.room;
    message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(c), fds, (size_t)count * sizeof(int));
  }
  ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
  if (n <= 0) return false;
  for (size_t done = (size_t)n; done < b->length; done += (size_t)n) {
    n = send(fd, b->data + done, b->length - done, MSG_NOSIGNAL);
    if (n <= 0) return false;
  }
  return true;
}

static bool receive(int fd, char *data, size_t length, long deadline) {
  while (length > 0) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    long left = deadline - now_ms();
    if (left <= 0 || poll(&p, 1, (int)left) <= 0) return false;
    ssize_t n = recv(fd, data, length, 0);
    if (n <= 0) return false;
    data += n;
    length -= (size_t)n;
  }
  return true;
}

static bool parse_reply(const char *body, size_t length, struct reply *reply) {
  size_t at = 0;
  *reply = (struct reply){.exit_code = -1};
  while (at < length) {
    if (length - at < FIELD_OCTETS) return false;
    uint32_t type = get_number(body + at, 2), size = get_number(body + at + 4, 4);
    at += FIELD_OCTETS;
    if (size > length - at) return false;
    if (type == REPLY_EXIT_CODE && size == 4) reply->exit_code = (int)(get_number(body + at, 4) & 0xff);
    if (type == REPLY_STDOUT) reply->out = body + at, reply->out_length = size;
    if (type == REPLY_STDERR) reply->err = body + at, reply->err_length = size;
    at += size;
  }
  return reply->exit_code >= 0;
}

/* A connected socket, or -1 when nobody listens. */
static int connect_agent(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/cni.sock", run_dir);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail(IO_FAILURE, NULL, "cannot create a socket: %s", reason(errno));
  struct timeval patience = {.tv_sec = CONNECT_PATIENCE_MS / 1000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

enum outcome exchange(const struct buffer *request, const int *fds, int count, struct reply *reply) {
  int fd = connect_agent();
  if (fd < 0) return AWAY;
  long deadline = now_ms() + (strcmp(env[COMMAND], "DEL") ? REPLY_PATIENCE_MS : DEL_REPLY_PATIENCE_MS);
  char header[HEADER_OCTETS];
  char *body = NULL;
  enum outcome outcome = AWAY;
  if (send_request(fd, request, fds, count) && receive(fd, header, sizeof header, deadline)) {
    uint32_t length = get_number(header + 8, 4), version = get_number(header + 4, 1);
    if (memcmp(header, MAGIC, sizeof MAGIC) || get_number(header + 6, 2) != KIND_REPLY || length > MAX_REPLY_OCTETS)
      fail(IO_FAILURE, NULL, "%s/cni.sock answered with something that is not a margay reply; is another program listening?", run_dir);
    if (version < PROTOCOL_OLDEST || version > PROTOCOL_VERSION)
      fail(TRY_LATER, NULL, "the agent answers in protocol %u, this margay-cni speaks %d to %d; install both of one release",
           version, PROTOCOL_OLDEST, PROTOCOL_VERSION);
    body = malloc(length + 1);
    if (body && receive(fd, body, length, deadline)) {
      if (!parse_reply(body, length, reply)) fail(IO_FAILURE, NULL, "%s/cni.sock sent a malformed reply", run_dir);
      outcome = ANSWERED;
    }
  }
  close(fd);
  if (outcome == ANSWERED) return ANSWERED; /* reply points into body, which lives until exit */
  free(body);
  return now_ms() >= deadline ? SILENT : AWAY;
}

/* ---- DEL without an agent ---- */

static int count_queued(int directory) {
  int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
  DIR *entries = copy < 0 ? NULL : fdopendir(copy);
  if (!entries) fail(TRY_LATER, NULL, "cannot list %s/delq: %s", run_dir, reason(errno));
  for (struct dirent *e; (e = readdir(entries));) count += e->d_name[0] != '.';
  closedir(entries);
  return count;
}

/*
 * The file is named after the attachment, so that a runtime's repeated DELs take one place in the queue, and the agent finds
 * the one that an ADD makes void (DeletionQueue.forget).
 */
static void store_deletion(int directory, const struct buffer *request) {
  uint64_t hash = 14695981039346656037u; /* FNV-1a */
  for (const char *c = env[CONTAINERID]; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
  hash = (hash ^ '/') * 1099511628211u;
  for (const char *c = env[IFNAME]; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
  char name[32], temporary[64];
  snprintf(name, sizeof name, "%016llx.del", (unsigned long long)hash);
  snprintf(temporary, sizeof temporary, ".%s.%ld", name, (long)getpid());
  unlinkat(directory, temporary, 0);
  int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 || !write_all(fd, request->data, request->length) || fsync(fd) || renameat(directory, temporary, directory, name) ||
      fsync(directory)) {
    int cause = errno;
    unlinkat(directory, temporary, 0);
    fail(TRY_LATER, NULL, "no agent answers on %s/cni.sock and DEL cannot be queued in %s/delq: %s", run_dir, run_dir, reason(cause));
  }
  close(fd);
}

/* A shared fcntl lock, which the agent's exclusive one excludes; -1 and EAGAIN while the agent drains. */
static int lock_queue(int directory) {
  int fd = openat(directory, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct flock shared = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
  if (fd < 0 || fcntl(fd, F_SETLK, &shared) == 0) return fd;
  int cause = errno;
  close(fd);
  errno = cause == EACCES ? EAGAIN : cause;
  return -1;
}

static bool is_listening(void) {
  int fd = connect_agent();
  if (fd >= 0) close(fd);
  return fd >= 0;
}

/*
 * DEL: answered by the agent, or left on disk; true means that reply is filled. Once the agent listens it drains under its
 * lock. Who finds nobody listening while holding the shared lock has therefore written before the agent looks.
 */
bool delete_attachment(const struct buffer *request, const int *fds, int count, struct reply *reply) {
  enum outcome outcome = exchange(request, fds, count, reply);
  if (outcome == ANSWERED) return true;
  char path[sizeof run_dir + 8];
  snprintf(path, sizeof path, "%s/delq", run_dir);
  mkdir(run_dir, 0755);
  mkdir(path, 0700);
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    fail(TRY_LATER, NULL, "no agent answers on %s/cni.sock and %s cannot be opened: %s", run_dir, path, reason(errno));
  for (long deadline = now_ms() + QUEUE_PATIENCE_MS;;) {
    int lock = lock_queue(directory);
    if (lock < 0 && errno != EAGAIN) fail(TRY_LATER, NULL, "%s/.lock cannot be locked: %s", path, reason(errno));
    bool late = outcome == SILENT || now_ms() >= deadline;
    if (lock >= 0 && (late || !is_listening())) {
      if (count_queued(directory) >= MAX_QUEUED_DELETIONS)
        fail(TRY_LATER, NULL, "no agent answers and %s already holds %d deletions; start margay agent", path, MAX_QUEUED_DELETIONS);
      store_deletion(directory, request);
      return false;
    }
    if (late) fail(TRY_LATER, NULL, "the agent has been draining %s for %d ms", path, QUEUE_PATIENCE_MS);
    if (lock >= 0) close(lock);
    usleep(RETRY_PAUSE_MS * 1000);
    outcome = exchange(request, fds, count, reply);
    if (outcome == ANSWERED) return true;
  }
}
