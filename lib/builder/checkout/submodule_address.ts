/** Addresses of submodules as people write them. Pure. */

/**
 * The address to fetch a submodule from. A relative address is resolved against `base`. Builders
 * have no key, so an SSH or `git:` address becomes https, or the origin of `base` if it is on the
 * same host; both serve the same repositories (GitHub docs, "About remote repositories").
 */
export function submoduleAddress(address: string, base: string | undefined): string {
  const served = base === undefined ? undefined : overHttp(base, undefined);
  if (/^\.\.?(\/|$)/.test(address)) {
    return URL.parse(address, `${served?.replace(/\/+$/, "")}/`)?.href ?? address;
  }
  return overHttp(address, served);
}

function overHttp(address: string, served: string | undefined): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? URL.parse(address) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return withoutUser(address, url);
  if (url && ["ssh:", "git+ssh:", "ssh+git:", "git:"].includes(url.protocol)) {
    return onHost(url.hostname, url.pathname, served) ?? address;
  }
  // git-clone(1), "an alternative scp-like syntax"; a single letter is a drive.
  const scp = url === undefined && /^(?:[^@/:\s]+@)?([\w.-]{2,}):(?!:|\/\/)(.+)$/.exec(address);
  return scp ? onHost(scp[1]!, scp[2]!, served) ?? address : address;
}

function onHost(host: string, path: string, served: string | undefined): string | undefined {
  if (!/^[\w.-]+$/.test(host)) return undefined;
  const own = served === undefined ? null : URL.parse(served);
  const name = host.toLowerCase();
  const origin = own && [own.hostname, `ssh.${own.hostname}`].includes(name)
    ? own.origin
    : `https://${name}`;
  return `${origin}/${path.replace(/^\/+/, "")}`;
}

/** Removes a user name without a password: it is not a secret, and reading does not need it. */
function withoutUser(address: string, url: URL): string {
  return url.username !== "" && url.password === ""
    ? address.replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1")
    : address;
}
