/* Times CNI plugins as a runtime sees them: posix_spawn to exit, per verb, plugins interleaved call by call so that a
 * drift of the machine's speed hits all alike. With -j N, N processes call at once; then plugins take turns verb by verb.
 *
 * usage: cni-bench [-a] [-n N] [-j N] COUNT NETNS_PREFIX NAME PLUGIN REQUEST.json [NAME PLUGIN REQUEST.json ...]
 *        cni-bench -v COUNT NAME PLUGIN [NAME PLUGIN ...]     VERSION, which no namespace is needed for
 * The namespaces /run/netns/<NETNS_PREFIX><0..COUNT-1> exist; the caller made them and removes them. Every plugin adds
 * its own interface to each. With -a nothing but ADD is called, and the pods stay; with -n N they are of N namespaces of
 * the cluster, bench0 and so on, in turn. Prints p50, p95 and max in milliseconds per plugin and verb, ratios to the first, and with
 * -j calls a second. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PLUGINS 4
#define MAX_CALLS 10000
#define MAX_OUTPUT 65536
#define MAX_RESULT 4096

static const char *verbs[] = {"ADD", "CHECK", "DEL"};
/* Shared with the processes that call at once. */
static struct {
  double millis[MAX_PLUGINS][3][MAX_CALLS];
  int failed[MAX_PLUGINS][3];
  char first_error[MAX_PLUGINS][3][512];
  char previous[MAX_PLUGINS][MAX_CALLS][MAX_RESULT];
} *seen;

static int namespaces;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static char *slurp(const char *path) {
  FILE *f = fopen(path, "r");
  if (!f) {
    fprintf(stderr, "cni-bench: %s: %s\n", path, strerror(errno));
    exit(2);
  }
  char *text = calloc(1, MAX_OUTPUT);
  size_t n = fread(text, 1, MAX_OUTPUT - 1, f);
  text[n] = 0;
  fclose(f);
  return text;
}

/* The request with "prevResult" put before its last brace. */
static char *with_previous(const char *request, const char *result) {
  char *text = malloc(strlen(request) + strlen(result) + 32);
  const char *end = strrchr(request, '}');
  sprintf(text, "%.*s,\"prevResult\":%s}", (int)(end - request), request, result);
  return text;
}

static double call(const char *plugin, const char *verb, int i, const char *prefix, const char *ifname,
                   const char *input, char *output, int *status) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) exit(2);
  char e[8][512];
  const char *slash = strrchr(plugin, '/');
  snprintf(e[0], sizeof e[0], "CNI_COMMAND=%s", verb);
  snprintf(e[1], sizeof e[1], "CNI_CONTAINERID=bench%s%05d", ifname, i);
  snprintf(e[2], sizeof e[2], "CNI_NETNS=/run/netns/%s%d", prefix, i);
  snprintf(e[3], sizeof e[3], "CNI_IFNAME=%s", ifname);
  snprintf(e[4], sizeof e[4], "CNI_PATH=%.*s:/usr/lib/cni", (int)(slash - plugin), plugin);
  char namespace[32] = "bench";
  if (namespaces) snprintf(namespace, sizeof namespace, "bench%d", i % namespaces);
  snprintf(e[5], sizeof e[5], "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=pod%s%d", namespace, ifname, i);
  snprintf(e[6], sizeof e[6], "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  char *env[] = {e[0], e[1], e[2], e[3], e[4], e[5], e[6], NULL};
  char *argv[] = {(char *)plugin, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawnattr_t attributes;
  sigset_t pipes;
  sigemptyset(&pipes);
  sigaddset(&pipes, SIGPIPE);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &pipes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid;
  double start = now();
  if (posix_spawn(&pid, plugin, &actions, &attributes, argv, env)) {
    fprintf(stderr, "cni-bench: %s: %s\n", plugin, strerror(errno));
    exit(2);
  }
  close(in[0]);
  close(out[1]);
  if (write(in[1], input, strlen(input)) < 0 && errno != EPIPE) exit(2);
  close(in[1]);
  size_t n = 0;
  ssize_t r;
  while ((r = read(out[0], output + n, MAX_OUTPUT - 1 - n)) > 0) n += r;
  output[n] = 0;
  waitpid(pid, status, 0);
  double took = now() - start;
  close(out[0]);
  posix_spawn_file_actions_destroy(&actions);
  return took;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void once(int p, int v, int i, const char *prefix, const char *plugin, const char *request) {
  char ifname[16], *output = malloc(MAX_OUTPUT);
  int status;
  snprintf(ifname, sizeof ifname, "bench%d", p);
  char *input = v == 0 ? strdup(request) : with_previous(request, seen->previous[p][i]);
  seen->millis[p][v][i] = call(plugin, verbs[v], i, prefix, ifname, input, output, &status);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    if (!__sync_fetch_and_add(&seen->failed[p][v], 1))
      snprintf(seen->first_error[p][v], sizeof seen->first_error[p][v], "%.500s", output);
  }
  if (v == 0) snprintf(seen->previous[p][i], MAX_RESULT, "%.*s", MAX_RESULT - 1, output[0] ? output : "{}");
  free(input);
  free(output);
}

/* All calls of a plugin and a verb by several processes; how long that took. */
static double at_once(int workers, int count, int p, int v, const char *prefix, const char *plugin, const char *request) {
  double start = now();
  for (int w = 0; w < workers; w++) {
    if (fork() == 0) {
      for (int i = w; i < count; i += workers) once(p, v, i, prefix, plugin, request);
      _exit(0);
    }
  }
  while (wait(NULL) > 0) {
  }
  return now() - start;
}

static void line(const char *name, const char *verb, double *took, int count) {
  qsort(took, count, sizeof(double), by_value);
  printf("%-10s %-7s n=%d p50=%.2f ms p95=%.2f ms max=%.2f ms", name, verb, count, took[count / 2], took[(int)(count * .95)],
         took[count - 1]);
}

static int versions(int argc, char **argv) {
  int count = argc > 2 ? atoi(argv[2]) : 0, plugins = (argc - 3) / 2;
  if (count < 1 || count > MAX_CALLS || plugins < 1 || plugins > MAX_PLUGINS || (argc - 3) % 2) return 2;
  char *output = malloc(MAX_OUTPUT);
  int status;
  for (int i = 0; i < count; i++)
    for (int p = 0; p < plugins; p++)
      seen->millis[p][0][i] = call(argv[4 + 2 * p], "VERSION", i, "none", "eth0", "{\"cniVersion\":\"1.0.0\"}", output, &status);
  double first = 0;
  for (int p = 0; p < plugins; p++) {
    line(argv[3 + 2 * p], "VERSION", seen->millis[p][0], count);
    double p50 = seen->millis[p][0][count / 2];
    if (p == 0) first = p50;
    else printf("  %s is %.2f ms above", argv[3], first - p50);
    printf("\n");
  }
  return 0;
}

int main(int argc, char **argv) {
  seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (seen == MAP_FAILED) return 2;
  signal(SIGPIPE, SIG_IGN); /* VERSION does not read its input */
  if (argc > 1 && !strcmp(argv[1], "-v")) return versions(argc, argv);
  int workers = 1, verbs_called = 3;
  if (argc > 1 && !strcmp(argv[1], "-a")) {
    verbs_called = 1;
    argc--;
    argv++;
  }
  if (argc > 2 && !strcmp(argv[1], "-n")) {
    namespaces = atoi(argv[2]);
    argc -= 2;
    argv += 2;
  }
  if (argc > 2 && !strcmp(argv[1], "-j")) {
    workers = atoi(argv[2]);
    argc -= 2;
    argv += 2;
  }
  int count = argc > 1 ? atoi(argv[1]) : 0, plugins = (argc - 3) / 3;
  if (count < 1 || count > MAX_CALLS || workers < 1 || workers > 64 || plugins < 1 || plugins > MAX_PLUGINS || (argc - 3) % 3) {
    fprintf(stderr, "usage: cni-bench [-a] [-n N] [-j N] COUNT NETNS_PREFIX NAME PLUGIN REQUEST.json [NAME PLUGIN REQUEST.json ...]\n");
    return 2;
  }
  char *request[MAX_PLUGINS];
  double total[MAX_PLUGINS][3] = {{0}};
  for (int p = 0; p < plugins; p++) request[p] = slurp(argv[5 + 3 * p]);
  for (int v = 0; v < verbs_called; v++) {
    if (workers > 1) {
      for (int p = 0; p < plugins; p++) total[p][v] = at_once(workers, count, p, v, argv[2], argv[4 + 3 * p], request[p]);
      continue;
    }
    for (int i = 0; i < count; i++)
      for (int p = 0; p < plugins; p++) once(p, v, i, argv[2], argv[4 + 3 * p], request[p]);
  }
  int bad = 0;
  for (int v = 0; v < verbs_called; v++) {
    for (int p = 0; p < plugins; p++) {
      double *took = seen->millis[p][v];
      double tenth = took[0], last = 0;
      int part = count / 10 > 0 ? count / 10 : 1;
      double *ends = malloc(2 * part * sizeof(double));
      memcpy(ends, took, part * sizeof(double));
      memcpy(ends + part, took + count - part, part * sizeof(double));
      qsort(ends, part, sizeof(double), by_value);
      qsort(ends + part, part, sizeof(double), by_value);
      tenth = ends[part / 2];
      last = ends[part + part / 2];
      free(ends);
      line(argv[3 + 3 * p], verbs[v], took, count);
      printf(" first tenth %.2f last %.2f failed=%d", tenth, last, seen->failed[p][v]);
      if (workers > 1) printf(" rate=%.0f/s", count / total[p][v] * 1e3);
      if (p > 0) printf("  %s/%s=%.2f", argv[3], argv[3 + 3 * p], seen->millis[0][v][count / 2] / took[count / 2]);
      printf("%s%s\n", seen->failed[p][v] ? "  first: " : "", seen->first_error[p][v]);
      bad |= seen->failed[p][v];
    }
  }
  return bad ? 1 : 0;
}
