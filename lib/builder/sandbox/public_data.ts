/**
 * What lies outside of `/usr` and yet belongs to installed programs: which of it every build may read. Pure.
 * A folder is named here only if packages put nothing secret in it; what is secret all the same is named in
 * {@link SECRET_PARTS}, and a file that not every user may read is hidden whatever folder it lies in.
 */

/** The system's own: libraries, hosts, users, certificates, time, kinds of files. */
const SYSTEM =
  /^(alternatives|ld\.so\.(cache|conf|conf\.d)|nsswitch\.conf|host\.conf|gai\.conf|resolv\.conf|networks|services|protocols|rpc|ethertypes|localtime|timezone|mime\.types|mailcap|magic(\.mime)?|locale\.(alias|conf)|terminfo|inputrc|shells|login\.defs|ca-certificates(\.conf)?|crypto-policies|static|debian_version|os-release|lsb-release|[a-z]+-release)$/;

/** Languages and their run-time systems. */
const LANGUAGES =
  /^(java[\w.-]*|jvm[\w.-]*|groovy|gradle|ant\.(conf|d)|perl|python[\d.]*|php[\d.]*|php\.(ini|d)|R|octave[\w.]*|julia|mono|dotnet|ghc[\w.-]*|ocaml[\w.-]*|findlib\.conf|fpc[\w.-]*\.cfg|fpc\.cfg|emacs|vim)$/;

/** Documents, fonts, pictures, desktops, and tools that make packages. */
const TOOLS =
  /^(xml|sgml|texmf|texlive|LatexMk|groff|manpath\.config|papersize|paperspecs|libpaper\.d|dictionaries-common|fonts|ghostscript|ImageMagick-\d+|GraphicsMagick|X11|gtk-\d\.0|pango|glvnd|vulkan|OpenCL|openmpi|chromium(\.d)?|dbus-1|gdb|odbcinst\.ini|postgresql-common|dpkg|rpm)$/;

/** Certificates, not the private keys beside them; Maven's programs, not its passwords; data of tools. */
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

/** What builds may read of a machine with these names in its `/etc`; some of it may not be there. */
export function publicData(etc: readonly string[]): string[] {
  const names = etc.filter((name) => [SYSTEM, LANGUAGES, TOOLS].some((kind) => kind.test(name)));
  return [...names.map((name) => `/etc/${name}`), ...PUBLIC_PATHS];
}

/** Where people write passwords in the folders above; the shell's patterns. */
export const SECRET_PARTS: readonly string[] = [
  "/etc/php/*/fpm",
  "/etc/php/*/apache2",
  "/etc/R/Renviron.site",
  "/etc/R/Rprofile.site",
];
