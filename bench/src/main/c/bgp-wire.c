/* What a BGP speaker does to routes between two wires, by the kernel's own timestamps of the packets: feeds it N routes
 * in one network namespace, receives them from it in another, and captures both wires (AF_PACKET, nanoseconds).
 *
 * usage: bgp-wire --feed-ns NS --sink-ns NS [--routes N] [--rounds N] [--changes N]
 *
 * In both namespaces the wire is the device `dut`. Addresses and AS numbers are those of the lab: feeder 10.200.0.11
 * (AS 65011) to 10.200.0.1, sink 10.200.1.2 (AS 65100) to 10.200.1.1. A round announces all routes, waits until the last
 * is out, and withdraws them, likewise. Then, with all routes in the table, single routes change one after the other.
 * Every time is from the packet that brought the first (last) change in to the packet that brought the last out. */
#define _GNU_SOURCE
#include "bgp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FIRST_PREFIX 0x14000000u /* 20.0.0.0 */
#define GROUP 8                  /* routes that share a set of attributes */
#define CAPTURE_OCTETS (512 * 1024 * 1024)
#define SNAP 70000
#define HOLD_SECONDS 90
#define LIMIT_SECONDS 60
#define CHUNK (256 * 1024)

/* One direction of one connection, put together from captured packets. */
struct wire {
  const char *name;
  int fd;
  uint32_t source, target;
  int port; /* of our end; the source's if we are the source */
  int port_is_source;
  int synchronised;
  uint32_t expected;
  uint8_t rest[BGP_MAX];
  size_t rest_length;
  int64_t at; /* when the packet in hand passed */
};

struct peer {
  int fd;
  int established;
  uint32_t asn, id;
  uint8_t rest[BGP_MAX];
  size_t rest_length;
};

static int routes = 100000, rounds = 6, changes = 2000;
static const char *feed_ns, *sink_ns;
static struct wire in = {.name = "feeder's"}, out = {.name = "sink's"};
static struct peer feeder = {.asn = 65011, .id = 0x0ac8000b}, sink = {.asn = 65100, .id = 0x0ac80102};
static int64_t *in_at, *out_at;
static uint8_t *present;
static int64_t first_in, last_in, last_out;
static int held, outs;
static const uint8_t *pending;
static size_t pending_length;
static int64_t keepalive_at;

static void fail(const char *what) {
  fprintf(stderr, "bgp-wire: %s: %s\n", what, strerror(errno));
  exit(2);
}

static void die(const char *what) {
  fprintf(stderr, "bgp-wire: %s\n", what);
  exit(1);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void enter(const char *ns) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", ns);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET)) fail(path);
  close(fd);
}

/* ---- the wires ---- */

static void changed(void *context, uint32_t address, int length, int announced) {
  struct wire *w = context;
  if (length != 24 || address < FIRST_PREFIX) return;
  uint32_t index = (address - FIRST_PREFIX) / 256;
  if (index >= (uint32_t)routes) return;
  if (w == &in) {
    if (!first_in) first_in = w->at;
    last_in = w->at;
    in_at[index] = w->at;
    return;
  }
  last_out = w->at;
  out_at[index] = w->at;
  outs++;
  held += announced - present[index];
  present[index] = (uint8_t)announced;
}

static void octets(struct wire *w, const uint8_t *at, size_t length) {
  static uint8_t joined[BGP_MAX + SNAP];
  memcpy(joined, w->rest, w->rest_length);
  memcpy(joined + w->rest_length, at, length);
  size_t have = w->rest_length + length, done = 0;
  for (;;) {
    int message = bgp_length(joined + done, have - done);
    if (message < 0) die("what passes on the wire is not BGP");
    if (message == 0) break;
    if (joined[done + 18] == BGP_UPDATE && bgp_visit(joined + done, (size_t)message, changed, w))
      die("a malformed UPDATE passed");
    done += (size_t)message;
  }
  w->rest_length = have - done;
  memcpy(w->rest, joined + done, w->rest_length);
}

static void packet(struct wire *w, const uint8_t *at, size_t length) {
  if (length < sizeof(struct iphdr)) return;
  const struct iphdr *ip = (const struct iphdr *)at;
  size_t header = ip->ihl * 4u;
  if (ip->protocol != IPPROTO_TCP || ntohl(ip->saddr) != w->source || ntohl(ip->daddr) != w->target) return;
  const struct tcphdr *tcp = (const struct tcphdr *)(at + header);
  if (ntohs(w->port_is_source ? tcp->source : tcp->dest) != w->port) return;
  size_t total = ntohs(ip->tot_len), skip = header + tcp->doff * 4u;
  if (total > length || total < skip) die("a packet was captured in part");
  uint32_t sequence = ntohl(tcp->seq);
  if (tcp->syn) {
    w->expected = sequence + 1;
    w->synchronised = 1;
    return;
  }
  size_t payload = total - skip;
  if (!w->synchronised || payload == 0) return;
  int32_t late = (int32_t)(w->expected - sequence);
  if (late < 0) die("octets are missing in the capture");
  if ((size_t)late >= payload) return; /* sent again */
  octets(w, at + skip + late, payload - (size_t)late);
  w->expected = sequence + (uint32_t)payload;
}

static int capture(struct wire *w) {
  static uint8_t frame[SNAP];
  uint8_t control[256];
  int any = 0;
  for (;;) {
    struct iovec part = {frame, sizeof frame};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(w->fd, &header, MSG_DONTWAIT);
    if (got < 0) {
      if (errno == EAGAIN) return any;
      fail("capture");
    }
    any = 1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c))
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec t;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        w->at = t.tv_sec * 1000000000LL + t.tv_nsec;
      }
    packet(w, frame, (size_t)got);
  }
}

/* In the namespace the thread is in. */
static void tap(struct wire *w) {
  w->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
  int size = CAPTURE_OCTETS, one = 1;
  struct sockaddr_ll device = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex("dut")};
  if (w->fd < 0 || setsockopt(w->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) ||
      setsockopt(w->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one) ||
      bind(w->fd, (struct sockaddr *)&device, sizeof device))
    fail("capturing on device dut");
}

/* ---- the peers ---- */

static void send_all(struct peer *p, const uint8_t *m, size_t length) {
  if (send(p->fd, m, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
}

static void heard(struct peer *p, const uint8_t *m) {
  uint8_t reply[BGP_MAX];
  if (m[18] == BGP_OPEN) send_all(p, reply, bgp_keepalive(reply));
  if (m[18] == BGP_KEEPALIVE) p->established = 1;
  if (m[18] == BGP_NOTIFICATION) {
    fprintf(stderr, "bgp-wire: the speaker ends the %s session: NOTIFICATION %d/%d\n", p == &feeder ? "feeder's" : "sink's",
            m[19], m[20]);
    exit(1);
  }
}

static void listen_to(struct peer *p) {
  static uint8_t buffer[BGP_MAX + CHUNK];
  memcpy(buffer, p->rest, p->rest_length);
  ssize_t got = recv(p->fd, buffer + p->rest_length, CHUNK, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) die("the speaker closed a session");
  size_t have = p->rest_length + (size_t)got, done = 0;
  for (int length; (length = bgp_length(buffer + done, have - done)) > 0; done += (size_t)length) heard(p, buffer + done);
  p->rest_length = have - done;
  memcpy(p->rest, buffer + done, p->rest_length);
}

static void dial(struct peer *p, struct wire *w, const char *ns, uint32_t from, uint32_t to, int sends) {
  enter(ns);
  tap(w);
  struct sockaddr_in ours = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from)};
  struct sockaddr_in theirs = {.sin_family = AF_INET, .sin_port = htons(BGP_PORT), .sin_addr.s_addr = htonl(to)};
  int64_t limit = now() + LIMIT_SECONDS * 1000000000LL;
  p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&ours, sizeof ours)) fail("bind");
  socklen_t size = sizeof ours;
  getsockname(p->fd, (struct sockaddr *)&ours, &size);
  w->source = sends ? from : to;
  w->target = sends ? to : from;
  w->port = ntohs(ours.sin_port);
  w->port_is_source = sends;
  while (connect(p->fd, (struct sockaddr *)&theirs, sizeof theirs)) {
    if (now() > limit) fail("connect");
    usleep(100000);
  }
  int one = 1;
  setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  uint8_t m[BGP_MAX];
  send_all(p, m, bgp_open(m, p->asn, HOLD_SECONDS, p->id));
}

/* One turn: reads what peers and wires have, writes what is pending to the speaker. */
static void turn(int millis) {
  struct pollfd ready[] = {{sink.fd, POLLIN, 0},
                           {feeder.fd, (short)(POLLIN | (pending_length ? POLLOUT : 0)), 0},
                           {out.fd, POLLIN, 0},
                           {in.fd, POLLIN, 0}};
  if (poll(ready, 4, millis) < 0) fail("poll");
  if (ready[0].revents) listen_to(&sink);
  if (ready[1].revents & ~POLLOUT) listen_to(&feeder);
  if (pending_length && ready[1].revents & POLLOUT) {
    ssize_t sent = send(feeder.fd, pending, pending_length < CHUNK ? pending_length : CHUNK, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) fail("send");
    if (sent > 0) {
      pending += sent;
      pending_length -= (size_t)sent;
    }
  }
  if (ready[2].revents) capture(&out);
  if (ready[3].revents) capture(&in);
  if (now() > keepalive_at && !pending_length) {
    uint8_t m[BGP_MAX];
    keepalive_at = now() + HOLD_SECONDS / 3 * 1000000000LL;
    if (sink.established) send_all(&sink, m, bgp_keepalive(m));
    if (feeder.established) send_all(&feeder, m, bgp_keepalive(m));
  }
}

static void rest(int64_t nanos) {
  for (int64_t until = now() + nanos; now() < until;) turn((int)(nanos / 1000000));
}

/* ---- what is fed ---- */

static size_t attributes(uint8_t *at, uint32_t group, uint32_t salt) {
  uint8_t *b = at;
  static const uint8_t origin_and_path[] = {0x40, 1, 1, 0, 0x40, 2, 14, 2, 3};
  memcpy(b, origin_and_path, sizeof origin_and_path);
  b += sizeof origin_and_path;
  put32(b, feeder.asn);
  put32(b + 4, 100000 + group);
  put32(b + 8, 4200000000u + group % 1000);
  b += 12;
  static const uint8_t next_hop[] = {0x40, 3, 4, 10, 200, 0, 11};
  memcpy(b, next_hop, sizeof next_hop);
  b += sizeof next_hop;
  static const uint8_t communities[] = {0xc0, 8, 8};
  memcpy(b, communities, sizeof communities);
  put32(b + 3, (group % 65000) << 16 | (group / 65000 + 1));
  put32(b + 7, 65011u << 16 | (salt & 0xffff));
  return (size_t)(b + 11 - at);
}

static size_t update(uint8_t *m, uint32_t first, uint32_t many, uint32_t salt) {
  uint8_t *b = m + BGP_HEADER;
  put16(b, 0);
  size_t size = attributes(b + 4, first / GROUP, salt);
  put16(b + 2, (unsigned)size);
  uint8_t *at = b + 4 + size;
  for (uint32_t i = first; i < first + many; i++) at += bgp_prefix(at, FIRST_PREFIX + i * 256, 24);
  return bgp_frame(m, BGP_UPDATE, (size_t)(at - b));
}

static size_t everything(uint8_t *to) {
  uint8_t *at = to;
  for (int i = 0; i < routes; i += GROUP)
    at += update(at, (uint32_t)i, (uint32_t)(routes - i < GROUP ? routes - i : GROUP), 0);
  return (size_t)(at - to);
}

static size_t nothing(uint8_t *to) {
  uint8_t *at = to;
  for (int i = 0; i < routes;) {
    uint8_t *b = at + BGP_HEADER, *p = b + 2;
    while (i < routes && p - at < BGP_MAX - 8) p += bgp_prefix(p, FIRST_PREFIX + (uint32_t)i++ * 256, 24);
    put16(b, (unsigned)(p - b - 2));
    put16(p, 0);
    at += bgp_frame(at, BGP_UPDATE, (size_t)(p + 2 - b));
  }
  return (size_t)(at - to);
}

/* Feeds these octets and waits until so many routes are out; milliseconds from first in to last out. */
static double feed(const uint8_t *from, size_t length, int until) {
  first_in = last_in = last_out = 0;
  pending = from;
  pending_length = length;
  int64_t limit = now() + LIMIT_SECONDS * 1000000000LL;
  while (pending_length || held != until) {
    turn(10);
    if (now() > limit) {
      fprintf(stderr, "bgp-wire: after %d s %d routes are out instead of %d\n", LIMIT_SECONDS, held, until);
      exit(1);
    }
  }
  rest(300000000); /* what is still under way belongs to this phase */
  if (held != until) die("routes went back and forth");
  return (double)(last_out - first_in) / 1e6;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void single_changes(void) {
  double *took = calloc((size_t)changes, sizeof *took);
  if (!took) fail("calloc");
  uint8_t m[BGP_MAX];
  for (int c = 0; c < changes; c++) {
    uint32_t index = (uint32_t)(drand48() * routes);
    in_at[index] = out_at[index] = 0;
    pending = m;
    pending_length = update(m, index, 1, 1 + (uint32_t)c);
    int64_t limit = now() + LIMIT_SECONDS * 1000000000LL;
    while (!out_at[index] || !in_at[index]) {
      turn(10);
      if (now() > limit) die("a changed route never came out");
    }
    took[c] = (double)(out_at[index] - in_at[index]) / 1e3;
    rest((int64_t)(1e6 + drand48() * 3e6));
  }
  qsort(took, (size_t)changes, sizeof *took, by_size);
  printf("changes=%d p50_us=%.0f p99_us=%.0f max_us=%.0f\n", changes, took[changes / 2], took[changes * 99 / 100],
         took[changes - 1]);
}

static void options(int argc, char **argv) {
  static const struct option names[] = {{"feed-ns", 1, 0, 'f'}, {"sink-ns", 1, 0, 's'}, {"routes", 1, 0, 'n'},
                                        {"rounds", 1, 0, 'r'},  {"changes", 1, 0, 'c'}, {0, 0, 0, 0}};
  for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (o) {
      case 'f': feed_ns = optarg; break;
      case 's': sink_ns = optarg; break;
      case 'n': routes = atoi(optarg); break;
      case 'r': rounds = atoi(optarg); break;
      case 'c': changes = atoi(optarg); break;
      default: exit(2);
    }
  if (!feed_ns || !sink_ns || routes < 1 || routes > 2000000 || rounds < 1 || changes < 1) {
    fprintf(stderr, "usage: bgp-wire --feed-ns NS --sink-ns NS [--routes N] [--rounds N] [--changes N]\n");
    exit(2);
  }
}

int main(int argc, char **argv) {
  options(argc, argv);
  in_at = calloc((size_t)routes, sizeof *in_at);
  out_at = calloc((size_t)routes, sizeof *out_at);
  present = calloc((size_t)routes, 1);
  size_t room = (size_t)routes * 32 + 65536;
  uint8_t *announcement = malloc(room), *withdrawal = malloc(room);
  if (!in_at || !out_at || !present || !announcement || !withdrawal) fail("malloc");
  dial(&sink, &out, sink_ns, 0x0ac80102, 0x0ac80101, 0);
  dial(&feeder, &in, feed_ns, 0x0ac8000b, 0x0ac80001, 1);
  keepalive_at = now() + HOLD_SECONDS / 3 * 1000000000LL;
  while (!sink.established || !feeder.established) turn(10);
  rest(1000000000);
  size_t all = everything(announcement), none = nothing(withdrawal);
  for (int r = 1; r <= rounds; r++) {
    double announced = feed(announcement, all, routes);
    double fed = (double)(last_in - first_in) / 1e6;
    double withdrawn = feed(withdrawal, none, 0);
    printf("round=%d announce_ms=%.1f feed_ms=%.1f withdraw_ms=%.1f\n", r, announced, fed, withdrawn);
    fflush(stdout);
  }
  feed(announcement, all, routes);
  single_changes();
  uint8_t m[BGP_MAX];
  size_t goodbye = bgp_cease(m);
  send_all(&feeder, m, goodbye);
  send_all(&sink, m, goodbye);
  return 0;
}
