import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { defaultLimits } from "../../lib/github/client.ts";
import { GITHUB_WRITE_LIMITS, WriteLimiter, writeWait } from "../../lib/github/write_limit.ts";

Deno.test("how long a write waits follows from those before it", () => {
  const limits = [{ count: 2, windowMs: 100 }, { count: 3, windowMs: 1_000 }];
  const cases: [times: number[], now: number, wait: number][] = [
    [[], 0, 0],
    [[0], 1, 0],
    [[0, 10], 20, 80],
    [[0, 10], 100, 0],
    [[0, 10, 200], 300, 700],
    [[0, 10, 200], 1_000, 0],
  ];
  for (const [times, now, wait] of cases) {
    assert.equal(writeWait(times, limits, now), wait, JSON.stringify([times, now]));
  }
  assert.equal(writeWait(Array(1_000).fill(0), [], 0), 0);
});

Deno.test("an hour under GitHub's limits sees at most 80 writes a minute and 500 in all", async () => {
  let now = 0;
  const limiter = new WriteLimiter(GITHUB_WRITE_LIMITS, () => now);
  const written: number[] = [];
  while (now < 3_600_000) {
    try {
      await limiter.pass();
      written.push(now);
    } catch (error) {
      assert.ok(error instanceof TransientFault);
      assert.ok(error.retryAfterMs! > 5_000);
      now += error.retryAfterMs!;
    }
  }
  assert.equal(written.length, 500);
  for (const start of written) {
    assert.ok(written.filter((at) => at >= start && at < start + 60_000).length <= 80);
  }
});

Deno.test("writes are limited where GitHub limits them", () => {
  const cases: [apiUrl: string, limited: boolean][] = [
    ["https://api.github.com", true],
    ["https://api.acme.ghe.com", true],
    ["https://github.acme.example/api/v3", false],
    ["https://github.com.evil.example", false],
  ];
  for (const [apiUrl, limited] of cases) {
    assert.deepEqual(defaultLimits(apiUrl), limited ? GITHUB_WRITE_LIMITS : [], apiUrl);
  }
});
