/* A bounded JSON reader (RFC 8259, UTF-8 checked) that allocates nothing and remembers three strings. */
#define _GNU_SOURCE
#include "conf.h"

#include <ctype.h>
#include <string.h>

enum { MAX_JSON_DEPTH = 64 };

struct scanner {
  const unsigned char *at, *end;
};
struct text conf_version, conf_name, conf_run_dir;

static void blanks(struct scanner *s) {
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r')) s->at++;
}

/* One UTF-8 character of two octets or more, without overlong forms and surrogates (RFC 3629, section 4). */
static bool multi_octet(struct scanner *s) {
  unsigned char c = *s->at++, low = 0x80, high = 0xbf;
  int more = c >= 0xc2 && c <= 0xdf ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c <= 0xf4 ? 3 : 0;
  if (c == 0xe0) low = 0xa0;
  if (c == 0xed) high = 0x9f;
  if (c == 0xf0) low = 0x90;
  if (c == 0xf4) high = 0x8f;
  if (!more || s->end - s->at < more) return false;
  for (; more > 0; more--, low = 0x80, high = 0xbf) {
    if (*s->at < low || *s->at > high) return false;
    s->at++;
  }
  return true;
}

static bool string(struct scanner *s, struct text *out) {
  if (s->at >= s->end || *s->at != '"') return false;
  const unsigned char *start = ++s->at;
  while (s->at < s->end && *s->at != '"') {
    if (*s->at < 0x20) return false;
    if (*s->at >= 0x80) {
      if (!multi_octet(s)) return false;
    } else if (*s->at++ == '\\') {
      if (s->at >= s->end) return false;
      unsigned char c = *s->at++;
      if (c == 'u') {
        for (int i = 0; i < 4; i++)
          if (s->at >= s->end || !isxdigit(*s->at++)) return false;
      } else if (!c || !strchr("\"\\/bfnrt", c)) {
        return false;
      }
    }
  }
  if (s->at >= s->end) return false;
  *out = (struct text){(const char *)start, (size_t)(s->at - start), true, true};
  s->at++;
  return true;
}

static bool digits(struct scanner *s) {
  const unsigned char *start = s->at;
  while (s->at < s->end && isdigit(*s->at)) s->at++;
  return s->at > start;
}

static bool number(struct scanner *s) {
  if (*s->at == '-') s->at++;
  const unsigned char *first = s->at;
  if (!digits(s) || (*first == '0' && s->at - first > 1)) return false;
  if (s->at < s->end && *s->at == '.' && (s->at++, !digits(s))) return false;
  if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
    s->at++;
    if (s->at < s->end && (*s->at == '+' || *s->at == '-')) s->at++;
    if (!digits(s)) return false;
  }
  return true;
}

static bool literal(struct scanner *s, const char *word) {
  size_t n = strlen(word);
  if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n)) return false;
  s->at += n;
  return true;
}

static bool is_key(struct text key, const char *name) {
  return key.length == strlen(name) && !strncasecmp(key.start, name, key.length);
}

/* One JSON value (RFC 8259); strings of the top-level object that the client needs are remembered, the last one wins. */
static bool value(struct scanner *s, int depth, struct text *out) {
  blanks(s);
  if (s->at >= s->end || depth > MAX_JSON_DEPTH) return false;
  unsigned char open = *s->at;
  if (open == '"') return string(s, out);
  if (open == 'n') return *out = (struct text){0}, literal(s, "null"); /* absence, as to the agent and to Go */
  *out = (struct text){.seen = true};
  if (open == 't') return literal(s, "true");
  if (open == 'f') return literal(s, "false");
  if (open == '-' || isdigit(open)) return number(s);
  if (open != '{' && open != '[') return false;
  unsigned char close = open == '{' ? '}' : ']';
  s->at++;
  blanks(s);
  if (s->at < s->end && *s->at == close) return s->at++, true;
  for (;;) {
    struct text key = {0}, inner = {0};
    blanks(s);
    if (open == '{' && (!string(s, &key) || (blanks(s), s->at >= s->end) || *s->at++ != ':')) return false;
    if (!value(s, depth + 1, &inner)) return false;
    if (open == '{' && depth == 0) {
      if (is_key(key, "cniVersion")) conf_version = inner;
      if (is_key(key, "name")) conf_name = inner;
      if (is_key(key, "margayRunDir")) conf_run_dir = inner;
    }
    blanks(s);
    if (s->at >= s->end) return false;
    if (*s->at == close) return s->at++, true;
    if (*s->at++ != ',') return false;
  }
}

bool conf_scan(const char *data, size_t length) {
  struct scanner s = {(const unsigned char *)data, (const unsigned char *)data + length};
  struct text whole = {0};
  blanks(&s);
  if (s.at >= s.end || *s.at != '{' || !value(&s, 0, &whole)) return false;
  blanks(&s);
  return s.at == s.end;
}
