// Records runs of the built server for the tests of the fold: the events of
// each, its result at the end, and results while it stood still. Run it anew
// when events gain fields: node scripts/record-runs.mjs
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "../e2e/lib/server.mjs";

const target = join(dirname(fileURLToPath(import.meta.url)), "..", "src", "features", "run", "testdata");

const log = (id, more = "") => `{id: ${id}, handler: flow.log, config: {message: "says ${id}"}${more}}`;

const workflows = {
  chain: `name: Chain
steps:
  - ${log("one")}
  - ${log("left", ", dependencies: [one]")}
  - ${log("right", ', dependencies: [one], when: "1 > 2"')}
  - ${log("last", ", dependencies: [left, right]")}
`,
  failure: `name: Failure
steps:
  - ${log("one")}
  - {id: bad, handler: flow.fail, config: {message: It broke}, dependencies: [one]}
  - ${log("never", ", dependencies: [bad]")}
  - ${log("clean", ", run_on: always, dependencies: [bad]")}
`,
  items: `name: Items
steps:
  - {id: each, handler: flow.log, for_each: [a, b, c, d, e], max_parallel: 2, config: {message: "item \${item}"}}
  - {id: waits, handler: flow.wait, for_each: [10ms, 20ms, 5ms], max_parallel: 1, config: {duration: "\${item}"}}
  - {id: fails, handler: flow.fail, for_each: [1, 2], config: {message: "no \${item}"}, required: false, dependencies: [each]}
`,
  approval: `name: Approval
steps:
  - {id: go, handler: flow.approval, config: {message: Go?, approvers: [admin], form: {type: object, properties: {where: {type: string}}}}}
  - {id: mail, handler: flow.signal, config: {name: post}, dependencies: [go]}
  - {id: rest, handler: flow.wait, config: {duration: 20ms}, dependencies: [mail]}
  - ${log("done", ", dependencies: [rest]")}
`,
  child: `name: Parent
steps:
  - {id: run, handler: flow.workflow, config: {workflow: chain}}
  - {id: runs, handler: flow.workflow, for_each: [1, 2], config: {workflow: chain}, dependencies: [run]}
`,
  scripts: `name: Scripts
steps:
  - {id: check, handler: vwmp.run_validators, config: {validators: [check.sh]}}
  - ${log("after", ", dependencies: [check]")}
`,
  rollback: `name: Rollback
on_failure: rollback
steps:
  - {id: bump, handler: release.version_bump, config: {version_file: VERSION}}
  - {id: bad, handler: flow.fail, config: {message: It broke}, dependencies: [bump]}
`,
};

const server = await startServer();
try {
  await mkdir(target, { recursive: true });
  for (const [id, document] of Object.entries(workflows)) await server.workflow(document, id);
  await writeFile(join(server.workspace, "VERSION"), "1.2.3\n");
  await writeFile(
    join(server.workspace, "check.sh"),
    "echo one\nsleep 0.1\necho two\nwhile [ -e stay ]; do sleep 0.05; done\n",
  );
  await record("chain");
  await record("failure");
  await record("items");
  await record("child");
  await record("rollback");
  await record("approval", answerIt);
  await record("paused", pauseIt, "approval");
  await record("cancelled", cancelIt, "approval");
  await record("interrupted", killIt, "scripts");
  await retryOf("failure");
} finally {
  await server.remove();
}

async function record(name, during, workflow = name) {
  const id = await server.launch(workflow);
  const still = [];
  await during?.(id, async () => still.push(await standing(id)));
  await keep(name, id, still);
}

async function retryOf(workflow) {
  const first = await server.launch(workflow);
  await ended(first);
  const again = await server.api(`executions/${first}/retry/`, { method: "POST", body: {} });
  await keep("retried", again.execution_id, []);
}

async function keep(name, id, still) {
  const result = await ended(id);
  const { events } = await server.api(`executions/${id}/events/`);
  await writeFile(join(target, `${name}.json`), `${JSON.stringify({ events, still, result }, null, 1)}\n`);
  console.log(`${name}: ${events.length} events, ${result.status}`);
}

/** The result of a run that does nothing at the moment, with the number of its last event. */
async function standing(id) {
  const { events } = await server.api(`executions/${id}/events/`);
  return { seq: events.at(-1).seq, result: await server.api(`executions/${id}/`) };
}

async function until(id, is) {
  for (;;) {
    const result = await server.api(`executions/${id}/`);
    if (is(result)) return result;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function ended(id) {
  return until(id, ({ completed_at }) => completed_at);
}

async function answerIt(id, stand) {
  await until(id, ({ status }) => status === "waiting");
  await stand();
  await act(id, "steps/go/approve", { approved: true, data: { where: "here" } });
  await until(id, ({ step_results }) => step_results.mail.status === "waiting");
  await stand();
  await act(id, "signals/post", { letter: 1 });
}

async function pauseIt(id, stand) {
  await until(id, ({ status }) => status === "waiting");
  await act(id, "pause");
  await stand();
  await act(id, "resume");
  await stand();
  await act(id, "steps/go/approve", { approved: false, comment: "not today" });
}

async function cancelIt(id) {
  await until(id, ({ status }) => status === "waiting");
  await act(id, "cancel");
}

async function killIt(id, stand) {
  await writeFile(join(server.workspace, "stay"), "");
  await until(id, ({ step_results }) => step_results.check.log_count > 1);
  await server.kill();
  await server.start();
  await until(id, ({ status }) => status === "waiting");
  await stand();
  const { rm } = await import("node:fs/promises");
  await rm(join(server.workspace, "stay"));
  await act(id, "steps/check/resolve", { as: "retry" });
}

function act(id, what, body) {
  return server.api(`executions/${id}/${what}/`, { method: "POST", body });
}
