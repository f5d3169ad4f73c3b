#!/bin/sh
# Prepares docker-compose.yml: makes ./secrets, ./config/config.json and .env where they are missing, and
# touches nothing that is there. Run it in the folder of docker-compose.yml.
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
  # In a container the broker has a name of its own and roles listen on every address; an instance is the
  # container's host name, so that --scale works.
  sed -e 's/"host": "127\.0\.0\.1:5672"/"host": "rabbitmq:5672"/' \
    -e 's/"listen": "127\.0\.0\.1:/"listen": "0.0.0.0:/' \
    -e '/"instance":/d' \
    "$here/../example.config.json" > ./config/config.json
  chmod 755 ./config
  chmod 644 ./config/config.json
  echo "Made config/config.json: set runner.repos, github_app.app_id and the addresses in it"
fi
