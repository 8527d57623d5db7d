/* Many iBGP clients of one route reflector in one process, each from an address of its own, until every client holds
 * every other client's routes; then, for as long as asked, whether the sessions live.
 *
 * usage: bgp-swarm --to ADDRESS --from FIRST_ADDRESS --as ASN [--clients N] [--prefixes N] [--hold SECONDS]
 *                  [--stay SECONDS] [--limit SECONDS] [--pace CONNECTIONS_PER_SECOND] [--realtime]
 *
 * The clients' addresses follow FIRST_ADDRESS; all must be local. Client i announces the /24s number i*prefixes and on,
 * upwards from 30.0.0.0. Prints key=value pairs on one line; exit code 0 only if all converged and no session was lost.
 * --realtime runs it ahead of ordinary processes, so that the machine's load tests the reflector and not this judge. */
#define _GNU_SOURCE
#include "bgp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 20000
#define FIRST_PREFIX 0x1e000000u
#define TICK_MILLIS 50
#define RETRY_SECONDS 0.5
#define OPEN_SECONDS 5.0 /* how long an OPEN may take; a full accept queue swallows connections in silence */
#define READ_OCTETS (256 * 1024)

enum state { DOWN, CONNECTING, OPEN_SENT, OPEN_CONFIRM, ESTABLISHED };

struct client {
  int fd;
  enum state state;
  int lost_once;
  double retry_at, keepalive_at, heard_at;
  uint8_t rest[BGP_MAX];
  size_t rest_length;
  uint8_t *seen; /* a bit per prefix of all clients */
  int held;      /* bits set, own prefixes not counted */
};

static struct client *clients;
static int count = 1000, prefixes = 10, hold = 3;
static uint32_t first_address, reflector, asn;
static double stay, limit = 120, pace = 1000, started;
static int poller, up, complete, lost, retries, notifications;
static long messages, routes;
static double longest_silence;
static char why[128] = "", why_again[128] = "";

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "bgp-swarm: %s: %s\n", what, strerror(errno));
  exit(2);
}

static int wanted(void) { return (count - 1) * prefixes; }

static void down(struct client *c, const char *reason) {
  if (c->state == ESTABLISHED) {
    up--;
    lost++;
    if (!*why) snprintf(why, sizeof why, "client %d: %s", (int)(c - clients), reason);
  } else {
    retries++;
    if (!*why_again) snprintf(why_again, sizeof why_again, "client %d in state %d: %s", (int)(c - clients), c->state, reason);
  }
  if (c->held == wanted()) complete--;
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  c->state = DOWN;
  c->retry_at = now() + RETRY_SECONDS;
  c->rest_length = 0;
  c->held = 0;
  memset(c->seen, 0, (size_t)(count * prefixes + 7) / 8);
}

static void say(struct client *c, const uint8_t *m, size_t length) {
  ssize_t sent = send(c->fd, m, length, MSG_NOSIGNAL);
  if (sent != (ssize_t)length) down(c, sent < 0 ? strerror(errno) : "the reflector does not read");
}

static void dial(struct client *c) {
  int i = (int)(c - clients);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) fail("socket");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(first_address + (uint32_t)i)};
  if (bind(c->fd, (struct sockaddr *)&from, sizeof from)) fail("bind; is the address local?");
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(BGP_PORT), .sin_addr.s_addr = htonl(reflector)};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = (uint32_t)i};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll_ctl");
  c->state = CONNECTING;
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) down(c, strerror(errno));
}

static void connected(struct client *c) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    down(c, strerror(error));
    return;
  }
  int i = (int)(c - clients);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
  if (epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event)) fail("epoll_ctl");
  uint8_t m[BGP_MAX];
  c->state = OPEN_SENT;
  c->heard_at = now();
  say(c, m, bgp_open(m, asn, (unsigned)hold, first_address + (uint32_t)i));
}

/* All of a client's routes, with a set of attributes nobody else has, and End-of-RIB. */
static void announce(struct client *c) {
  int i = (int)(c - clients);
  uint8_t m[BGP_MAX];
  uint8_t *b = m + BGP_HEADER;
  static const uint8_t attributes[] = {0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4};
  static const uint8_t preference[] = {0x40, 5, 4, 0, 0, 0, 100};
  put16(b, 0);
  put16(b + 2, sizeof attributes + 4 + sizeof preference);
  memcpy(b + 4, attributes, sizeof attributes);
  uint8_t *at = b + 4 + sizeof attributes;
  put32(at, first_address + (uint32_t)i);
  memcpy(at + 4, preference, sizeof preference);
  at += 4 + sizeof preference;
  for (int p = 0; p < prefixes; p++) at += bgp_prefix(at, FIRST_PREFIX + (uint32_t)(i * prefixes + p) * 256, 24);
  say(c, m, bgp_frame(m, BGP_UPDATE, (size_t)(at - b)));
  if (c->state != ESTABLISHED) return;
  memset(b, 0, 4);
  say(c, m, bgp_frame(m, BGP_UPDATE, 4));
}

static void route(void *context, uint32_t address, int length, int announced) {
  struct client *c = context;
  int i = (int)(c - clients);
  routes++;
  if (length != 24 || address < FIRST_PREFIX) return;
  uint32_t index = (address - FIRST_PREFIX) / 256;
  if (index >= (uint32_t)(count * prefixes) || (int)index / prefixes == i) return;
  uint8_t bit = (uint8_t)(1u << (index & 7));
  int had = c->seen[index / 8] & bit;
  if (announced && !had) {
    c->seen[index / 8] |= bit;
    if (++c->held == wanted()) complete++;
  } else if (!announced && had) {
    if (c->held-- == wanted()) complete--;
    c->seen[index / 8] &= (uint8_t)~bit;
  }
}

static void message(struct client *c, const uint8_t *m, size_t length) {
  uint8_t reply[BGP_MAX];
  double at = now();
  messages++;
  if (c->state == ESTABLISHED && at - c->heard_at > longest_silence) longest_silence = at - c->heard_at;
  c->heard_at = at;
  switch (m[18]) {
    case BGP_OPEN:
      c->state = OPEN_CONFIRM;
      say(c, reply, bgp_keepalive(reply));
      break;
    case BGP_KEEPALIVE:
      if (c->state == OPEN_CONFIRM) {
        c->state = ESTABLISHED;
        c->keepalive_at = at + hold / 3.0 * (0.5 + 0.5 * drand48());
        up++;
        announce(c);
      }
      break;
    case BGP_UPDATE:
      if (bgp_visit(m, length, route, c)) down(c, "malformed UPDATE");
      break;
    case BGP_NOTIFICATION: {
      char text[64];
      notifications++;
      snprintf(text, sizeof text, "NOTIFICATION %d/%d", length > 20 ? m[19] : 0, length > 20 ? m[20] : 0);
      down(c, text);
      break;
    }
  }
}

static void readable(struct client *c) {
  static uint8_t buffer[READ_OCTETS + BGP_MAX];
  memcpy(buffer, c->rest, c->rest_length);
  ssize_t got = recv(c->fd, buffer + c->rest_length, READ_OCTETS, 0);
  if (got <= 0) {
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    down(c, got == 0 ? "closed by the reflector" : strerror(errno));
    return;
  }
  size_t have = c->rest_length + (size_t)got, done = 0;
  c->rest_length = 0;
  for (;;) {
    int length = bgp_length(buffer + done, have - done);
    if (length < 0) down(c, "not BGP");
    if (length <= 0) break;
    message(c, buffer + done, (size_t)length);
    done += (size_t)length;
    if (c->fd < 0) break;
  }
  if (c->fd < 0) return;
  c->rest_length = have - done;
  memcpy(c->rest, buffer + done, c->rest_length);
}

static void tick(void) {
  double at = now();
  int dials = (int)(pace * TICK_MILLIS / 1e3) + 1;
  uint8_t m[BGP_MAX];
  for (int i = 0; i < count; i++) {
    struct client *c = clients + i;
    if (c->state == DOWN && at >= c->retry_at && dials-- > 0) dial(c);
    if (c->state == ESTABLISHED && at >= c->keepalive_at) {
      c->keepalive_at = at + hold / 3.0;
      say(c, m, bgp_keepalive(m));
    }
    if (c->state > CONNECTING && at - c->heard_at > (c->state == ESTABLISHED ? hold : OPEN_SECONDS)) {
      if (c->state == ESTABLISHED) longest_silence = at - c->heard_at;
      down(c, c->state == ESTABLISHED ? "silent for the hold time" : "no OPEN");
    }
  }
}

static void pass(int millis) {
  struct epoll_event events[512];
  int n = epoll_wait(poller, events, 512, millis);
  for (int e = 0; e < n; e++) {
    struct client *c = clients + events[e].data.u32;
    if (c->state == CONNECTING) connected(c);
    else if (c->fd >= 0) readable(c);
  }
}

/* Runs until all are up and hold everything, or for so long; the time it took. */
static double run(double seconds, int until_complete) {
  double begun = now(), ticked = 0, all_up = 0;
  while (now() - begun < seconds) {
    pass(TICK_MILLIS);
    if (now() - ticked >= TICK_MILLIS / 1e3) {
      ticked = now();
      tick();
    }
    if (!all_up && up == count) {
      all_up = now() - started;
      if (until_complete) printf("established=%.2fs ", all_up);
    }
    if (until_complete && complete == count) break;
  }
  return now() - started;
}

static uint32_t address(const char *text) {
  struct in_addr parsed;
  if (inet_pton(AF_INET, text, &parsed) != 1) {
    fprintf(stderr, "bgp-swarm: %s is not an IPv4 address\n", text);
    exit(2);
  }
  return ntohl(parsed.s_addr);
}

static void options(int argc, char **argv) {
  static const struct option names[] = {
      {"to", 1, 0, 't'},   {"from", 1, 0, 'f'}, {"as", 1, 0, 'a'},    {"clients", 1, 0, 'c'},  {"prefixes", 1, 0, 'p'},
      {"hold", 1, 0, 'h'}, {"stay", 1, 0, 's'}, {"limit", 1, 0, 'l'}, {"pace", 1, 0, 'n'}, {"realtime", 0, 0, 'r'}, {0, 0, 0, 0}};
  for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (o) {
      case 't': reflector = address(optarg); break;
      case 'f': first_address = address(optarg); break;
      case 'a': asn = (uint32_t)strtoul(optarg, NULL, 10); break;
      case 'c': count = atoi(optarg); break;
      case 'p': prefixes = atoi(optarg); break;
      case 'h': hold = atoi(optarg); break;
      case 's': stay = atof(optarg); break;
      case 'l': limit = atof(optarg); break;
      case 'n': pace = atof(optarg); break;
      case 'r': {
        struct sched_param first = {.sched_priority = 1};
        if (sched_setscheduler(0, SCHED_RR, &first)) fail("sched_setscheduler");
        break;
      }
      default: exit(2);
    }
  if (!reflector || !first_address || !asn || count < 2 || count > MAX_CLIENTS || prefixes < 1 || prefixes > 500 ||
      hold < 3) {
    fprintf(stderr, "usage: bgp-swarm --to ADDRESS --from ADDRESS --as ASN [--clients 2..%d] [--prefixes 1..500] "
                    "[--hold 3..] [--stay S] [--limit S] [--pace N] [--realtime]\n", MAX_CLIENTS);
    exit(2);
  }
}

int main(int argc, char **argv) {
  options(argc, argv);
  struct rlimit files = {(rlim_t)count + 64, (rlim_t)count + 64};
  if (setrlimit(RLIMIT_NOFILE, &files)) fail("setrlimit");
  clients = calloc((size_t)count, sizeof *clients);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (!clients || poller < 0) fail("start");
  for (int i = 0; i < count; i++) {
    clients[i].fd = -1;
    clients[i].seen = calloc((size_t)(count * prefixes + 7) / 8, 1);
    if (!clients[i].seen) fail("calloc");
  }
  started = now();
  double took = run(limit, 1);
  int converged = complete == count;
  if (converged) printf("converged=%.2fs ", took);
  else printf("converged=never up=%d complete=%d ", up, complete);
  fflush(stdout);
  if (converged && stay > 0) run(stay, 0);
  printf("lost=%d retries=%d notifications=%d longest_silence=%.2fs messages=%ld routes=%ld%s%s%s%s\n", lost, retries,
         notifications, longest_silence, messages, routes, *why ? " first loss: " : "", why,
         *why_again ? " first retry: " : "", why_again);
  uint8_t m[BGP_MAX];
  size_t goodbye = bgp_cease(m);
  int still_complete = complete == count;
  for (int i = 0; i < count; i++)
    if (clients[i].fd >= 0) send(clients[i].fd, m, goodbye, MSG_NOSIGNAL | MSG_DONTWAIT);
  return converged && still_complete && lost == 0 ? 0 : 1;
}
