/* Times CNI plugins as a runtime sees them: posix_spawn to exit, per verb, plugins interleaved call by call so that a
 * drift of the machine's speed hits all alike.
 *
 * usage: cni-bench COUNT NETNS_PREFIX NAME PLUGIN REQUEST.json [NAME PLUGIN REQUEST.json ...]
 * The namespaces /run/netns/<NETNS_PREFIX><0..COUNT-1> exist; the caller made them and removes them. Every plugin adds
 * its own interface to each. Prints p50, p95 and max in milliseconds per plugin and verb, and ratios to the first. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PLUGINS 4
#define MAX_CALLS 10000
#define MAX_OUTPUT 65536

static const char *verbs[] = {"ADD", "CHECK", "DEL"};
static double millis[MAX_PLUGINS][3][MAX_CALLS];
static int failed[MAX_PLUGINS][3];
static char first_error[MAX_PLUGINS][3][512];
static char *previous[MAX_PLUGINS][MAX_CALLS];

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
  snprintf(e[5], sizeof e[5], "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=bench;K8S_POD_NAME=pod%s%d", ifname, i);
  snprintf(e[6], sizeof e[6], "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  char *env[] = {e[0], e[1], e[2], e[3], e[4], e[5], e[6], NULL};
  char *argv[] = {(char *)plugin, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  pid_t pid;
  double start = now();
  if (posix_spawn(&pid, plugin, &actions, NULL, argv, env)) {
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

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 0, plugins = (argc - 3) / 3;
  if (count < 1 || count > MAX_CALLS || plugins < 1 || plugins > MAX_PLUGINS || (argc - 3) % 3) {
    fprintf(stderr, "usage: cni-bench COUNT NETNS_PREFIX NAME PLUGIN REQUEST.json [NAME PLUGIN REQUEST.json ...]\n");
    return 2;
  }
  char *request[MAX_PLUGINS];
  for (int p = 0; p < plugins; p++) request[p] = slurp(argv[5 + 3 * p]);
  for (int v = 0; v < 3; v++) {
    for (int i = 0; i < count; i++) {
      for (int p = 0; p < plugins; p++) {
        char ifname[16], *output = malloc(MAX_OUTPUT);
        int status;
        snprintf(ifname, sizeof ifname, "bench%d", p);
        char *input = v == 0 ? strdup(request[p]) : with_previous(request[p], previous[p][i]);
        millis[p][v][i] = call(argv[4 + 3 * p], verbs[v], i, argv[2], ifname, input, output, &status);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
          if (!failed[p][v]++) snprintf(first_error[p][v], sizeof first_error[p][v], "%.500s", output);
        }
        free(input);
        if (v == 0) {
          previous[p][i] = output[0] ? output : "{}";
        } else {
          free(output);
        }
      }
    }
  }
  int bad = 0;
  for (int v = 0; v < 3; v++) {
    double first = 0;
    for (int p = 0; p < plugins; p++) {
      qsort(millis[p][v], count, sizeof(double), by_value);
      double p50 = millis[p][v][count / 2];
      if (p == 0) first = p50;
      printf("%-10s %-5s n=%d p50=%.2f ms p95=%.2f ms max=%.2f ms failed=%d", argv[3 + 3 * p], verbs[v], count, p50,
             millis[p][v][(int)(count * .95)], millis[p][v][count - 1], failed[p][v]);
      if (p > 0) printf("  %s/%s=%.2f", argv[3], argv[3 + 3 * p], first / p50);
      printf("%s%s\n", failed[p][v] ? "  first: " : "", first_error[p][v]);
      bad |= failed[p][v];
    }
  }
  return bad ? 1 : 0;
}
