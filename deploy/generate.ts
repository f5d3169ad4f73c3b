/**
 * Writes the files of `deploy/` that come from the role table and the topology: `deno task deploy-files`.
 * `tests/deploy/` fails while they differ.
 */
import { alertsFile } from "./files/alerts.ts";
import { definitions } from "./files/broker_rights.ts";
import { systemdFiles } from "./files/units.ts";

const root = new URL("..", import.meta.url);

if (import.meta.main) {
  for (const [path, text] of generatedFiles()) {
    const target = new URL(path, root);
    Deno.mkdirSync(new URL(".", target), { recursive: true });
    Deno.writeTextFileSync(target, text);
    console.log(path);
  }
}

/** Every generated file: its path in the repository and its text. */
export function generatedFiles(): Map<string, string> {
  return new Map([
    ...[...systemdFiles()].map(([name, text]): [string, string] => [
      `deploy/systemd/${name}`,
      text,
    ]),
    ["deploy/rabbitmq/definitions.json", `${JSON.stringify(definitions(), null, 2)}\n`],
    ["deploy/prometheus/alerts.yml", alertsFile()],
  ]);
}
