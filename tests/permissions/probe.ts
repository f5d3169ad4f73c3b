/**
 * Tries what it is told to, one thing a JSON argument, and prints a JSON object: for each what became of
 * it, `done` or the name of the error. Deno's refusal is called NotCapable.
 */
import { connect } from "node:net";

/** One thing to try. */
export type Attempt =
  | { readonly kind: "read" | "write" | "import"; readonly path: string }
  | { readonly kind: "net"; readonly hostname: string; readonly port: number }
  | { readonly kind: "listen"; readonly hostname: string; readonly port: number }
  | { readonly kind: "run"; readonly program: string }
  | { readonly kind: "env"; readonly variable: string }
  | { readonly kind: "sys" | "ffi" };

async function attempt(what: Attempt): Promise<void> {
  switch (what.kind) {
    case "read":
      await Deno.readTextFile(what.path);
      break;
    case "write":
      await Deno.writeTextFile(what.path, "");
      break;
    case "import":
      await import(what.path);
      break;
    case "net":
      await connected(what);
      break;
    case "listen":
      Deno.listen(what).close();
      break;
    case "run":
      await new Deno.Command(what.program, { clearEnv: true, stdin: "null" }).output();
      break;
    case "env":
      Deno.env.get(what.variable);
      break;
    case "sys":
      Deno.hostname();
      break;
    case "ffi":
      Deno.dlopen("libc.so.6", {});
      break;
  }
}

/** By node:net, as the AMQP client does it. */
function connected({ hostname, port }: { hostname: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port }, () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

/** How Deno refuses: import and node:net wrap it in errors of their own, and a name is not even looked up. */
const REFUSAL = /^Requires \S+ access to|^getaddrinfo EPERM /;

const outcomes: Record<string, string> = {};
for (const argument of Deno.args) {
  try {
    await attempt(JSON.parse(argument));
    outcomes[argument] = "done";
  } catch (error) {
    const { name, message } = error as Error;
    outcomes[argument] = REFUSAL.test(message) ? "NotCapable" : `${name}: ${message}`;
  }
}
console.log(JSON.stringify(outcomes));
Deno.exit(0);
