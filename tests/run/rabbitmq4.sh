#!/bin/sh
# Fetches RabbitMQ 4 as Debian 13 has it, with its Erlang and C library, into a folder of the cache, for the
# tests to run it next to this system's own server. Nothing is installed.
#
# The mirror is the one this machine's apt has, with its proxy and retries. apt checks every file by
# signature, against the keys of the package debian-archive-keyring, which has itself come signed by keys
# this machine trusts already.
set -eu
if [ "$(id -u)" = 0 ]; then cache=/var/cache; else cache=${XDG_CACHE_HOME:-$HOME/.cache}; fi
# testing/rabbitmq/layout.ts looks there too. The number changes with what this script makes.
folder=$cache/tickborg-test/rabbitmq4-1
[ ! -d "$folder" ] || exit 0

fail() {
  echo "Cannot fetch Debian 13's RabbitMQ for the tests: $1" >&2
  echo "WITHOUT_RABBITMQ_4=yes sh tests/run.sh runs what does not need it." >&2
  exit 1
}

keyring=""
for name in gpg pgp; do
  [ ! -e "/usr/share/keyrings/debian-archive-trixie-stable.$name" ] ||
    keyring=/usr/share/keyrings/debian-archive-keyring.$name
done
[ -n "$keyring" ] || fail "the package debian-archive-keyring is missing, or older than Debian 13's keys"

# shellcheck disable=SC2016  # apt fills it in
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
  'Label: Debian' 'Component: main' | head -n 1)
[ -n "$mirror" ] || fail "apt knows no mirror of Debian; has \`apt-get update\` run?"

umask 022
mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/made"
: > "$work/apt/status"
echo "deb [signed-by=$keyring] $mirror trixie main" > "$work/apt/sources.list"

# What is installed on this machine counts for nothing there: every dependency is fetched.
debian13() {
  apt-get -q -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State="$work/apt" -o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt" \
    -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none \
    -o APT::Update::Error-Mode=any "$@" >&2
}
debian13 update || fail "no signed list of packages came from $mirror"
# The server's scripts need the shell and tools that every Debian has, which no package says it depends on.
debian13 install -y --no-install-recommends --download-only \
  rabbitmq-server libc-bin dash coreutils grep sed findutils hostname || fail "a package did not come from $mirror"
for package in "$work"/apt/archives/*.deb; do
  dpkg-deb -x "$package" "$work/made"
done
echo "127.0.0.1 localhost" > "$work/made/etc/hosts"

mkdir "$work/made/programs"
cat > "$work/made/programs/rabbitmq-server" <<'WRAPPER'
#!/bin/sh
# Runs Debian 13's program of this name. Of this machine's files it sees those of its server, in $HOME.
root=$(dirname "$(dirname "$(readlink -f "$0")")")
exec bwrap --ro-bind "$root/usr" /usr --ro-bind "$root/etc" /etc --symlink usr/bin /bin \
  --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/sbin /sbin \
  --dev /dev --ro-bind /proc /proc --tmpfs /tmp --bind "$HOME" "$HOME" --chdir / \
  --setenv PATH /usr/lib/rabbitmq/bin:/usr/bin:/usr/sbin -- "$(basename "$0")" "$@"
WRAPPER
chmod 755 "$work/made/programs/rabbitmq-server"
for name in rabbitmqctl rabbitmq-plugins rabbitmq-diagnostics epmd; do
  ln -s rabbitmq-server "$work/made/programs/$name"
done
# The last step, and one: a folder that is there is whole.
mv -T "$work/made" "$folder" 2>/dev/null || [ -d "$folder" ] || fail "$folder cannot be written"
echo "RabbitMQ 4 of Debian 13 is in $folder"
