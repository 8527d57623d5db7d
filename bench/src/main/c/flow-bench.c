/* TCP between two namespaces, from one process: connections a second, or octets a second.
 * usage: flow-bench conn|bulk SECONDS ADDRESS PORT [CLIENT_PID_OR_NETNS_PATH SERVER_NETNS_PATH]
 * prints one number. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096, CHUNK = 128 * 1024, CONNECT_PATIENCE_MS = 2000 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void enter(const char *netns) {
  int fd = open(netns, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) err(1, "enter %s", netns);
  close(fd);
}

static struct sockaddr_in at(const char *address, const char *port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) errx(1, "%s is no IPv4 address", address);
  return to;
}

static int listening(const struct sockaddr_in *at) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (const struct sockaddr *)at, sizeof *at) != 0 || listen(fd, BACKLOG) != 0) err(1, "listen");
  return fd;
}

/* Takes connections, and what they send, until it is killed. */
static void serve(int listener) {
  static char chunk[CHUNK];
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) continue;
    while (read(fd, chunk, sizeof chunk) > 0) {
    }
    close(fd);
  }
}

static int connected(const struct sockaddr_in *to) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) err(1, "socket");
  /* A closed end without TIME_WAIT: ports would run out. */
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  if (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0) {
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int failed = 0;
    socklen_t size = sizeof failed;
    if (errno != EINPROGRESS || poll(&wait, 1, CONNECT_PATIENCE_MS) != 1 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0 || failed != 0)
      errx(1, "no connection: %s", failed ? strerror(failed) : "it is not let through");
  }
  fcntl(fd, F_SETFL, 0);
  return fd;
}

static double connections(const struct sockaddr_in *to, double seconds) {
  double began = now(), ends = began + seconds;
  long count = 0;
  while (now() < ends) {
    close(connected(to));
    count++;
  }
  return (double)count / (now() - began);
}

static double octets(const struct sockaddr_in *to, double seconds) {
  static char chunk[CHUNK];
  int fd = connected(to);
  double began = now(), ends = began + seconds;
  double sent = 0;
  while (now() < ends) {
    ssize_t wrote = write(fd, chunk, sizeof chunk);
    if (wrote <= 0) err(1, "write");
    sent += (double)wrote;
  }
  close(fd);
  return sent / (now() - began);
}

int main(int argc, char **argv) {
  if (argc != 7) errx(2, "usage: flow-bench conn|bulk SECONDS ADDRESS PORT CLIENT_NETNS SERVER_NETNS");
  struct sockaddr_in to = at(argv[3], argv[4]);
  enter(argv[6]);
  int listener = listening(&to);
  pid_t server = fork();
  if (server < 0) err(1, "fork");
  if (server == 0) serve(listener);
  close(listener);
  enter(argv[5]);
  double rate = strcmp(argv[1], "conn") == 0 ? connections(&to, atof(argv[2])) : octets(&to, atof(argv[2]));
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  printf("%.0f\n", rate);
  return 0;
}
