/** Git's settings and variables, independent of this machine's and the repository's own. */

const nothing = Deno.build.os === "windows" ? "NUL" : "/dev/null";

/** Settings that override a repository's configuration. */
const SETTINGS: readonly string[] = [
  `core.hooksPath=${nothing}`,
  `core.attributesFile=${nothing}`,
  `core.excludesFile=${nothing}`,
  "core.fsmonitor=false",
  "core.askPass=",
  "core.protectHFS=true",
  "core.protectNTFS=true",
  "core.pager=cat",
  "core.quotePath=false",
  "credential.helper=",
  "diff.external=",
  "gc.auto=0",
  "maintenance.auto=false",
  "fetch.recurseSubmodules=false",
  "submodule.recurse=false",
  "transfer.bundleURI=false",
  "log.showSignature=false",
  "commit.gpgSign=false",
  "http.followRedirects=initial",
  "http.lowSpeedLimit=1000",
  "http.lowSpeedTime=60",
  // The cache may belong to another user of the same service, as in a container's volume.
  "safe.directory=*",
  "protocol.allow=never",
  "protocol.https.allow=always",
  "protocol.http.allow=always",
];

/** Variables that git may inherit: for programs, trusted certificates and proxies. */
export const GIT_ENV = [
  "PATH",
  "SystemRoot",
  "TEMP",
  "TMP",
  "TMPDIR",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "GIT_SSL_CAINFO",
  "http_proxy",
  "https_proxy",
  "HTTPS_PROXY",
  "no_proxy",
  "NO_PROXY",
] as const;

/** Reads a variable if the process has permission; never prompts. */
function inherited(name: string): string | undefined {
  const permission = Deno.permissions.querySync({ name: "env", variable: name });
  return permission.state === "granted" ? Deno.env.get(name) : undefined;
}

export function gitEnvironment(extra: Readonly<Record<string, string>> = {}) {
  const environment: Record<string, string> = {};
  for (const name of GIT_ENV) {
    const value = inherited(name);
    if (value !== undefined) environment[name] = value;
  }
  return {
    ...environment,
    PATH: environment.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: "",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: nothing,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_LITERAL_PATHSPECS: "1",
    ...extra,
  };
}

/** See `GitOptions`. */
export interface ArgumentOptions {
  readonly gitDir?: string;
  readonly allowLocal?: boolean;
}

/** The full argument list, with our settings before the caller's arguments. */
export function gitArguments(args: readonly string[], options: ArgumentOptions = {}): string[] {
  return [
    ...SETTINGS.flatMap((setting) => ["-c", setting]),
    "-c",
    `protocol.file.allow=${options.allowLocal ? "always" : "never"}`,
    ...(options.gitDir === undefined ? [] : [`--git-dir=${options.gitDir}`]),
    "--no-pager",
    ...args,
  ];
}
