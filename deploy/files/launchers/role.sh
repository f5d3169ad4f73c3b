#!/bin/sh
# tickborg @role@, with the permissions of its row in the role table
# Only the cache in the installation serves the sources, whoever runs them and wherever.
export DENO_DIR=@prefix@/cache DENO_NO_UPDATE_CHECK=1
exec @prefix@/libexec/deno run --no-prompt --no-check --cached-only --frozen \
  --v8-flags=--jitless -P=@role@ @prefix@/lib/main.ts @role@ "$@"
