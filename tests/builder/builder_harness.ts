/** A builder under test: the real service over a real git server, with a broker that only takes notes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import type { Publication } from "../../lib/broker/broker.ts";
import { type Config, parseConfig } from "../../lib/config/config.ts";
import type { BuildJob } from "../../lib/messages/build_job.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { decode, encode } from "../../lib/messages/codec.ts";
import type { Consumer, HandlerResult, Service } from "../../lib/runtime/role.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { createService } from "../../services/builder.ts";
import {
  createMonorepo,
  type Files,
  type Monorepo,
  type ProjectInput,
} from "../../testing/monorepo.ts";
import { deliveryOf, RecordingBroker } from "../support/recording_broker.ts";

/** What a builder under test is made of. */
export interface BuilderHarnessOptions {
  readonly files?: Files;
  readonly projects?: readonly ProjectInput[];
  /** The configuration's `builder`. */
  readonly builder?: Record<string, unknown>;
  /** The configuration's `build`, beside the system. */
  readonly build?: Record<string, unknown>;
  /** The configuration's `runner`, beside the identity. */
  readonly runner?: Record<string, unknown>;
  readonly projectsInConfig?: readonly ProjectInput[];
  /** Whether the broker has a queue; it has all of them when absent. */
  readonly hasQueue?: (queue: string) => boolean;
}

/** Everything one job led to. */
export interface Built {
  readonly result: BuildResult;
  /** The lines of the log, in order. */
  readonly lines: readonly string[];
  readonly messages: readonly Message[];
  readonly outcome: HandlerResult;
}

/** A publication, decoded. */
export interface Message {
  readonly exchange: string;
  readonly routingKey: string;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

/** A builder that runs. */
export interface BuilderHarness extends AsyncDisposable {
  readonly monorepo: Monorepo;
  readonly config: Config;
  readonly service: Service;
  readonly consumer: Consumer<BuildJob>;
  /** Where jobs have their folders. */
  readonly jobsRoot: string;
  /** Opens a pull request with these files and resolves to its job. */
  pullRequest(files: Files, job?: Partial<BuildJob>): Promise<BuildJob>;
  /** Has a job built to its end; `tries` says how often it was tried. */
  build(job: BuildJob, options?: { tries: number }): Promise<Built>;
  /** Hands a message to whoever subscribes to an exchange. */
  send(exchange: string, message: unknown): void;
  /** What was published past the generator. */
  readonly published: Publication[];
}

/** Opens a builder. */
export async function openBuilderHarness(
  options: BuilderHarnessOptions = {},
): Promise<BuilderHarness> {
  const root = await Deno.makeTempDir({ prefix: "tickborg-bench-" });
  const monorepo = await createMonorepo({
    files: options.files ?? { "README": "hello\n" },
    ...(options.projects ? { projects: options.projects } : {}),
  });
  const config = parseConfig({
    runner: { identity: "harness", repos: [monorepo.fullName], ...options.runner },
    builder: options.builder ?? {},
    build: { system: hostSystem(), build_timeout_seconds: 300, ...options.build },
    checkout: { root: join(root, "checkout") },
    github: { api_url: "http://127.0.0.1:1" },
    ...(options.projectsInConfig ? { projects: options.projectsInConfig } : {}),
  });
  const broker = new RecordingBroker();
  const { hasQueue = () => true } = options;
  broker.facts = (queue) => hasQueue(queue) ? { ready: 0, consumers: 1 } : undefined;
  const close = async () => {
    await monorepo.close();
    await Deno.remove(root, { recursive: true });
  };
  const service = await createService({
    role: "builder",
    config,
    broker,
    log: getLogger(["test", "builder"]),
    now: Date.now,
    newId: () => crypto.randomUUID(),
    github: () => assert.fail("A builder does not use GitHub"),
  }).catch(async (error) => {
    await close();
    throw error;
  });
  const consumer: Consumer<BuildJob> = service.consumers[0]!;
  let pulls = 0;
  return {
    monorepo,
    config,
    service,
    consumer,
    published: broker.published,
    jobsRoot: join(root, "checkout", "jobs"),
    async pullRequest(files, job = {}) {
      const number = ++pulls;
      const headSha = await monorepo.commit(`change-${number}`, files);
      await monorepo.setPullHead(number, headSha);
      return jobFor(monorepo, number, headSha, job);
    },
    build: (job, turn) => drive(consumer, job, { stop: new AbortController().signal, ...turn }),
    send: (exchange, message) => broker.send(exchange, encode(message)),
    async [Symbol.asyncDispose]() {
      await service.close?.();
      await close();
    },
  };
}

/** A job for a pull request of the monorepo. */
export function jobFor(
  monorepo: Monorepo,
  number: number,
  headSha: string,
  job: Partial<BuildJob>,
): BuildJob {
  const { owner, name, fullName, cloneUrl } = monorepo;
  return {
    repo: { owner, name, full_name: fullName, clone_url: cloneUrl },
    pr: { target_branch: "main", number, head_sha: headSha },
    attrs: ["it"],
    request_id: crypto.randomUUID(),
    logs: ["logs", `${fullName}.${number}`.toLowerCase()],
    statusreport: ["build-results", null],
    ...job,
  };
}

/** One delivery of a job: what ends it, and which one it is. */
export interface DriveOptions {
  readonly stop: AbortSignal;
  readonly lost?: AbortSignal;
  readonly tries?: number;
}

/** Runs a consumer's handler as the runner does and gathers what it published. */
export async function drive(
  consumer: Consumer<BuildJob>,
  job: BuildJob,
  options: AbortSignal | DriveOptions,
  each?: (messages: readonly Message[]) => void | Promise<void>,
): Promise<Built> {
  const { stop, ...rest }: DriveOptions = options instanceof AbortSignal
    ? { stop: options }
    : options;
  const delivery = deliveryOf({ queue: "build-inputs", body: encode(job), ...rest });
  const progress = consumer.handle(consumer.decode(delivery), delivery, stop);
  assert.ok(Symbol.asyncIterator in progress);
  const messages: Message[] = [];
  try {
    let step = await progress.next();
    while (!step.done) {
      const batch = step.value.map(messageOf);
      messages.push(...batch);
      await each?.(batch);
      step = await progress.next();
    }
    messages.push(...step.value.publish.map(messageOf));
    const last = step.value.publish.find(({ exchange }) => exchange === "build-results");
    assert.ok(last, "No result was published");
    const result = decode(BuildResult, last.body);
    return { result, lines: linesOf(messages), messages, outcome: step.value };
  } finally {
    await progress.return(undefined as never);
  }
}

/** The log's lines, which must be numbered without a gap. */
export function linesOf(messages: readonly Message[]): string[] {
  const lines: string[] = [];
  for (const { body } of messages) {
    if (body.line_number === undefined) continue;
    assert.equal(body.line_number, lines.length + 1);
    for (const line of body.lines ?? [body.output]) lines.push(line);
  }
  return lines;
}

function messageOf({ exchange, routingKey, body }: Publication): Message {
  return { exchange, routingKey, body: JSON.parse(new TextDecoder().decode(body)) };
}
