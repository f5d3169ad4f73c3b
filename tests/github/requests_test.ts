import assert from "node:assert/strict";
import { PAGE, Requests } from "../../lib/github/requests.ts";
import type { AppTransport } from "../../lib/github/transport.ts";

const repo = { owner: "acme", name: "mono" };

/** Reads a list of so many entries; gives them and how many pages were asked for. */
async function readList(length: number): Promise<{ entries: number[]; asked: number }> {
  const list = Array.from({ length }, (_, index) => index);
  let asked = 0;
  const transport = {
    asInstallation: (_repo: unknown, _purpose: unknown, send: (request: unknown) => unknown) => {
      asked++;
      return send(undefined);
    },
  } as unknown as AppTransport;
  const entries = await new Requests(transport, 1).on(repo).pages("list", (_request, { page }) => {
    return Promise.resolve({ data: list.slice((page - 1) * PAGE, page * PAGE) });
  });
  return { entries, asked };
}

Deno.test("a list is read to its end, and one without end to a bound", async () => {
  const cases: [length: number, read: number, asked: number][] = [
    [0, 0, 1],
    [99, 99, 1],
    [100, 100, 2],
    [7_300, 7_300, 74],
    [1_000_000, 10_000, 100],
  ];
  for (const [length, read, asked] of cases) {
    const result = await readList(length);
    assert.deepEqual([result.entries.length, result.asked], [read, asked], `${length}`);
    assert.equal(new Set(result.entries).size, read);
  }
});
