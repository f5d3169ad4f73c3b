/** Requests as they stand: fetch would tidy their paths up before. */

/** Sends a request whose path is sent as given; resolves to the whole answer, its head too. */
export async function rawRequest(url: string, path: string, method = "GET"): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const request = `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  const bytes = new TextEncoder().encode(request);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  return await new Response(connection.readable).text();
}
