#!/bin/sh
# Prepares docker-compose.yml: creates ./secrets, ./config/config.json and .env if they are missing, and never
# changes existing files. Run it in the folder of docker-compose.yml.
set -eu
here=$(dirname "$0")
umask 077
sh "$here/secrets.sh" ./secrets

if [ ! -e .env ]; then
  printf 'RABBITMQ_DEFAULT_PASS=%s\n' "$(cat ./secrets/rabbitmq/tickborg)" > .env
  echo "Made .env"
fi

if [ ! -e ./config/config.json ]; then
  mkdir -p ./config
  # Between containers the broker has a host name and roles listen on every address. The instance is the
  # container's host name, as --scale needs.
  sed -e 's/"host": "127\.0\.0\.1:5672"/"host": "rabbitmq:5672"/' \
    -e 's/"listen": "127\.0\.0\.1:/"listen": "0.0.0.0:/' \
    -e '/"instance":/d' \
    "$here/../example.config.json" > ./config/config.json
  chmod 755 ./config
  chmod 644 ./config/config.json
  echo "Made config/config.json: set runner.repos, github_app.app_id and the addresses in it"
fi
