#!/bin/sh
# Sets RabbitMQ up for Tickborg: the virtual host, a user for each role with the rights it needs and no more,
# and every exchange, queue and binding. Run it as often as you like; it changes passwords to those of the files.
#
#   sh setup.sh [--node NODE] FOLDER
#
# FOLDER holds a file for each user with its password: tickborg (may do everything), operator (for
# `tickborg status` and `dead-letters`) and one named like each role; deploy/secrets.sh makes them. Passwords go
# to rabbitmqctl on its standard input: no process list shows them. --node is for a server on another host whose
# Erlang cookie this user has. RABBITMQCTL names another rabbitmqctl.
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
    echo "Cannot set up RabbitMQ: $file has no password for $user" >&2
    exit 1
  fi
done

# One line, whatever the file ends with: rabbitmqctl takes the first line of its input.
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
  # The document's user may look at the management pages.
  if [ "$user" = tickborg ]; then ctl set_user_tags "$user" management policymaker monitoring; fi
done

ctl import_definitions "$definitions" > /dev/null
echo "RabbitMQ is set up: $(printf '%s\n' "$users" | wc -l) users"
