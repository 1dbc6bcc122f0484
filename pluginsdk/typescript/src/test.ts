// Tests: npm test
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import { hello, write } from "./plugin.js";
import { Invalid, Plugin, s, Workspace } from "./vwmp/index.js";
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
  await symlink("../.git", join(workspace.path, "b", "git"));
  for (const name of ["../a", "/etc/passwd", "out/passwd", "a/", "", "con.txt", "b/git/f.txt", "b/git/new"]) {
    await assert.rejects(workspace.readText(name), Invalid);
  }
});

/** Starts a program that ignores SIGTERM, by way of another one. */
const tree = "(trap '' TERM; exec sleep 600) & echo $! > new && mv new pid; wait";

/** The process that a tree started, as soon as it says so. */
async function grandchild(workspace: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    const text = await readFile(join(workspace, "pid"), "utf8").catch(() => "");
    if (text !== "") return Number(text);
    await wait(10, undefined, { signal });
  }
}

/** Waits until a process is gone, or only waits to be reaped. */
async function ended(pid: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    if ((await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")).includes(") Z ")) return;
    await wait(10, undefined, { signal });
  }
}

const unix = { skip: process.platform === "win32", timeout: 20_000 };

test("a cancelled step ends what its program started", unix, async ({ signal }) => {
  let pid = 0;
  const handler = new Plugin({ name: "tree", version: "1.0.0", description: "" }).handler("run", {
    name: "Run", description: "", category: "demo", effect: "unsafe", config: s.object({}), output: s.object({}),
    async execute(step) {
      const running = step.run("sh", ["-c", tree]);
      pid = await grandchild(step.workspace.path, signal);
      step.cancel(false);
      await running;
      return {};
    },
  });
  const result = await run(handler, {});
  assert.deepEqual([result.kind, result.error?.failureClass], ["failure", "cancelled"]);
  await ended(pid, signal);
});

test("a program that is not there is named", unix, async () => {
  const handler = new Plugin({ name: "tree", version: "1.0.0", description: "" }).handler("run", {
    name: "Run", description: "", category: "demo", effect: "unsafe", config: s.object({}), output: s.object({}),
    async execute(step) {
      await assert.rejects(step.run("no-such-program", []), { code: "ENOENT", path: "no-such-program" });
      return {};
    },
  });
  assert.equal((await run(handler, {})).kind, "success");
});

test("a program ends what it leaves running, and gives its code", unix, async ({ signal }) => {
  const workspace = await mkdtemp(join(tmpdir(), "vwmp-test-"));
  const handler = new Plugin({ name: "tree", version: "1.0.0", description: "" }).handler("run", {
    name: "Run", description: "", category: "demo", effect: "unsafe", config: s.object({}), output: s.object({ code: s.integer({}) }),
    execute: async (step) => ({ code: (await step.run("sh", ["-c", `${tree.replace("wait", "exit 3")}`])).code ?? -1 }),
  });
  assert.deepEqual((await run(handler, {}, { workspace })).output, { code: 3 });
  await ended(await grandchild(workspace, signal), signal);
});

test("a plugin that is killed takes along what its steps run", unix, async ({ signal }) => {
  const workspace = await mkdtemp(join(tmpdir(), "vwmp-test-"));
  const at = (name: string) => JSON.stringify(new URL(name, import.meta.url));
  // What runs kills the plugin as the first thing it does.
  const plugin = spawn(process.execPath, ["--input-type=module", "--eval", `
    import { Plugin, s } from ${at("./vwmp/index.js")};
    import { run } from ${at("./vwmp/testing.js")};
    const handler = new Plugin({ name: "tree", version: "1.0.0", description: "" }).handler("run", {
      name: "Run", description: "", category: "demo", effect: "unsafe", config: s.object({}), output: s.object({}),
      execute: (step) => step.run("sh", ["-c", ${JSON.stringify("trap '' TERM; echo $$ > pid; kill -s KILL $PPID; sleep 600; true")}]),
    });
    await run(handler, {}, { workspace: ${JSON.stringify(workspace)} });
  `], { stdio: "ignore" });
  await once(plugin, "exit", { signal });
  await ended(await grandchild(workspace, signal), signal);
  assert.equal(plugin.signalCode, "SIGKILL");
});
