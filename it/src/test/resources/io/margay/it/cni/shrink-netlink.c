/* Sets the receive buffer of every netlink socket of another process: shrink-netlink PID OCTETS. Prints how many there
 * were. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/fd", argv[1]);
  int octets = atoi(argv[2]), count = 0, process = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
  DIR *descriptors = opendir(path);
  if (process < 0 || !descriptors) return 1;
  for (struct dirent *each; (each = readdir(descriptors));) {
    int fd = (int)syscall(SYS_pidfd_getfd, process, atoi(each->d_name), 0), domain = 0;
    socklen_t length = sizeof domain;
    if (fd < 0) continue;
    if (each->d_name[0] != '.' && !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) && domain == AF_NETLINK &&
        !setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets))
      count++;
    close(fd);
  }
  printf("%d\n", count);
  return count ? 0 : 1;
}
