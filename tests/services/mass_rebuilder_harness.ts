/** The mass-rebuilder under test, with a monorepo of three projects. */
import * as massRebuilder from "../../services/mass_rebuilder.ts";
import {
  type RoleHarness,
  type RoleHarnessOptions,
  startRoleHarness,
} from "../support/role_harness.ts";
import type { FakePull } from "../../testing/fake_github/state.ts";
import type { ProjectInput } from "../../testing/monorepo.ts";

/** Three projects, one of which depends on another. */
export const projects: ProjectInput[] = [
  { name: "core", path: "core", build_system: "Make", labels: ["core"] },
  { name: "ui", path: "ui", build_system: "Make", depends_on: ["core"], labels: ["interface"] },
  { name: "docs", path: "docs", build_system: "Make", systems: ["x86_64-linux"] },
];
/** Their files. */
export const files = {
  "core/a.c": "a\n",
  "ui/a.c": "a\n",
  "docs/a.md": "a\n",
  "README.md": "hello\n",
};
/** Ada is trusted. */
export const trusted = { runner: { trusted_users: ["Ada"] } };

/** A mass-rebuilder under test. */
export function harness(options: Partial<RoleHarnessOptions> = {}): Promise<RoleHarness> {
  return startRoleHarness(massRebuilder, { files, projects, config: trusted, ...options });
}

/** The newest status of a pull request's head: `success: what it says`. */
export function status({ repository }: RoleHarness, pull: FakePull) {
  const [newest] = repository.statuses(pull.headSha);
  return `${newest?.state}: ${newest?.description}`;
}
