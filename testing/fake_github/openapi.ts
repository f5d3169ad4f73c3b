/**
 * GitHub's own description of its REST API, to check both the client's requests and the fake's
 * answers. `extract_description.ts` creates it. Only the operations used are compiled.
 */
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import description from "../data/github_openapi.json" with { type: "json" };

// deno-lint-ignore no-explicit-any
type Json = any;

/** The parts of a request that are checked. */
export interface RequestParts {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Json;
}

/** Errors that GitHub may answer to any operation, even if it does not list them. */
const COMMON_ERRORS = new Set([400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503]);

/** The description, ready to check requests and answers. */
export class OpenApi {
  readonly #document: Json = description;
  readonly #ajv = new Ajv({ strict: false, coerceTypes: false, allErrors: true });
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor() {
    (addFormats as unknown as (ajv: Ajv) => void)(this.#ajv);
  }

  /** A copy of an example from the description, as the base of an answer. */
  example(name: string): Json {
    const example = this.#document.components.examples[name];
    if (!example) throw new Error(`Cannot find example: ${name}`);
    return structuredClone(example.value);
  }

  /** What is wrong with a request; empty if it is as described. */
  checkRequest(method: string, template: string, parts: RequestParts): string[] {
    const operation = this.#operation(method, template);
    return [
      ...this.#checkParameters(operation, parts),
      ...this.#checkBody(`${method} ${template}`, operation, parts.body),
    ];
  }

  /** What is wrong with an answer of the fake; empty if it is as described. */
  checkResponse(
    method: string,
    template: string,
    { status, body }: { status: number; body?: Json },
  ): string[] {
    const described = this.#resolve(this.#operation(method, template).responses[String(status)]);
    if (!described && !COMMON_ERRORS.has(status)) return [`status ${status} is not described`];
    const schema = described?.content?.["application/json"]?.schema;
    if (!described) return this.#check("basic-error", { $ref: ref("basic-error") }, body);
    if (!schema) return body === undefined ? [] : [`status ${status} has no body`];
    return this.#check(`${method} ${template} ${status}`, schema, body);
  }

  #operation(method: string, template: string): Json {
    const operation = this.#document.paths[template]?.[method.toLowerCase()];
    if (!operation) throw new Error(`Cannot find operation: ${method} ${template}`);
    return operation;
  }

  #checkParameters(operation: Json, { path, query }: RequestParts): string[] {
    const parameters: Json[] = (operation.parameters ?? []).map((it: Json) => this.#resolve(it));
    const described = new Set(parameters.filter((it) => it.in === "query").map((it) => it.name));
    const unknown = [...query.keys()].filter((name) => !described.has(name))
      .map((name) => `query ${name}: not described`);
    const wrong = parameters.flatMap((parameter) => {
      const text = parameter.in === "path" ? path[parameter.name] : query.get(parameter.name);
      if (text === undefined || text === null) {
        return parameter.required ? [`${parameter.in} ${parameter.name}: missing`] : [];
      }
      const key = `parameter ${parameter.name} ${JSON.stringify(parameter.schema)}`;
      return this.#check(key, parameter.schema, coerce(text, parameter.schema));
    });
    return [...unknown, ...wrong];
  }

  #checkBody(name: string, operation: Json, body: Json): string[] {
    const described = operation.requestBody;
    if (!described) return body === undefined ? [] : ["body: none is described"];
    if (body === undefined) return described.required ? ["body: missing"] : [];
    const schema = described.content["application/json"].schema;
    const known = Object.keys(schema.properties ?? {});
    // GitHub refuses keys it does not know in the checks API ("is not a permitted key").
    const unknown = known.length === 0 ? [] : Object.keys(body)
      .filter((key) => !known.includes(key)).map((key) => `body ${key}: not described`);
    return [...unknown, ...this.#check(`${name} body`, schema, body)];
  }

  #check(key: string, schema: Json, value: Json): string[] {
    let validate = this.#compiled.get(key);
    if (!validate) {
      validate = this.#ajv.compile(this.#prepare(schema));
      this.#compiled.set(key, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).slice(0, 5).map((error) =>
      `${key} ${error.instancePath || "value"}: ${error.message} ${JSON.stringify(error.params)}`
    );
  }

  /** Follows a reference of the description. */
  #resolve(node: Json): Json {
    if (!node?.$ref) return node;
    return node.$ref.slice(2).split("/").reduce((at: Json, key: string) => at[key], this.#document);
  }

  /** A schema for ajv: `nullable` as in JSON Schema, references by name. */
  #prepare(node: Json): Json {
    if (Array.isArray(node)) return node.map((item) => this.#prepare(item));
    if (node === null || typeof node !== "object") return node;
    if (typeof node.$ref === "string") return { $ref: this.#component(node.$ref) };
    const { nullable, example: _example, examples: _examples, ...rest } = node;
    const prepared = Object.fromEntries(
      Object.entries(rest).map(([key, value]) => [key, this.#prepare(value)]),
    );
    return nullable === true ? { anyOf: [{ type: "null" }, prepared] } : prepared;
  }

  /** Registers a schema of the description once, with everything it refers to. */
  #component(pointer: string): string {
    const name = pointer.split("/").at(-1)!;
    const id = `https://openapi.test/${name}`;
    if (!this.#compiled.has(id)) {
      this.#compiled.set(id, (() => true) as unknown as ValidateFunction);
      this.#ajv.addSchema(this.#prepare(this.#document.components.schemas[name]), id);
    }
    return id;
  }
}

function ref(name: string): string {
  return `#/components/schemas/${name}`;
}

/** Converts a parameter's text to its schema's type. */
function coerce(text: string, schema: Json): unknown {
  if (schema.type === "integer" || schema.type === "number") {
    return /^-?\d+$/.test(text) ? Number(text) : text;
  }
  if (schema.type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return text;
}
