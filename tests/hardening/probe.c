/* Tries what a hardened role must not be able to do, and prints for each: what, and `done` or the error. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *outcome(int failed) { return failed ? strerrorname_np(errno) : "done"; }

/* In a child, so that what one probe changes the next one does not see. */
static void attempt(const char *what, int (*probe)(void)) {
  fflush(stdout);
  if (fork() == 0) {
    printf("%s: %s\n", what, outcome(probe()));
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
}

static int map_code(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int user_namespace(void) { return unshare(CLONE_NEWUSER); }

static int mounts(void) {
  /* In a mount namespace of its own, so that nothing of the machine changes where it is allowed. */
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) {
    errno = 0;
    int failed = mount("none", "/nowhere", "tmpfs", 0, NULL);
    return failed && errno == EPERM ? failed : 0;
  }
  return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static int netlink(void) { return socket(AF_NETLINK, SOCK_RAW, 0) < 0; }

static int trace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0; }

int main(void) {
  attempt("map writable memory as code", map_code);
  attempt("make a user namespace", user_namespace);
  attempt("mount", mounts);
  attempt("open a netlink socket", netlink);
  attempt("trace another process", trace);
  return 0;
}
