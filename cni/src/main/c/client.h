/* What the parts of the client share. */
#ifndef MARGAY_CLIENT_H
#define MARGAY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#ifndef MARGAY_CONNECT_PATIENCE_MS
#define MARGAY_CONNECT_PATIENCE_MS 10000
#endif

enum {
  MAX_RUN_DIR_OCTETS = 80, /* with "/cni.sock" it must fit sockaddr_un.sun_path */
  CONNECT_PATIENCE_MS = MARGAY_CONNECT_PATIENCE_MS, /* how long ADD, CHECK and GC wait for an agent that is away */
  RETRY_PAUSE_MS = 25,
  CNI_VERSION_OCTETS = 16
};

/* CNI error codes (specification, section "Error"); 11 = try again later, 50 = STATUS: an ADD would fail now. */
enum { BAD_ENVIRONMENT = 4, IO_FAILURE = 5, BAD_JSON = 6, BAD_CONFIG = 7, BAD_NETNS = 8, TRY_LATER = 11, NOT_READY = 50 };

/* The environment variables of a request, in the order they are sent; the field type is the index + 1. */
enum { COMMAND, CONTAINERID, NETNS, IFNAME, ARGS, PATH, NETNS_OVERRIDE, TRACEPARENT, TRACESTATE, BAGGAGE, VARIABLES };

struct buffer {
  char *data;
  size_t length, capacity;
};

extern const char *env[VARIABLES];
extern char run_dir[MAX_RUN_DIR_OCTETS + 1];
extern char cni_version[CNI_VERSION_OCTETS]; /* what an error object names */

/* Makes room for `more` octets behind the length. */
void grow(struct buffer *b, size_t more);

/* Writes everything, whatever it takes. */
bool write_all(int fd, const char *data, size_t length);

/* From here on no signal comes between what is printed. */
void hold_signals(void);

/* Handles SIGTERM and SIGINT: prints the object prepared last and ends. */
void on_signal(int number);

/* Prepares what the handler may print: it can call write(2) but not printf(3). Again when cni_version changes. */
void prepare_signal_reply(void);

/* Prints a CNI error object and ends. details may be NULL. */
__attribute__((noreturn, format(printf, 3, 4))) void fail(int code, const char *details, const char *format, ...);

/* What errno says, in words that are fit for an error of DEL. */
const char *reason(int error);

long now_ms(void);

#endif
