#!/bin/sh
# Sets up a Debian machine and runs every test. What is installed comes from Debian's own packages, but
# for Deno, which npx fetches; on another system install their like and run `npx -y deno@2.9.6 task ok`.
set -eu
cd "$(dirname "$0")/.."

packages="
  git                      the repositories that are built
  rabbitmq-server          the broker the tests run privately
  bubblewrap               the builder's sandbox
  g++ make cmake ninja-build meson pkg-config autoconf automake libtool  build systems
  cargo gradle default-jdk-headless                                      more build systems
  xsltproc docbook-xsl     a tool whose data lies in /etc
  libgtest-dev             a real C++ monorepo to build
  nginx-light              the reverse proxy
  prometheus               promtool
  shellcheck               reads the shell programs
  nix-bin                  evaluates service.nix and flake.nix
  systemd                  systemd-analyze
  docker-compose           validates docker-compose.yml
  chromium                 shows the log viewer
  python3 socat procps curl openssl ca-certificates   small tools the tests use
"
# Somebody's own Node is as good, and Debian's npm is large.
command -v npx >/dev/null || packages="$packages
  nodejs npm               fetches Deno
"
# Keeps the package names: everything before the first run of two spaces inside a line.
names=$(printf '%s\n' "$packages" | sed -e 's/^ *//' -e 's/  .*$//' | tr '\n' ' ')

missing=""
# Older ones, installed or not, do not have the keys of Debian 13.
ls /usr/share/keyrings/debian-archive-trixie-stable.* >/dev/null 2>&1 || missing=" debian-archive-keyring"
for name in $names; do
  dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing="$missing $name"
done
if [ -n "$missing" ]; then
  echo "Installing from Debian:$missing"
  as_root=""
  [ "$(id -u)" = 0 ] || as_root="sudo"
  # Debian starts a freshly installed server; the tests start their own.
  policy=/usr/sbin/policy-rc.d
  made_policy=""
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod 755 $policy
    made_policy=yes
  fi
  $as_root apt-get update -q
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends $missing
  [ -z "$made_policy" ] || $as_root rm -f $policy
fi

# Everything is there that a test may need, so that none may be skipped; but systemd boots for root only,
# and a machine that cannot have RabbitMQ 4 may be told to do without.
if [ -n "${WITHOUT_RABBITMQ_4:-}" ]; then
  echo "Without RabbitMQ 4, as WITHOUT_RABBITMQ_4 says"
else
  sh tests/run/rabbitmq4.sh
  [ "$(id -u)" != 0 ] || export CI=true
fi
exec npx -y deno@2.9.6 run -A --frozen tests/run.ts "$@"
