/*
 * margay-cni: what a container runtime execs. It reads the CNI environment and standard input, hands both, with
 * descriptors of its own and the pod's network namespace, to the node's agent over a Unix socket, and prints the
 * agent's reply. It never touches the kernel's network or the datastore.
 *
 * Alone, it answers VERSION and the banner, checks what needs no agent (environment, JSON, name, version), tells ADD to
 * come back later (code 11) and queues DEL on disk, where the agent finds it at its next start.
 *
 * The wire format is io.margay.cni.protocol (package-info.java there has the picture); both sides must change together.
 */
#define _GNU_SOURCE
#include "agent.h"
#include "client.h"
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MARGAY_VERSION
#define MARGAY_VERSION "0.1.0"
#endif

enum {
  MAX_STDIN_OCTETS = 1 << 20,
  MAX_VALUE_OCTETS = 32 << 10, /* one environment variable */
  VERSION_STDIN_PATIENCE_MS = 200
};

static const char DEFAULT_RUN_DIR[] = "/run/margay";
static const char *const SUPPORTED[] = {"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};
enum { SUPPORTED_COUNT = sizeof SUPPORTED / sizeof *SUPPORTED };
static const char NEWEST[] = "1.1.0";

static const char *const NAMES[VARIABLES] = {
    "CNI_COMMAND", "CNI_CONTAINERID",    "CNI_NETNS",   "CNI_IFNAME", "CNI_ARGS",
    "CNI_PATH",    "CNI_NETNS_OVERRIDE", "TRACEPARENT", "TRACESTATE", "BAGGAGE"}; /* in the order of client.h */

/* ---- standard input: bounded, and scanned for the three keys the client itself needs ---- */

static void read_stdin(struct buffer *b, int patience_ms) {
  for (;;) {
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    if (patience_ms >= 0 && poll(&p, 1, patience_ms) == 0) return;
    grow(b, 64 << 10);
    ssize_t n = read(STDIN_FILENO, b->data + b->length, b->capacity - b->length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(IO_FAILURE, NULL, "cannot read the network configuration from standard input: %s", reason(errno));
    if (n == 0) return;
    b->length += (size_t)n;
    if (b->length > MAX_STDIN_OCTETS)
      fail(BAD_JSON, NULL, "the network configuration on standard input is larger than %d octets", MAX_STDIN_OCTETS);
  }
}

static bool is_identifier(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (!isalnum((unsigned char)text[i]) && (i == 0 || !strchr("_.-", text[i]) || !text[i])) return false;
  return length > 0;
}

static bool supported(struct text version) {
  for (int i = 0; i < SUPPORTED_COUNT; i++)
    if (version.length == strlen(SUPPORTED[i]) && !memcmp(version.start, SUPPORTED[i], version.length)) return true;
  return false;
}

/* JSON, then name, then version: the order in which the reference plugins check and runtimes expect errors. */
static void check_configuration(const struct buffer *in) {
  if (!conf_scan(in->data, in->length)) fail(BAD_JSON, NULL, "the network configuration on standard input is not a JSON object");
  if (conf_version.seen && !conf_version.is_string) fail(BAD_JSON, NULL, "key cniVersion: a string is expected");
  bool known = !conf_version.seen || conf_version.length == 0 || supported(conf_version);
  if (!conf_version.seen || conf_version.length == 0) strcpy(cni_version, "0.2.0");
  else snprintf(cni_version, sizeof cni_version, "%.*s", known ? (int)conf_version.length : 5, known ? conf_version.start : NEWEST);
  prepare_signal_reply();
  if (!conf_name.is_string || !is_identifier(conf_name.start, conf_name.length))
    fail(BAD_CONFIG, NULL, "key name: a network name of letters, digits, \"_\", \".\" and \"-\" is expected");
  if (!known)
    fail(1, "supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0", "cniVersion \"%.*s\" is not supported",
         (int)(conf_version.length < 40 ? conf_version.length : 40), conf_version.start);
  if (!conf_run_dir.seen) {
    strcpy(run_dir, DEFAULT_RUN_DIR);
  } else if (!conf_run_dir.is_string || conf_run_dir.length > MAX_RUN_DIR_OCTETS || conf_run_dir.length == 0 ||
             conf_run_dir.start[0] != '/' || memchr(conf_run_dir.start, '\\', conf_run_dir.length)) {
    fail(BAD_CONFIG, NULL, "key margayRunDir: an absolute path of at most %d octets is expected", MAX_RUN_DIR_OCTETS);
  } else {
    memcpy(run_dir, conf_run_dir.start, conf_run_dir.length);
  }
}

/* ---- environment ---- */

static bool is_verb(const char *verb) { return !strcmp(env[COMMAND], verb); }

static void check_environment(void) {
  static const struct { const char *verb; unsigned required; } RULES[] = {
      {"ADD", 1 << CONTAINERID | 1 << NETNS | 1 << IFNAME | 1 << PATH},
      {"CHECK", 1 << CONTAINERID | 1 << NETNS | 1 << IFNAME | 1 << PATH},
      {"DEL", 1 << CONTAINERID | 1 << IFNAME},
      {"GC", 1 << PATH},
      {"STATUS", 1 << PATH}};
  const unsigned count = sizeof RULES / sizeof *RULES;
  unsigned rule = 0;
  while (rule < count && !is_verb(RULES[rule].verb)) rule++;
  if (rule == count)
    fail(BAD_ENVIRONMENT, NULL, "CNI_COMMAND \"%.40s\" is unknown%s", env[COMMAND], is_verb("GET") ? "; use CHECK" : "");
  char missing[128] = "";
  for (int i = 0; i < VARIABLES; i++) {
    if (env[i] && strlen(env[i]) > MAX_VALUE_OCTETS)
      fail(BAD_ENVIRONMENT, NULL, "%s is longer than %d octets", NAMES[i], MAX_VALUE_OCTETS);
    if ((RULES[rule].required >> i & 1) && (!env[i] || !*env[i])) {
      if (*missing) strcat(missing, ", ");
      strcat(missing, NAMES[i]);
    }
  }
  if (*missing) fail(BAD_ENVIRONMENT, NULL, "%s needs environment variables that are missing: %s", env[COMMAND], missing);
  if (!(RULES[rule].required >> CONTAINERID & 1)) return;
  if (!is_identifier(env[CONTAINERID], strlen(env[CONTAINERID])))
    fail(BAD_ENVIRONMENT, NULL, "CNI_CONTAINERID \"%.80s\" must be letters, digits, \"_\", \".\" and \"-\"", env[CONTAINERID]);
  const char *name = env[IFNAME];
  bool good = strlen(name) <= 15 && strcmp(name, ".") && strcmp(name, "..");
  for (const char *c = name; *c; c++) good = good && *c != '/' && *c != ':' && (unsigned char)*c > ' ' && *c != 0x7f;
  if (!good)
    fail(BAD_ENVIRONMENT, NULL, "CNI_IFNAME \"%.40s\" must be 1 to 15 octets without \"/\", \":\" or space", name);
}

/* Opens the pod's namespace; DEL goes on without one that is gone, is no namespace, or is the caller's own. */
static int open_pod_netns(int own) {
  bool lenient = is_verb("DEL");
  if (!env[NETNS] || !*env[NETNS]) return -1;
  int fd = open(env[NETNS], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    if (lenient) return -1;
    fail(BAD_NETNS, NULL, "CNI_NETNS \"%.200s\" cannot be opened: %s", env[NETNS], reason(errno));
  }
  struct stat mine, theirs;
  if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
    if (!lenient) fail(BAD_NETNS, NULL, "CNI_NETNS \"%.200s\" is not a network namespace", env[NETNS]);
  } else if (!fstat(own, &mine) && !fstat(fd, &theirs) && mine.st_ino == theirs.st_ino && mine.st_dev == theirs.st_dev &&
             !(env[NETNS_OVERRIDE] && (!strcasecmp(env[NETNS_OVERRIDE], "true") || !strcmp(env[NETNS_OVERRIDE], "1")))) {
    if (!lenient)
      fail(BAD_NETNS, NULL, "CNI_NETNS \"%.200s\" is the namespace the plugin itself runs in, not a pod's", env[NETNS]);
  } else {
    return fd;
  }
  close(fd);
  return -1;
}

/* ---- main ---- */

static int print_version(void) {
  struct buffer in = {0};
  if (!isatty(STDIN_FILENO)) read_stdin(&in, VERSION_STDIN_PATIENCE_MS);
  bool echo = in.length > 0 && conf_scan(in.data, in.length) && conf_version.is_string && supported(conf_version);
  char text[256];
  int n = snprintf(text, sizeof text, "{\"cniVersion\":\"%.*s\",\"supportedVersions\":[", echo ? (int)conf_version.length : 5,
                   echo ? conf_version.start : NEWEST);
  for (int i = 0; i < SUPPORTED_COUNT; i++) n += snprintf(text + n, sizeof text - (size_t)n, "%s\"%s\"", i ? "," : "", SUPPORTED[i]);
  n += snprintf(text + n, sizeof text - (size_t)n, "]}\n");
  hold_signals();
  return write_all(STDOUT_FILENO, text, (size_t)n) ? 0 : 1;
}

int main(int argc, char **argv) {
  const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
  const char *program = slash ? slash + 1 : argc > 0 ? argv[0] : "margay-cni";
  if (fcntl(STDOUT_FILENO, F_GETFD) < 0) return 1; /* no way to tell a result: do nothing that needs undoing */
  for (int fd = 0; fd < 3;)
    if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0 || fd >= 3) {
      if (fd >= 0) close(fd);
      break;
    }
  for (int i = 0; i < VARIABLES; i++) env[i] = getenv(NAMES[i]);
  if (!env[COMMAND] || !*env[COMMAND]) {
    fprintf(stderr, "CNI %s plugin v%s\nCNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n", program, MARGAY_VERSION);
    return 0;
  }
  signal(SIGPIPE, SIG_IGN);
  prepare_signal_reply();
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  if (is_verb("VERSION")) return print_version();
  check_environment();
  struct buffer in = {0}, request = {0};
  read_stdin(&in, -1);
  check_configuration(&in);
  int fds[2], count = 0;
  if (is_verb("ADD") || is_verb("CHECK") || is_verb("DEL")) {
    fds[0] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fds[0] >= 0) fds[1] = open_pod_netns(fds[0]), count = fds[1] < 0 ? 1 : 2;
    else if (!is_verb("DEL")) fail(IO_FAILURE, NULL, "/proc/self/ns/net cannot be opened: %s; is /proc mounted?", reason(errno));
  }
  build_request(&request, &in, program);
  struct reply reply = {0};
  long deadline = now_ms() + CONNECT_PATIENCE_MS;
  if (is_verb("DEL")) {
    if (!delete_attachment(&request, fds, count, &reply)) return 0;
  } else {
    for (enum outcome outcome; (outcome = exchange(&request, fds, count, &reply)) != ANSWERED; usleep(RETRY_PAUSE_MS * 1000)) {
      if (is_verb("STATUS")) fail(NOT_READY, NULL, "no agent answers on %s/cni.sock; start margay agent", run_dir);
      if (outcome == SILENT || now_ms() >= deadline)
        fail(TRY_LATER, NULL, "no agent answers on %s/cni.sock; start margay agent, the runtime may then try again", run_dir);
    }
  }
  hold_signals();
  if (reply.err_length) write_all(STDERR_FILENO, reply.err, reply.err_length);
  if (write_all(STDOUT_FILENO, reply.out, reply.out_length)) return reply.exit_code;
  if (is_verb("ADD") && reply.exit_code == 0) { /* nobody will ever learn of this attachment: take it back */
    env[COMMAND] = "DEL";
    request.length = 0;
    build_request(&request, &in, program);
    delete_attachment(&request, fds, count, &reply);
  }
  return 1;
}
