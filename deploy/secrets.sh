#!/bin/sh
# Makes the secrets of an installation that are not there yet, and touches none that is:
#
#   sh deploy/secrets.sh /etc/tickborg/credentials     for systemd and NixOS, as root
#   sh deploy/secrets.sh ./secrets                     for Docker Compose
#
# What it cannot make is the GitHub App's private key: put that into FOLDER/github-app-key. The webhook secret
# must be entered in the App's settings: it is in FOLDER/webhook-secret.
set -eu
folder=${1-}
if [ -z "$folder" ] || [ $# -ne 1 ]; then
  echo "Usage: sh deploy/secrets.sh FOLDER" >&2
  exit 2
fi
umask 077
mkdir -p "$folder/rabbitmq"
# Others are kept out by the folders: a container's user must be able to read what is mounted into it.
chmod 700 "$folder" "$folder/rabbitmq"

make() {
  if [ -s "$folder/$1" ]; then return; fi
  # 32 random bytes in hexadecimal
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$folder/$1.new"
  chmod 444 "$folder/$1.new"
  mv "$folder/$1.new" "$folder/$1"
  echo "Made $folder/$1"
}

make webhook-secret
here=$(dirname "$0")
sed -n 's/^ *"user": "\([^"]*\)",*$/\1/p' "$here/rabbitmq/definitions.json" | while read -r user; do
  make "rabbitmq/${user#tickborg-}"
done
# For commands: CREDENTIALS_DIRECTORY=FOLDER/operator tickborg status
mkdir -p "$folder/operator"
ln -sf ../rabbitmq/operator "$folder/operator/rabbitmq-password"
if [ ! -s "$folder/github-app-key" ]; then
  echo "Still missing: $folder/github-app-key, the private key of the GitHub App (PEM)"
fi
