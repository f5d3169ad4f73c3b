#!/bin/sh
# Sets the time of the folder $1 and of all in it to $2, in UTC. `find` and `touch` set tens of thousands of
# files in the time that Deno sets a thousand.
PATH=$PATH:/usr/bin:/bin:/run/current-system/sw/bin
TZ=UTC0 find "$1" -exec touch -h -c -t "$2" {} +
