# Tickborg in a container: one small image for every role, and a larger one for the builder.
#
#   docker build -t tickborg .
#   docker build -t tickborg-builder --target builder .
#
# The command is a role or a command of Tickborg; each role starts with its own Deno permissions.

# Deno comes from npm, as everywhere in this project, and so do the packages, held to deno.lock's hashes.
FROM node:20-bookworm-slim AS install
WORKDIR /source
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
COPY deno.json deno.lock main.ts LICENSE example.config.json ./
COPY commands/ commands/
COPY lib/ lib/
COPY services/ services/
COPY deploy/files/ deploy/files/
COPY deploy/install.ts deploy/
RUN npx -y deno@2.9.6 run -A --no-config --no-lock deploy/install.ts /opt/tickborg

FROM debian:bookworm-slim AS base
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --gid 10001 tickborg \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/tickborg --shell /usr/sbin/nologin tickborg \
  && install -d -o 10001 -g 10001 -m 0750 /var/cache/tickborg /var/log/tickborg /var/lib/tickborg
COPY --from=install /opt/tickborg /opt/tickborg
# A configuration that says "credential:<name>" finds the compose file's secrets here.
ENV CONFIG_PATH=/config/config.json \
  CREDENTIALS_DIRECTORY=/run/secrets
USER 10001:10001
WORKDIR /var/lib/tickborg
ENTRYPOINT ["/opt/tickborg/bin/tickborg"]
CMD ["--help"]

# What builds need beside: the sandbox and the build systems. Put your projects' own needs here, or build
# FROM this image.
FROM base AS builder
USER 0:0
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    autoconf \
    automake \
    bubblewrap \
    cargo \
    cmake \
    g++ \
    gcc \
    libtool \
    make \
    meson \
    ninja-build \
    pkg-config \
  && rm -rf /var/lib/apt/lists/*
USER 10001:10001
CMD ["builder"]

# The default: every role but the builder.
FROM base AS tickborg
