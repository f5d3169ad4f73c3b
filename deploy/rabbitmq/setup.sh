#!/bin/sh
# Sets up RabbitMQ for Tickborg: the virtual host, a user per role with the least permissions, and every
# exchange, queue and binding. It is safe to repeat; it sets passwords to those in the files.
#
#   sh setup.sh [--node NODE] FOLDER
#
# FOLDER holds a password file per user: tickborg (all permissions), operator (for `tickborg status` and
# `dead-letters`) and one per role; deploy/secrets.sh makes them. rabbitmqctl reads passwords from its standard
# input, so no process list shows them. --node is for a server on another host whose Erlang cookie this user
# has. RABBITMQCTL names another rabbitmqctl.
set -eu

node=""
if [ "${1-}" = --node ]; then
  node=${2-}
  shift 2
fi
folder=${1-}
if [ -z "$folder" ] || [ $# -ne 1 ]; then
  echo "Usage: sh setup.sh [--node NODE] FOLDER" >&2
  exit 2
fi
definitions=$(dirname "$0")/definitions.json

ctl() {
  if [ -n "$node" ]; then set -- --node "$node" "$@"; fi
  "${RABBITMQCTL:-rabbitmqctl}" --quiet "$@"
}

# The users are those that definitions.json gives rights to.
users=$(sed -n 's/^ *"user": "\([^"]*\)",*$/\1/p' "$definitions")
for user in $users; do
  file=$folder/${user#tickborg-}
  if [ ! -s "$file" ]; then
    echo "Cannot set up RabbitMQ: $file has no password for $user; run deploy/secrets.sh" >&2
    exit 1
  fi
done

# One line, because rabbitmqctl reads only the first line of its input.
password() {
  printf '%s\n' "$(cat "$folder/${1#tickborg-}")"
}

there=$(ctl list_users --silent | cut -f1)
for user in $users; do
  if printf '%s\n' "$there" | grep -qx "$user"; then
    password "$user" | ctl change_password "$user" > /dev/null
  else
    password "$user" | ctl add_user "$user" > /dev/null
  fi
  # The administrator may use the management pages.
  if [ "$user" = tickborg ]; then ctl set_user_tags "$user" management policymaker monitoring; fi
done

ctl import_definitions "$definitions" > /dev/null
echo "RabbitMQ is set up: $(printf '%s\n' "$users" | wc -l) users"
