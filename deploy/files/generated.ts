/** The deployment files that are generated, with what they hold. */
import { alertsFile } from "./alerts.ts";
import { definitions } from "./broker_rights.ts";
import { systemdFiles } from "./units.ts";

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
