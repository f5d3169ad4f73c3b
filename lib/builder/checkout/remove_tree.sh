#!/bin/sh
# Removes the folder $1. `rm` walks a chain of folders however deep it is; `Deno.remove` overflows its thread's
# stack at 18,000 and takes the whole process with it (Deno 2.9.6). Folders may forbid even their owner to look:
# Go's module cache, for one, is read-only. No program here follows a symbolic link.
PATH=$PATH:/usr/bin:/bin:/run/current-system/sw/bin
rm -rf -- "$1" 2>/dev/null && exit
chmod -R u+rwX -- "$1" 2>/dev/null
rm -rf -- "$1" 2>&1 | tail -n 1 >&2
