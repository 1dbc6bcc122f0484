// Tests: npm test
import assert from "node:assert/strict";
import { mkdtemp, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { hello, write } from "./plugin.js";
import { Invalid, Workspace } from "./vwmp/index.js";
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

test("the workspace finds and keeps its files", async () => {
  const workspace = new Workspace(await mkdtemp(join(tmpdir(), "vwmp-test-")));
  for (const name of ["a.txt", "b/c.txt", "b/d/e.txt", ".git/f.txt"]) await workspace.write(name, name);
  assert.deepEqual(await workspace.glob("*.txt"), ["a.txt"]);
  assert.deepEqual(await workspace.glob("**/*.txt"), ["a.txt", "b/c.txt", "b/d/e.txt"]);
  assert.deepEqual(await workspace.glob("b/**"), ["b/c.txt", "b/d/e.txt"]);
  await symlink("/etc", join(workspace.path, "out"));
  for (const name of ["../a", "/etc/passwd", "out/passwd", "a/", "", "con.txt"]) {
    await assert.rejects(workspace.readText(name), Invalid);
  }
});
