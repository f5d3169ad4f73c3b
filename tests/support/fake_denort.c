/*
 * Stands in for denort where a test looks at what `deno compile` puts into a program: a base that is an
 * ELF file and answers --help as the role in its own file name would. It runs no JavaScript.
 */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  const char *name = strrchr(argv[0], '/');
  (void)argc;
  printf("Usage: tickborg %s [--config FILE]\n", name ? name + 1 : argv[0]);
  return 0;
}
