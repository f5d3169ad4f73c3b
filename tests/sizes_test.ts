/** Files, functions and parameter lists are small (`docs/style.md`). */
import assert from "node:assert/strict";
import { filesIn, findings, linesOf } from "./support/sources.ts";

const SHIPPED = ["commands", "deploy", "lib", "services", "testing"]
  .flatMap((folder) => filesIn(folder, ".ts")).concat("main.ts");

const FILE_LINES = 250;
/** Of a body with its braces, without the functions inside it. */
const FUNCTION_LINES = 40;
const PARAMETERS = 3;

/** Nothing but data. */
const DATA = ["tests/report/error_samples.ts"];

type Function =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

/** Finds functions that are too long or take too much. */
const small: Deno.lint.Rule = {
  create: (context) => {
    const linesOf = (node: Function) =>
      node.body ? context.sourceCode.getText(node.body).split("\n").length : 0;
    /** Lines of the functions inside of each that is open, the innermost last. */
    const inner: number[] = [0];
    const leave = (node: Function) => {
      const { params } = node;
      if (params.length > PARAMETERS) {
        context.report({ node, message: `${params.length} parameters` });
      }
      const all = linesOf(node);
      const own = all - inner.pop()!;
      if (own > FUNCTION_LINES) context.report({ node, message: `${own} lines` });
      inner[inner.length - 1]! += Math.max(all - 1, 0);
    };
    const enter = () => {
      inner.push(0);
    };
    return {
      FunctionDeclaration: enter,
      FunctionExpression: enter,
      ArrowFunctionExpression: enter,
      "FunctionDeclaration:exit": leave,
      "FunctionExpression:exit": leave,
      "ArrowFunctionExpression:exit": leave,
    };
  },
};

Deno.test(`no function has more than ${FUNCTION_LINES} lines or ${PARAMETERS} parameters`, () => {
  const long = `{${"\n".repeat(FUNCTION_LINES)}}`;
  for (
    const [text, found] of [
      [`const f = () => ${long};`, ["a.ts:1 41 lines"]],
      [`class A {\n  async *f(a, b = 1, ...c) ${long} }`, ["a.ts:2 41 lines"]],
      ["function f(a, { b }, [c], d) {}", ["a.ts:1 4 parameters"]],
      ["function f(a, b, c) {}", []],
      [`function f() {\n  g(() => ${long});\n}`, ["a.ts:2 41 lines"]],
    ] as const
  ) assert.deepEqual(findings(small, "a.ts", text), found, text);
  assert.deepEqual(SHIPPED.flatMap((path) => findings(small, path)), []);
});

Deno.test(`no file has more than ${FILE_LINES} lines`, () => {
  const long = [...SHIPPED, ...filesIn("tests", ".ts")]
    .map((path) => ({ path, lines: linesOf(path).length }))
    .filter(({ path, lines }) => lines > FILE_LINES && !DATA.includes(path));
  assert.deepEqual(long, []);
});
