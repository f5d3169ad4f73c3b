#!/bin/sh
# Sets the time of the folder $1 and of everything in it to $2, in UTC. `find` and `touch` are more
# than ten times as fast as Deno.
PATH=$PATH:/usr/bin:/bin:/run/current-system/sw/bin
TZ=UTC0 find "$1" -exec touch -h -c -t "$2" {} +
