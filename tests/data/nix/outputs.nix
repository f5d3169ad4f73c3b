# The outputs of flake.nix as data, with stand-ins for nixpkgs: `nix-instantiate --eval --strict --json`.
let
  lib = import ./lib.nix;
  basePkgs = import ./pkgs.nix;

  pkgsFor = system: basePkgs // {
    makeWrapper = { outPath = "/nix/store/make-wrapper"; };
    fetchurl = { url, hash }: { inherit url hash; outPath = "/fetched/${baseNameOf url}"; };
    mkShell = attributes: attributes;
    writeText = name: text: { inherit name text; };
    stdenv = basePkgs.stdenv // {
      hostPlatform = {
        inherit system;
        isLinux = builtins.match ".*-linux" system != null;
      };
      mkDerivation = attributes: attributes // {
        type = "derivation";
        outPath = "/nix/store/00000000000000000000000000000000-${attributes.pname}";
      };
    };
  };

  nixpkgs = {
    legacyPackages =
      lib.genAttrs [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ] pkgsFor;
    lib = lib // {
      # The units as the module gives them: their rendering is NixOS's own.
      nixosSystem = { modules }:
        let
          settings = builtins.elemAt modules 1;
          result = lib.evalModule {
            module = builtins.head modules;
            pkgs = pkgsFor settings.nixpkgs.hostPlatform;
            settings = settings.services.tickborg;
          };
        in
        {
          config.systemd.units = lib.mapAttrs'
            (name: unit: lib.nameValuePair "${name}.service" { text = builtins.toJSON unit.serviceConfig; })
            result.systemd.services;
        };
    };
  };

  self = (import ../../../flake.nix).outputs { inherit self nixpkgs; };
  linux = self.packages.x86_64-linux.tickborg;
in
{
  packages = lib.mapAttrs (_: packages: lib.mapAttrs (_: package: package.outPath) packages) self.packages;
  apps = lib.mapAttrs (_: apps: lib.mapAttrs (_: app: app.program) apps) self.apps;
  shells = lib.mapAttrs (_: shells: map toString shells.default.nativeBuildInputs) self.devShells;
  modules = builtins.attrNames self.nixosModules;
  checks = lib.mapAttrs (_: builtins.attrNames) self.checks;
  checkedUnits = self.checks.x86_64-linux.module.text;
  inherit (linux) version installPhase postFixup;
  tarballs = map (part: builtins.elemAt part 0)
    (builtins.filter builtins.isList (builtins.split "(/fetched/[^ ]+)" linux.installPhase));
}
