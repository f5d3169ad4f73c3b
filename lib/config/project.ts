/** A project in `projects` or `.tickborg.json`. */
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

/** Arguments of a step, without a shell. */
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

/** The normal form of a path that is only written differently. */
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
  /** Replaces the build system's tests; `sh -c` (`cmd /c` on Windows) in the project's folder. */
  test_command: z.string().min(1).max(10_000).optional(),
  /** Whether to test pull requests and pushes; the list's own default when absent. */
  test: z.boolean().optional(),
  /** Systems the project builds on; all of the fleet when absent. */
  systems: z.array(SystemName).optional(),
  /** Projects that this one needs: it is rebuilt when they change. */
  depends_on: z.array(ProjectName).max(500).default([]),
  labels: z.array(z.string().min(1).max(50)).max(20).default([]),
});
export type Project = z.infer<typeof Project>;

type Context = z.core.$RefinementCtx;

/** A project list: names are unique and dependencies exist. */
export const Projects = z.array(Project).max(2_000).superRefine(checkNames, {
  // Also after other mistakes, to report all of them together.
  when: () => true,
});

/** The list may hold invalid projects, so every field is checked here. */
function checkNames(list: unknown, context: Context): void {
  if (!Array.isArray(list)) return;
  const projects = list.map((item): Partial<Project> => item instanceof Object ? item : {});
  const known = new Set<unknown>();
  const mistake = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  projects.forEach(({ name }, index) => {
    if (typeof name === "string" && known.has(name)) {
      mistake([index, "name"], `duplicate name ${shortened(name)}`);
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

/** A label for pull requests that touch a path or have a word in the title. */
export const LabelRule = z.strictObject({
  name: z.string().min(1).max(50),
  /** Paths or patterns: `*` matches part of a name, `**` any folders. */
  paths: z.array(z.string().min(1).max(1_024)).max(200).default([]),
  /** Types or scopes of a conventional title: `fix` and `ui` both match `fix(ui): …`. */
  titles: z.array(z.string().min(1).max(100)).max(200).default([]),
});
export type LabelRule = z.infer<typeof LabelRule>;
