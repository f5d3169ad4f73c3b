/*
 * Runs a program under what systemd would do to a role, as far as a process can do it to itself:
 *
 *   launch [--mdwe] [--no-new-privs] [--families] [--no-namespaces] [--syscalls] -- PROGRAM ARGUMENT...
 *
 * --mdwe           MemoryDenyWriteExecute=   prctl(PR_SET_MDWE), inherited by everything it starts
 * --no-new-privs   NoNewPrivileges=
 * --families       RestrictAddressFamilies=  only AF_UNIX, AF_INET, AF_INET6
 * --no-namespaces  RestrictNamespaces=       unshare, setns and clone with a CLONE_NEW flag are refused
 * --syscalls       SystemCallFilter=         only those of syscalls.h, which the test makes from systemd's sets
 *
 * Refusals are EPERM, as with SystemCallErrorNumber=EPERM; clone3 is ENOSYS, so that libc falls back to
 * clone, whose flags a filter can see (systemd does the same).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "Add this machine's AUDIT_ARCH"
#endif

#define REFUSE(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define EQUALS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define NAMESPACES                                                                              \
  (CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER | \
   CLONE_NEWUTS)

static void fail(const char *what) {
  perror(what);
  exit(125);
}

static void install(struct sock_filter *filter, size_t length) {
  struct sock_fprog program = {.len = (unsigned short)length, .filter = filter};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) fail("seccomp");
}

static void only_syscalls(void) {
  static const int allowed[] = {
#include "syscalls.h"
  };
  size_t count = sizeof allowed / sizeof *allowed, at = 0;
  struct sock_filter *filter = calloc(2 * count + 8, sizeof *filter);
  if (!filter) fail("calloc");
  struct sock_filter head[] = {LOAD(arch), EQUALS(ARCH, 1, 0), REFUSE(EPERM), LOAD(nr),
                               EQUALS(__NR_clone3, 0, 1), REFUSE(ENOSYS)};
  memcpy(filter, head, sizeof head);
  at = sizeof head / sizeof *head;
  for (size_t i = 0; i < count; i++) {
    filter[at++] = (struct sock_filter)EQUALS((unsigned)allowed[i], 0, 1);
    filter[at++] = (struct sock_filter)ALLOW;
  }
  filter[at++] = (struct sock_filter)REFUSE(EPERM);
  install(filter, at);
}

static void only_families(void) {
  struct sock_filter filter[] = {
      LOAD(nr), EQUALS(__NR_socket, 0, 5), LOAD(args[0]),  EQUALS(AF_UNIX, 3, 0),
      EQUALS(AF_INET, 2, 0), EQUALS(AF_INET6, 1, 0), REFUSE(EAFNOSUPPORT), ALLOW,
  };
  install(filter, sizeof filter / sizeof *filter);
}

static void no_namespaces(void) {
  struct sock_filter filter[] = {
      LOAD(nr),
      EQUALS(__NR_clone3, 0, 1),
      REFUSE(ENOSYS),
      EQUALS(__NR_unshare, 4, 0),
      EQUALS(__NR_setns, 3, 0),
      EQUALS(__NR_clone, 0, 3),
      LOAD(args[0]),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1),
      REFUSE(EPERM),
      ALLOW,
  };
  install(filter, sizeof filter / sizeof *filter);
}

int main(int argc, char **argv) {
  int families = 0, namespaces = 0, syscalls = 0, at = 1;
  for (; at < argc && strcmp(argv[at], "--"); at++) {
    if (!strcmp(argv[at], "--mdwe")) {
      if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)) fail("PR_SET_MDWE");
    } else if (!strcmp(argv[at], "--no-new-privs")) {
      if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("PR_SET_NO_NEW_PRIVS");
    } else if (!strcmp(argv[at], "--families")) {
      families = 1;
    } else if (!strcmp(argv[at], "--no-namespaces")) {
      namespaces = 1;
    } else if (!strcmp(argv[at], "--syscalls")) {
      syscalls = 1;
    } else {
      fprintf(stderr, "launch: unknown option %s\n", argv[at]);
      return 125;
    }
  }
  if (at + 1 >= argc) {
    fprintf(stderr, "launch: no program\n");
    return 125;
  }
  if (families) only_families();
  if (namespaces) no_namespaces();
  if (syscalls) only_syscalls();
  execvp(argv[at + 1], argv + at + 1);
  fail(argv[at + 1]);
}
