/** A recorded webhook of 21 KB: a pull request was opened. */
import examples from "@octokit/webhooks-examples" with { type: "json" };

interface Payload {
  action?: string;
  repository: { full_name: string; name: string; owner: Record<string, unknown> };
}

/** The payload as GitHub sends it, for a repository of the bench. */
export function pullRequestOpened(fullName: string): Uint8Array<ArrayBuffer> {
  const recorded = (examples as unknown as { name: string; examples: Payload[] }[])
    .find(({ name }) => name === "pull_request")!.examples
    .find(({ action }) => action === "opened")!;
  const payload = structuredClone(recorded);
  const [owner, name] = fullName.split("/") as [string, string];
  payload.repository.full_name = fullName;
  payload.repository.name = name;
  payload.repository.owner.login = owner;
  return new TextEncoder().encode(JSON.stringify(payload));
}
