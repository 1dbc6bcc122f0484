// The plugin greeter.
import { Plugin, s } from "./vwmp/index.js";

export const plugin = new Plugin({ name: "greeter", version: "1.0.0", description: "Greets people, in words and in files." });

export const hello = plugin.handler("hello", {
  name: "Say hello", description: "Greets somebody.", category: "demo", icon: "message-circle", tags: ["greeting"], effect: "pure",
  config: s.object({
    name: s.string({ title: "Whom to greet", description: "A name.", default: "world", maxLength: 200 }),
    times: s.integer({ title: "Times", description: "How often.", default: 1, minimum: 1, maximum: 10 }),
  }),
  output: s.object({ greeting: s.string({ title: "Greeting" }) }),
  example: { name: "Ada" },
  execute(step, config) {
    step.log.info("greeting", { whom: config.name });
    return { greeting: Array<string>(config.times).fill(`Hello, ${config.name}!`).join("\n") };
  },
});

export const write = plugin.handler("write", {
  name: "Write a greeting", description: "Writes a greeting into a file.", category: "demo", icon: "file-pen", effect: "idempotent",
  config: s.object({
    path: s.string({ title: "File", description: "Where to write it, in the workspace.", default: "greeting.txt", minLength: 1 }),
    name: s.string({ title: "Whom to greet", default: "world", maxLength: 200 }),
  }),
  output: s.object({ path: s.string({ title: "File" }), bytes: s.integer({ title: "Size" }) }),
  example: { path: "ada.txt", name: "Ada" },
  async execute(step, config) {
    const text = `Hello, ${config.name}!\n`;
    const before = (await step.workspace.exists(config.path)) ? await step.workspace.readText(config.path) : null;
    step.effect("create", config.path);
    await step.workspace.write(config.path, text);
    step.effect("create", config.path, { done: true });
    step.setUndo({ path: config.path, before });
    return { path: config.path, bytes: Buffer.byteLength(text) };
  },
  async plan(step, config) {
    const action = (await step.workspace.exists(config.path)) ? "update" : "create";
    return [{ action, target: config.path, summary: `Writes a greeting for ${config.name}.` }];
  },
  async undo(step, token: { path: string; before: string | null }) {
    if (token.before !== null) await step.workspace.write(token.path, token.before);
    else if (await step.workspace.exists(token.path)) await step.workspace.remove(token.path);
  },
  validate: (config) => (config.path.endsWith(".txt") ? [] : [{ pointer: "/path", message: "letters are .txt files", severity: "warning" }]),
});

plugin.handler("wait", {
  name: "Wait", description: "Waits, and ends at once when it is cancelled.", category: "demo", icon: "clock", effect: "pure",
  config: s.object({ seconds: s.number({ title: "Seconds", default: 0.2, minimum: 0, maximum: 60 }) }),
  output: s.object({}),
  example: { seconds: 0.2 },
  async execute(step, config) {
    step.progress(0, "waiting");
    await step.sleep(config.seconds);
    return {};
  },
});
