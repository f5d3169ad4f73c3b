# Tickborg as a Nix flake: the package, a shell to work in, the NixOS module, and a check of it.
#
# There is no flake.lock yet: it holds the hash of a nixpkgs revision, which only `nix flake lock` on a machine
# with a network can write. Run that once, and commit it, in a fork that builds with Nix. The npm packages are
# locked all the same: their hashes come from deno.lock.
{
  description = "Tickborg: distributed CI for monorepos on GitHub";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs, ... }:
    let
      lib = nixpkgs.lib;
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      forSystems = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      # The names of the roles, as in services/roles.ts.
      roles = [
        "github-webhook-receiver"
        "evaluation-filter"
        "push-filter"
        "github-comment-filter"
        "mass-rebuilder"
        "builder"
        "github-comment-poster"
        "log-message-collector"
        "stats"
      ];

      # What only tests and development import of deno.json.
      testOnly = [
        "@octokit/openapi"
        "@octokit/webhooks-examples"
        "ajv"
        "ajv-formats"
        "dockerfile-utils"
        "fast-check"
        "playwright-core"
        "yaml"
      ];

      # The npm packages that Tickborg runs with, from deno.lock: each with its own hash.
      packagesOf = pkgs:
        let
          lock = builtins.fromJSON (builtins.readFile ./deno.lock);
          manifest = builtins.fromJSON (builtins.readFile ./deno.json);
          imported = builtins.attrValues (builtins.removeAttrs manifest.imports testOnly);
          keys = builtins.attrNames lock.npm;
          # "@scope/name@1.2.3_peer@4.5.6" is a key; what follows the underscore tells peers apart.
          parse = key: builtins.match "(@?[^@]+)@([^_]+)(_.*)?" key;
          nameOf = key: builtins.elemAt (parse key) 0;
          versionOf = key: builtins.elemAt (parse key) 1;
          # A dependency stands with its version only where there are several.
          resolve = reference:
            if lock.npm ? ${reference} then reference
            else
              let found = builtins.filter (key: nameOf key == reference) keys; in
              if found == [ ] then throw "deno.lock has no package ${reference}"
              else builtins.head found;
          keyOf = specifier:
            let name = nameOf (lib.removePrefix "npm:" specifier); in
            "${name}@${lock.specifiers.${specifier}}";
          closure = builtins.genericClosure {
            startSet = map (specifier: { key = keyOf specifier; }) imported;
            operator = { key }:
              map (reference: { key = resolve reference; }) (lock.npm.${key}.dependencies or [ ]);
          };
        in
        map
          ({ key }: {
            name = nameOf key;
            version = versionOf key;
            tarball = pkgs.fetchurl {
              url = "https://registry.npmjs.org/${nameOf key}/-/${baseNameOf (nameOf key)}-${versionOf key}.tgz";
              hash = lock.npm.${key}.integrity;
            };
          })
          closure;

      tickborgFor = pkgs: pkgs.stdenv.mkDerivation {
        pname = "tickborg";
        inherit (builtins.fromJSON (builtins.readFile ./deno.json)) version;
        src = lib.cleanSource ./.;
        nativeBuildInputs = [ pkgs.deno pkgs.makeWrapper ];
        dontConfigure = true;
        dontBuild = true;

        # Deno finds the unpacked packages where it would have put them itself, and fetches nothing.
        installPhase = ''
          runHook preInstall
          npm=$out/cache/npm/registry.npmjs.org
          ${lib.concatMapStringsSep "\n" ({ name, version, tarball }: ''
            mkdir -p "$npm/${name}/${version}"
            tar -xzf ${tarball} -C "$npm/${name}/${version}" --strip-components=1
          '') (packagesOf pkgs)}
          export DENO_DIR=$TMPDIR/deno DENO_NO_UPDATE_CHECK=1
          deno run --no-config --no-lock -A deploy/install.ts $out
          ln -sf ${pkgs.deno}/bin/deno $out/libexec/deno
          runHook postInstall
        '';

        # Roles started by hand find the programs they run; units have them on their path already.
        postFixup = ''
          for program in $out/bin/*; do
            wrapProgram $program --prefix PATH : ${lib.makeBinPath ([ pkgs.git pkgs.bash ]
              ++ lib.optional pkgs.stdenv.hostPlatform.isLinux pkgs.bubblewrap)}
          done
        '';

        meta = {
          description = "Distributed CI for monorepos on GitHub";
          license = lib.licenses.mit;
          mainProgram = "tickborg";
        };
      };
    in
    {
      packages = forSystems (pkgs: rec {
        tickborg = tickborgFor pkgs;
        default = tickborg;
      });

      # nix run .#tickborg -- github-webhook-receiver, or nix run .#github-webhook-receiver
      apps = forSystems (pkgs:
        let
          package = self.packages.${pkgs.stdenv.hostPlatform.system}.tickborg;
          app = name: { type = "app"; program = "${package}/bin/${name}"; };
        in
        lib.genAttrs roles app // { tickborg = app "tickborg"; default = app "tickborg"; });

      devShells = forSystems (pkgs: {
        default = pkgs.mkShell {
          nativeBuildInputs = with pkgs; [ deno git nodejs ]
            ++ lib.optionals stdenv.hostPlatform.isLinux [
            bubblewrap
            cmake
            meson
            ninja
            pkg-config
            rabbitmq-server
          ];
        };
      });

      nixosModules.default = import ./service.nix;

      # Evaluates the module with every role on, in a NixOS that is not built.
      checks = forSystems (pkgs: {
        package = self.packages.${pkgs.stdenv.hostPlatform.system}.tickborg;
      } // lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux {
        module =
          let
            nixos = nixpkgs.lib.nixosSystem {
              modules = [
                self.nixosModules.default
                {
                  nixpkgs.hostPlatform = pkgs.stdenv.hostPlatform.system;
                  boot.isContainer = true;
                  system.stateVersion = "25.05";
                  services.tickborg = {
                    enable = true;
                    package = self.packages.${pkgs.stdenv.hostPlatform.system}.tickborg;
                    configFile = ./example.config.json;
                    services = lib.genAttrs roles (_: true);
                  };
                }
              ];
            };
            units = map (role: nixos.config.systemd.units."tickborg-${role}.service".text) roles;
          in
          pkgs.writeText "tickborg-units" (lib.concatStringsSep "\n" units);
      });
    };
}
