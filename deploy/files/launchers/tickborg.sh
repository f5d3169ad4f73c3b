#!/bin/sh
# tickborg <role or command> …
case "${1-}" in
  @roles@)
    role=$1
    shift
    exec "@prefix@/bin/$role" "$@"
    ;;
esac
# Only the cache in the installation serves the sources, whoever runs them and wherever.
export DENO_DIR=@prefix@/cache DENO_NO_UPDATE_CHECK=1
exec @prefix@/libexec/deno run --no-prompt --no-check --cached-only --frozen -A \
  @prefix@/lib/main.ts "$@"
