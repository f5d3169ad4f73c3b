/** A sub-project of the repository, as `projects` and `.tickborg.json` list it. */
import * as z from "zod";
import { ProjectName } from "../messages/build_job.ts";
import { SYSTEMS } from "../messages/systems.ts";
import { secretIn } from "../text/redacted.ts";
import { shortened } from "../text/utf8.ts";

/** A text of 1 to `most` characters. */
export function words(most: number) {
  return z.string().refine((text) => text.length >= 1 && text.length <= most, {
    error: `expected 1 to ${most} characters`,
  });
}

/** Whole seconds. */
export const Seconds = z.number().int().min(1);

/** A system's name on the wire. */
export const SystemName = z.enum(SYSTEMS, { error: `expected one of ${SYSTEMS.join(", ")}` });

/** One step's words; no shell splits or expands them. */
const Words = z.array(z.string().max(4_096)).max(200);

/** A folder inside the repository: relative, `/` between parts, no `..`. */
const ProjectPath = z.string().max(1_024).refine(
  (path) =>
    path === "." || (!path.startsWith("/") && !path.includes("\0") && !path.includes("\\") &&
      path.split("/").every((part) => part !== "" && part !== "." && part !== "..")),
  {
    error: ({ input }) =>
      `expected a relative path inside the repository, or .${tidied(String(input))}`,
  },
);

/** What a path that is only written in another way should be. */
function tidied(path: string): string {
  if (path.includes("://") || secretIn(path) !== undefined) return "";
  const parts = path.replaceAll("\\", "/").split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0 || parts.includes("..") || path.includes("\0")) return "";
  return `, such as ${shortened(parts.join("/"))}`;
}

/** A sub-project of the repository. */
export const Project = z.strictObject({
  name: ProjectName,
  path: ProjectPath,
  build_system: z.union([
    z.enum(["CMake", "Meson", "Autotools", "Cargo", "Gradle", "Make"]),
    z.strictObject({ Custom: z.strictObject({ command: z.string().min(1).max(10_000) }) }),
  ], {
    error: 'expected CMake, Meson, Autotools, Cargo, Gradle, Make or {"Custom": {"command": "…"}}',
  }),
  build_timeout_seconds: Seconds.max(7 * 86_400).optional(),
  configure_args: Words.default([]),
  build_args: Words.default([]),
  /** Run by `sh -c` (`cmd /c` on Windows) in the project's folder instead of the build system's own tests. */
  test_command: z.string().min(1).max(10_000).optional(),
  /** Whether pull requests and pushes are tested and not only built; the list's own default when absent. */
  test: z.boolean().optional(),
  /** Systems the project builds on; all that have a builder when absent. */
  systems: z.array(SystemName).optional(),
  /** Names of projects that this one needs: it is rebuilt when they change. */
  depends_on: z.array(ProjectName).max(500).default([]),
  labels: z.array(z.string().min(1).max(50)).max(20).default([]),
});
export type Project = z.infer<typeof Project>;

type Context = z.core.$RefinementCtx;

/** A project list: names are unique and dependencies exist. */
export const Projects = z.array(Project).max(2_000).superRefine(checkNames, {
  // Whatever else is wrong: every mistake is named at once.
  when: () => true,
});

/** What the list holds may be no project: it is looked at as it was found. */
function checkNames(list: unknown, context: Context): void {
  if (!Array.isArray(list)) return;
  const projects = list.map((item): Partial<Project> => item instanceof Object ? item : {});
  const known = new Set<unknown>();
  const mistake = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  projects.forEach(({ name }, index) => {
    if (typeof name === "string" && known.has(name)) {
      mistake([index, "name"], `${shortened(name)} stands twice`);
    }
    known.add(name);
  });
  projects.forEach(({ depends_on }, index) => {
    if (!Array.isArray(depends_on)) return;
    depends_on.forEach((name: unknown, position) => {
      if (typeof name !== "string" || known.has(name)) return;
      mistake([index, "depends_on", position], `no project is named ${shortened(name)}`);
    });
  });
}

/** A label that Tickborg puts on pull requests which touch a path or whose title says a word. */
export const LabelRule = z.strictObject({
  name: z.string().min(1).max(50),
  /** Paths or patterns: `*` stands for part of a name, `**` for any folders. */
  paths: z.array(z.string().min(1).max(1_024)).max(200).default([]),
  /** Types or scopes of a conventional title: `fix` and `ui` both match `fix(ui): …`. */
  titles: z.array(z.string().min(1).max(100)).max(200).default([]),
});
export type LabelRule = z.infer<typeof LabelRule>;
