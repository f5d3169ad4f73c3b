/** The generated deployment files. */
import { alertsFile } from "./alerts.ts";
import { definitions } from "./broker_rights.ts";
import { systemdFiles } from "./units.ts";

/** Path in the repository and content of every generated file. */
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
