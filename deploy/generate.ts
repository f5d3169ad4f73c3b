/**
 * Writes the generated files in `deploy/` from the role table and the topology: `deno task
 * deploy-files`. `tests/deploy/` fails if they differ.
 */
import { generatedFiles } from "./files/generated.ts";

const root = new URL("..", import.meta.url);

if (import.meta.main) {
  for (const [path, text] of generatedFiles()) {
    const target = new URL(path, root);
    Deno.mkdirSync(new URL(".", target), { recursive: true });
    Deno.writeTextFileSync(target, text);
    console.log(path);
  }
}
