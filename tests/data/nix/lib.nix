# Stands for the part of nixpkgs' `lib` and of its module system that service.nix uses, because nixpkgs itself
# cannot be had without a network. Same names, same meaning, less of it: options with types and defaults,
# one module, mkIf; unknown options and values of a wrong type are refused as NixOS does.
let
  isType = name: value: value ? _type && value._type == name;

  lib = rec {
    inherit (builtins) mapAttrs filter attrNames attrValues concatMap;
    nameValuePair = name: value: { inherit name value; };
    mapAttrs' = f: set: builtins.listToAttrs (map (name: f name set.${name}) (attrNames set));
    filterAttrs = keep: set:
      builtins.listToAttrs
        (map (name: nameValuePair name set.${name})
          (filter (name: keep name set.${name}) (attrNames set)));
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    genAttrs = names: f: builtins.listToAttrs (map (name: nameValuePair name (f name)) names);
    concatStringsSep = builtins.concatStringsSep;
    concatMapStringsSep = separator: f: values: concatStringsSep separator (map f values);
    removePrefix = prefix: text:
      let length = builtins.stringLength prefix; in
      if builtins.substring 0 length text == prefix
      then builtins.substring length (builtins.stringLength text) text
      else text;
    makeBinPath = packages: concatMapStringsSep ":" (package: "${package}/bin") packages;
    cleanSource = source: source;
    licenses.mit = { spdxId = "MIT"; };

    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkOption = option: option // { _type = "option"; };
    mkEnableOption = what: mkOption {
      type = types.bool;
      default = false;
      description = "Whether to enable ${what}.";
    };

    types = {
      bool = { name = "boolean"; check = builtins.isBool; };
      str = { name = "string"; check = builtins.isString; };
      path = {
        name = "path";
        check = value: builtins.isPath value
          || (builtins.isString value && builtins.substring 0 1 value == "/");
      };
      package = { name = "package"; check = value: value ? outPath; };
      listOf = type: {
        name = "list of ${type.name}";
        check = value: builtins.isList value && builtins.all type.check value;
      };
    };

    # The values of an option tree: what is given, else the default. Where neither is, an error like NixOS's.
    valuesOf = path: options: given:
      let
        unknown = filter (name: !(options ? ${name})) (attrNames given);
        value = name: option:
          let at = "${path}.${name}"; in
          if !(isType "option" option) then valuesOf at option (given.${name} or { })
          else if given ? ${name} then
            (if option.type.check given.${name} then given.${name}
            else throw "A definition for option `${at}' is not of type `${option.type.name}'")
          else option.default or (throw "The option `${at}' is used but not defined");
      in
      if unknown != [ ] then throw "The option `${path}.${builtins.head unknown}' does not exist"
      else mapAttrs value options;

    # Evaluates one module with the given `services.tickborg`; the result is its `config`, or an empty set.
    evalModule = { module, pkgs, settings }:
      let
        evaluated = module { inherit config pkgs lib; };
        config.services.tickborg =
          valuesOf "services.tickborg" evaluated.options.services.tickborg settings;
        result = evaluated.config;
      in
      # NixOS looks at a value when it is used; a test wants to hear of every mistake.
      builtins.deepSeq config.services.tickborg
        (if isType "if" result then (if result.condition then result.content else { }) else result);
  };
in
lib
