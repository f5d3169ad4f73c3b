import * as z from "zod";

/** A label for pull requests that touch a path or have a word in the title. */
export const LabelRule = z.strictObject({
  name: z.string().min(1).max(50),
  /** Paths or patterns: `*` matches part of a name, `**` any folders. */
  paths: z.array(z.string().min(1).max(1_024)).max(200).default([]),
  /** Types or scopes of a conventional title: `fix` and `ui` both match `fix(ui): …`. */
  titles: z.array(z.string().min(1).max(100)).max(200).default([]),
});
export type LabelRule = z.infer<typeof LabelRule>;
