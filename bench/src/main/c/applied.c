// Prints what the kernel of its network namespace is told, a line each: nanoseconds of the monotonic clock, and the
// address of an element that comes into a set of nftables (its key's last four octets) or the IPv4 prefix of a route that
// is written. ClusterLoader compares that with when it wrote what led to it. With the argument "rules": the comments of
// the rules that are written instead.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (1 << 20)

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int listen_to(int protocol, int group) {
  struct sockaddr_nl any = {.nl_family = AF_NETLINK};
  int room = 64 << 20;
  int fd = socket(AF_NETLINK, SOCK_RAW, protocol);
  if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0 ||
      setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
    perror("applied: netlink");
    exit(1);
  }
  return fd;
}

// The attribute of a type among those in a buffer; NULL without one.
static struct nlattr *attribute(void *from, int length, int type) {
  struct nlattr *at = from;
  while (length >= NLA_HDRLEN && at->nla_len >= NLA_HDRLEN && at->nla_len <= length) {
    if ((at->nla_type & NLA_TYPE_MASK) == type) return at;
    length -= NLA_ALIGN(at->nla_len);
    at = (struct nlattr *)((char *)at + NLA_ALIGN(at->nla_len));
  }
  return NULL;
}

static void *data(struct nlattr *at) { return (char *)at + NLA_HDRLEN; }

static int size(struct nlattr *at) { return at->nla_len - NLA_HDRLEN; }

static void element(struct nlattr *at) {
  struct nlattr *key = attribute(data(at), size(at), NFTA_SET_ELEM_KEY);
  struct nlattr *value = key ? attribute(data(key), size(key), NFTA_DATA_VALUE) : NULL;
  if (value && size(value) >= 4) {
    unsigned char *end = (unsigned char *)data(value) + size(value);
    printf("%lld %d.%d.%d.%d\n", now(), end[-4], end[-3], end[-2], end[-1]);
  }
}

static void elements(struct nlmsghdr *message) {
  int head = NLMSG_ALIGN(sizeof(struct nfgenmsg));
  struct nlattr *list = attribute((char *)NLMSG_DATA(message) + head, message->nlmsg_len - NLMSG_HDRLEN - head,
                                  NFTA_SET_ELEM_LIST_ELEMENTS);
  if (!list) return;
  int left = size(list);
  for (struct nlattr *at = data(list); left >= NLA_HDRLEN && at->nla_len >= NLA_HDRLEN;) {
    element(at);
    left -= NLA_ALIGN(at->nla_len);
    at = (struct nlattr *)((char *)at + NLA_ALIGN(at->nla_len));
  }
}

static void route(struct nlmsghdr *message) {
  struct rtmsg *head = NLMSG_DATA(message);
  struct nlattr *to = attribute((char *)head + NLMSG_ALIGN(sizeof *head),
                                message->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(sizeof *head), RTA_DST);
  char text[INET_ADDRSTRLEN];
  if (head->rtm_family == AF_INET && to && size(to) == 4) {
    printf("%lld %s/%d\n", now(), inet_ntop(AF_INET, data(to), text, sizeof text), head->rtm_dst_len);
  }
}

// A rule's comment is the first of its userdata's parts: type 0, length, text (libnftnl/udata.h).
static void rule(struct nlmsghdr *message) {
  int head = NLMSG_ALIGN(sizeof(struct nfgenmsg));
  struct nlattr *tag = attribute((char *)NLMSG_DATA(message) + head, message->nlmsg_len - NLMSG_HDRLEN - head,
                                 NFTA_RULE_USERDATA);
  unsigned char *parts = tag ? data(tag) : NULL;
  if (tag && size(tag) > 2 && parts[0] == 0 && parts[1] <= size(tag) - 2)
    printf("%lld %.*s\n", now(), parts[1], (char *)parts + 2);
}

static void receive(int fd, char *buffer, bool rules) {
  int length = recv(fd, buffer, BUFFER, 0);
  if (length < 0) {
    if (errno == ENOBUFS) fputs("applied: the kernel dropped notices\n", stderr);
    return;
  }
  for (struct nlmsghdr *at = (struct nlmsghdr *)buffer; NLMSG_OK(at, length); at = NLMSG_NEXT(at, length)) {
    if (rules && at->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE)) rule(at);
    if (!rules && at->nlmsg_type == RTM_NEWROUTE) route(at);
    if (!rules && at->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM)) elements(at);
  }
  fflush(stdout);
}

int main(int argc, char **argv) {
  bool rules = argc > 1 && !strcmp(argv[1], "rules");
  char *buffer = malloc(BUFFER);
  struct pollfd from[] = {{listen_to(NETLINK_NETFILTER, NFNLGRP_NFTABLES), POLLIN, 0},
                          {listen_to(NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE), POLLIN, 0}};
  while (poll(from, 2, -1) > 0) {
    for (int i = 0; i < 2; i++)
      if (from[i].revents & POLLIN) receive(from[i].fd, buffer, rules);
  }
  return 1;
}
