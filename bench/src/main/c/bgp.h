/* The least of BGP-4 (RFC 4271) that a bench needs to be somebody's peer: IPv4 unicast, four-octet AS numbers. Shares
 * nothing with the speaker it measures. */
#ifndef BGP_H
#define BGP_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BGP_OPEN = 1, BGP_UPDATE = 2, BGP_NOTIFICATION = 3, BGP_KEEPALIVE = 4 };
#define BGP_HEADER 19
#define BGP_MAX 4096
#define BGP_PORT 179

static inline void put16(uint8_t *at, unsigned v) {
  at[0] = (uint8_t)(v >> 8);
  at[1] = (uint8_t)v;
}

static inline void put32(uint8_t *at, uint32_t v) {
  put16(at, v >> 16);
  put16(at + 2, v & 0xffff);
}

static inline unsigned get16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

/* Marker, length and type in front of a body of `body` octets; the length of the whole. */
static inline size_t bgp_frame(uint8_t *m, int type, size_t body) {
  memset(m, 0xff, 16);
  put16(m + 16, (unsigned)(BGP_HEADER + body));
  m[18] = (uint8_t)type;
  return BGP_HEADER + body;
}

static inline size_t bgp_keepalive(uint8_t *m) { return bgp_frame(m, BGP_KEEPALIVE, 0); }

/* NOTIFICATION Cease, administrative shutdown. */
static inline size_t bgp_cease(uint8_t *m) {
  m[BGP_HEADER] = 6;
  m[BGP_HEADER + 1] = 2;
  return bgp_frame(m, BGP_NOTIFICATION, 2);
}

static inline size_t bgp_open(uint8_t *m, uint32_t asn, unsigned hold, uint32_t id) {
  static const uint8_t capabilities[] = {
      2, 6, 1, 4, 0, 1, 0, 1, /* multiprotocol: IPv4 unicast */
      2, 2, 2, 0,             /* route refresh */
      2, 6, 65, 4,            /* four-octet AS number, which follows */
  };
  uint8_t *b = m + BGP_HEADER;
  b[0] = 4;
  put16(b + 1, asn > 0xffff ? 23456 : asn);
  put16(b + 3, hold);
  put32(b + 5, id);
  b[9] = sizeof capabilities + 4;
  memcpy(b + 10, capabilities, sizeof capabilities);
  put32(b + 10 + sizeof capabilities, asn);
  return bgp_frame(m, BGP_OPEN, 10 + sizeof capabilities + 4);
}

/* The length of the message at `m`; 0: `have` octets do not hold it whole; -1: this is not BGP. */
static inline int bgp_length(const uint8_t *m, size_t have) {
  if (have < BGP_HEADER) return 0;
  unsigned length = get16(m + 16);
  if (length < BGP_HEADER || length > BGP_MAX || m[18] < 1 || m[18] > 5) return -1;
  return have < length ? 0 : (int)length;
}

/* Octets of a prefix as NLRI has it: its length, then as much of the address as counts. */
static inline size_t bgp_prefix(uint8_t *at, uint32_t address, int length) {
  uint8_t full[4];
  put32(full, address);
  size_t octets = (size_t)(length + 7) / 8;
  at[0] = (uint8_t)length;
  memcpy(at + 1, full, octets);
  return 1 + octets;
}

typedef void (*bgp_visitor)(void *context, uint32_t address, int length, int announced);

static inline int bgp_visit_list(const uint8_t *at, const uint8_t *end, int announced, bgp_visitor visit,
                                 void *context) {
  while (at < end) {
    int length = *at++;
    int octets = (length + 7) / 8;
    if (length > 32 || at + octets > end) return -1;
    uint32_t address = 0;
    for (int i = 0; i < octets; i++) address |= (uint32_t)at[i] << (24 - 8 * i);
    at += octets;
    visit(context, address, length, announced);
  }
  return 0;
}

/* Visits the IPv4 prefixes an UPDATE withdraws and announces in its own fields (not in MP attributes); -1: malformed. */
static inline int bgp_visit(const uint8_t *m, size_t length, bgp_visitor visit, void *context) {
  const uint8_t *at = m + BGP_HEADER, *end = m + length;
  if (end - at < 4) return -1;
  size_t withdrawn = get16(at);
  at += 2;
  if (withdrawn + 2 > (size_t)(end - at)) return -1;
  if (bgp_visit_list(at, at + withdrawn, 0, visit, context)) return -1;
  at += withdrawn;
  size_t attributes = get16(at);
  at += 2;
  if (attributes > (size_t)(end - at)) return -1;
  return bgp_visit_list(at + attributes, end, 1, visit, context);
}
#endif
