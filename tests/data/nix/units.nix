# The units that service.nix gives for `settings`, as data: `nix-instantiate --eval --strict --json`.
{ settings }:
let
  lib = import ./lib.nix;
  pkgs = import ./pkgs.nix;
  result = lib.evalModule {
    module = import ../../../service.nix;
    inherit pkgs;
    settings = builtins.fromJSON settings // { package = pkgs.tickborg; };
  };
in
{
  services = lib.mapAttrs (_: unit: unit // { path = map toString unit.path; })
    (result.systemd.services or { });
  targets = result.systemd.targets or { };
}
