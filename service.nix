# Tickborg as NixOS services: one systemd unit for each enabled role, from one template.
#
# The units are those of deploy/systemd/, with NixOS's paths; tests/deploy/nix_test.ts evaluates this module
# and compares them line by line. docs/deployment.md, "NixOS", shows how to use it.
{ config, pkgs, lib, ... }:

let
  cfg = config.services.tickborg;
  tickborg = cfg.package;

  # What differs between roles, as in services/roles.ts.
  roles = {
    github-webhook-receiver = { summary = "webhook receiver"; webhookSecret = true; };
    evaluation-filter = { summary = "evaluation filter"; };
    push-filter = { summary = "push filter"; checkouts = true; };
    github-comment-filter = { summary = "comment filter"; githubApp = true; };
    mass-rebuilder = {
      summary = "mass rebuilder (evaluation)";
      githubApp = true;
      checkouts = true;
    };
    builder = { summary = "build executor"; checkouts = true; sandboxes = true; };
    github-comment-poster = { summary = "comment poster"; githubApp = true; };
    log-message-collector = { summary = "log collector"; logStore = true; };
    stats = { summary = "stats collector"; };
  };

  enabledRoles = lib.filterAttrs (name: _: cfg.services.${name}) roles;

  # A role is given its own secrets and no others: a builder never sees the App's key. The configuration
  # names them "credential:rabbitmq-password" and so on.
  credentials = name: role:
    [ "rabbitmq-password:${cfg.credentialsDirectory}/rabbitmq/${name}" ]
    ++ lib.optional (role.webhookSecret or false)
      "webhook-secret:${cfg.credentialsDirectory}/webhook-secret"
    ++ lib.optional (role.githubApp or false)
      "github-app-key:${cfg.credentialsDirectory}/github-app-key";

  # What bubblewrap needs beyond the other roles; deploy/systemd/tickborg-builder.service says the same.
  sandboxExceptions = {
    # bubblewrap mounts a fresh /proc, which Linux refuses where anything covers a part of the old one; the
    # user without privileges that the builder runs as can change nothing there anyway.
    ProtectKernelTunables = false;
    ProtectKernelLogs = false;
    ProtectHostname = false;
    # bubblewrap reads /proc/sys/kernel/overflowuid.
    ProcSubset = "all";
    # A sandbox is made of namespaces; only that of the clock stays out of reach.
    RestrictNamespaces = "cgroup ipc mnt net pid user uts";
    # bubblewrap mounts what a build may see and drops what it may do; builds set their files' owner.
    SystemCallFilter = [
      "@system-service"
      "~@privileged @resources"
      "@mount @chown capset sethostname"
    ];
    # bubblewrap brings up the loopback device of a sandbox without network.
    RestrictAddressFamilies = "AF_INET AF_INET6 AF_UNIX AF_NETLINK";
    # V8 runs without its compiler and the builder itself needs no exception here. A JVM, Node or any other
    # program that compiles at run time does: see services.tickborg.builderAllowsJit.
    MemoryDenyWriteExecute = !cfg.builderAllowsJit;
    # A compiler that ran out of memory ends its build, not the builder.
    OOMPolicy = "continue";
    # Builds that run are given their time to end or are handed back (builder.stop_grace_seconds).
    TimeoutStopSec = "15min";
  };

  commonServiceConfig = name: role: {
    description = "tickborg ${name}";
    wantedBy = [ "multi-user.target" "tickborg.target" ];
    partOf = [ "tickborg.target" ];
    after = [ "network-online.target" "rabbitmq.service" ];
    wants = [ "network-online.target" ];
    # Restarts every ten seconds for as long as it takes.
    unitConfig.StartLimitIntervalSec = 0;
    environment = {
      RUST_LOG = cfg.logConfig;
      RUST_LOG_JSON = "1";
      CONFIG_PATH = toString cfg.configFile;
    };
    path = lib.optional (role.checkouts or false) pkgs.git
      ++ lib.optionals (role.sandboxes or false) ([ pkgs.bash pkgs.bubblewrap ] ++ cfg.builderPackages);
    serviceConfig = {
      # A role is ready when it consumes, and restarted when it hangs.
      Type = "notify";
      NotifyAccess = "main";
      ExecStart = "${tickborg}/bin/${name}";
      Restart = "always";
      RestartSec = "10s";
      WatchdogSec = "60s";
      TimeoutStartSec = "120s";
      TimeoutStopSec = "60s";
      KillMode = "mixed";
      DynamicUser = true;
      LoadCredential = credentials name role;
      RuntimeDirectory = "tickborg-${name}";
      StateDirectory = "tickborg-${name}";
      UMask = "0077";

      # Hardening
      NoNewPrivileges = true;
      ProtectSystem = "strict";
      ProtectHome = true;
      PrivateTmp = true;
      PrivateDevices = true;
      ProtectKernelTunables = true;
      ProtectKernelModules = true;
      ProtectKernelLogs = true;
      ProtectControlGroups = true;
      RestrictNamespaces = true;
      LockPersonality = true;
      # Holds because the launchers run V8 without its just-in-time compiler (--jitless).
      MemoryDenyWriteExecute = true;
      RestrictRealtime = true;
      SystemCallFilter = [ "@system-service" "~@mount" "~@privileged @resources" ];

      # Beyond the document's list
      SystemCallErrorNumber = "EPERM";
      SystemCallArchitectures = "native";
      CapabilityBoundingSet = "";
      AmbientCapabilities = "";
      RestrictAddressFamilies = "AF_INET AF_INET6 AF_UNIX";
      RestrictSUIDSGID = true;
      ProtectClock = true;
      ProtectHostname = true;
      ProtectProc = "invisible";
      ProcSubset = "pid";
      PrivateUsers = true;
      PrivateMounts = true;
      PrivateIPC = true;
      DevicePolicy = "closed";
      RemoveIPC = true;
      KeyringMode = "private";
    }
    // lib.optionalAttrs (role.checkouts or false) {
      CacheDirectory = "tickborg-${name}";
      # Each role has clones of its own where the common configuration says.
      BindPaths = "/var/cache/private/tickborg-${name}:/var/cache/tickborg";
    }
    // lib.optionalAttrs (role.logStore or false) {
      LogsDirectory = "tickborg";
      LogsDirectoryMode = "0750";
    }
    // lib.optionalAttrs (role.sandboxes or false) sandboxExceptions;
  };
in
{
  options.services.tickborg = {
    enable = lib.mkEnableOption "Enable tickborg CI services";

    package = lib.mkOption {
      type = lib.types.package;
      description = "The tickborg package to use";
    };

    configFile = lib.mkOption {
      type = lib.types.path;
      description = ''
        Path to the tickborg config.json. It holds no secrets and must be readable by every user: each
        role runs as a user of its own.
      '';
    };

    logConfig = lib.mkOption {
      type = lib.types.str;
      default = "info";
      description = "RUST_LOG filter string";
    };

    credentialsDirectory = lib.mkOption {
      type = lib.types.str;
      default = "/etc/tickborg/credentials";
      description = ''
        Folder of secrets, readable by root alone and kept out of the Nix store: webhook-secret,
        github-app-key, and rabbitmq/<role> with the password of each role's broker user. systemd hands a
        role its own (LoadCredential).
      '';
    };

    builderPackages = lib.mkOption {
      type = lib.types.listOf lib.types.package;
      default = with pkgs; [
        stdenv.cc
        gnumake
        cmake
        ninja
        meson
        pkg-config
        autoconf
        automake
        libtool
        cargo
        rustc
      ];
      description = "Programs that builds find on their PATH";
    };

    builderAllowsJit = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = ''
        Whether builds may map memory that is writable and executable. Gradle, Node, LuaJIT and others
        cannot run without; it lifts MemoryDenyWriteExecute from the builder's unit, and from that alone.
      '';
    };

    services = lib.mapAttrs (_: role: lib.mkEnableOption role.summary) roles;
  };

  config = lib.mkIf cfg.enable {
    systemd.services = lib.mapAttrs'
      (name: role: lib.nameValuePair "tickborg-${name}" (commonServiceConfig name role))
      enabledRoles;

    systemd.targets.tickborg = {
      description = "tickborg: every role enabled on this machine";
      wantedBy = [ "multi-user.target" ];
    };
  };
}
