import * as z from "zod";

/** A label that Tickborg puts on pull requests which touch a path or whose title says a word. */
export const LabelRule = z.strictObject({
  name: z.string().min(1).max(50),
  /** Paths or patterns: `*` stands for part of a name, `**` for any folders. */
  paths: z.array(z.string().min(1).max(1_024)).max(200).default([]),
  /** Types or scopes of a conventional title: `fix` and `ui` both match `fix(ui): …`. */
  titles: z.array(z.string().min(1).max(100)).max(200).default([]),
});
export type LabelRule = z.infer<typeof LabelRule>;
