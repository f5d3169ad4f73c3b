#!/bin/sh
# Asks the role on a port of this machine for its health
# Only the cache in the installation serves the sources, whoever runs them and wherever.
export DENO_DIR=@prefix@/cache DENO_NO_UPDATE_CHECK=1
exec @prefix@/libexec/deno run --no-prompt --no-check --cached-only --no-config --no-lock \
  --allow-net=127.0.0.1 @prefix@/lib/commands/healthcheck.ts "$@"
