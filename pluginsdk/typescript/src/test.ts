// Tests: npm test
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { hello, write } from "./plugin.js";
import { run, undo } from "./vwmp/testing.js";

test("it greets twice", async () => {
  const result = await run(hello, { name: "Ada", times: 2 });
  assert.deepEqual(result.output, { greeting: "Hello, Ada!\nHello, Ada!" });
});

test("a wrong type is refused with its place", async () => {
  const result = await run(hello, { times: "often" });
  assert.deepEqual([result.kind, result.error?.code, result.error?.pointer], ["failure", "INVALID_INPUT", "/times"]);
});

test("undo restores the file", async () => {
  const result = await run(write, { path: "a.txt" }, { files: { "a.txt": "before" } });
  const file = join(result.workspace, "a.txt");
  assert.equal(await readFile(file, "utf8"), "Hello, world!\n");
  assert.equal((await undo(write, result)).kind, "success");
  assert.equal(await readFile(file, "utf8"), "before");
});
