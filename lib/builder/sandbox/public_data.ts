/**
 * The data of installed programs outside `/usr` that every build may read. Pure. A folder is listed
 * only if packages put nothing secret in it. Exceptions are in {@link SECRET_PARTS}, and files that
 * are not world-readable are hidden in any folder.
 */

/** System data: libraries, hosts, users, certificates, time, file types. */
const SYSTEM =
  /^(alternatives|ld\.so\.(cache|conf|conf\.d)|nsswitch\.conf|host\.conf|gai\.conf|resolv\.conf|networks|services|protocols|rpc|ethertypes|localtime|timezone|mime\.types|mailcap|magic(\.mime)?|locale\.(alias|conf)|terminfo|inputrc|shells|login\.defs|ca-certificates(\.conf)?|crypto-policies|static|debian_version|os-release|lsb-release|[a-z]+-release)$/;

/** Languages and their runtimes. */
const LANGUAGES =
  /^(java[\w.-]*|jvm[\w.-]*|groovy|gradle|ant\.(conf|d)|perl|python[\d.]*|php[\d.]*|php\.(ini|d)|R|octave[\w.]*|julia|mono|dotnet|ghc[\w.-]*|ocaml[\w.-]*|findlib\.conf|fpc[\w.-]*\.cfg|fpc\.cfg|emacs|vim)$/;

/** Documents, fonts, pictures, desktops, and tools that make packages. */
const TOOLS =
  /^(xml|sgml|texmf|texlive|LatexMk|groff|manpath\.config|papersize|paperspecs|libpaper\.d|dictionaries-common|fonts|ghostscript|ImageMagick-\d+|GraphicsMagick|X11|gtk-\d\.0|pango|glvnd|vulkan|OpenCL|openmpi|chromium(\.d)?|dbus-1|gdb|odbcinst\.ini|postgresql-common|dpkg|rpm)$/;

/** Certificates without private keys, Maven without its passwords, data of tools. */
const PUBLIC_PATHS: readonly string[] = [
  "/etc/maven/m2.conf",
  "/etc/maven/logging",
  "/etc/ssl/certs",
  "/etc/ssl/openssl.cnf",
  "/etc/ssl/cert.pem",
  "/etc/pki/ca-trust",
  "/etc/pki/java",
  "/etc/pki/tls/certs",
  "/etc/pki/tls/cert.pem",
  "/etc/pki/tls/openssl.cnf",
  ...[
    "aspell",
    "dictionaries-common",
    "gems",
    "ghc",
    "ghostscript",
    "ispell",
    "mecab",
    "ocaml",
    "sgml-base",
    "tex-common",
    "texmf",
    "xml-core",
  ].map((name) => `/var/lib/${name}`),
  "/var/cache/fontconfig",
];

/** Paths that builds may read on a machine with these names in `/etc`; some may not exist. */
export function publicData(etc: readonly string[]): string[] {
  const names = etc.filter((name) => [SYSTEM, LANGUAGES, TOOLS].some((kind) => kind.test(name)));
  return [...names.map((name) => `/etc/${name}`), ...PUBLIC_PATHS];
}

/** Where people write passwords in the folders above, as shell patterns. */
export const SECRET_PARTS: readonly string[] = [
  "/etc/php/*/fpm",
  "/etc/php/*/apache2",
  "/etc/R/Renviron.site",
  "/etc/R/Rprofile.site",
];
