/** Stories that chance seldom tells. */
import type { Action } from "./people.ts";
import { COMMANDS } from "./people.ts";
import { tell } from "./rules.ts";
import { makeStage } from "./world.ts";

const plain = { which: 0, head: 1, base: 0, command: 0, draft: false } as const;
function does(who: Action["who"], what: Action["what"], more: Partial<Action> = {}): Action {
  return { ...plain, who, what, ...more };
}
function asks(who: Action["who"], command: string, which = 0): Action {
  return does(who, "comment", { which, command: COMMANDS.indexOf(command) });
}

const STORIES: Readonly<Record<string, readonly Action[]>> = {
  "a build that is asked for after the base moved": [
    does("carl", "open"),
    does("ada", "move base"),
    asks("carl", "build b"),
  ],
  "a base that moves while builds are asked for": [
    does("carl", "open"),
    asks("carl", "build b"),
    does("ada", "move base"),
    asks("carl", "build b"),
    does("ada", "move base", { which: 1 }),
    asks("carl", "eval"),
  ],
  "a copy, and the first one is closed": [
    does("carl", "open"),
    does("mallory", "open"),
    does("carl", "close"),
  ],
  "a copy, and the first one goes to another base": [
    does("carl", "open"),
    does("mallory", "open"),
    does("carl", "retarget", { base: 1 }),
  ],
  "a copy, and the first one is pushed to and comes back": [
    does("carl", "open"),
    does("mallory", "open"),
    does("carl", "push", { head: 0 }),
    does("carl", "push"),
  ],
  "a trusted person's copy of a stranger's, closed again": [
    does("mallory", "open"),
    does("carl", "open"),
    does("ada", "open"),
    does("ada", "close"),
  ],
  "a test of another's change and a build after it": [
    does("carl", "open", { head: 0 }),
    asks("carl", "test a"),
    asks("carl", "build a"),
    asks("carl", "eval"),
  ],
};

for (const [name, actions] of Object.entries(STORIES)) {
  Deno.test(`The rules hold for ${name}`, async () => {
    const stage = await makeStage();
    try {
      for (let seed = 1; seed <= 8; seed++) {
        const calm = actions.map((_, at) => seed % 2 === 0 || at % 3 !== seed % 3);
        await tell(stage, { seed, flaky: false, actions, calm });
      }
    } finally {
      await stage.close();
    }
  });
}
