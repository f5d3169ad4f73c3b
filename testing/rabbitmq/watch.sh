#!/bin/sh
# Ends the server in the folder $1 and its port mapper on the port $3 when the test process $2 has
# ended, because a killed process cannot clean up.
while kill -0 "$2" && [ -d "$1" ]; do
  group=$(cat "$1/group.pid")
  sleep 1
done
[ -z "$group" ] || kill -s KILL -- "-$group" && sleep 1
epmd -port "$3" -kill
rm -rf "$1"
