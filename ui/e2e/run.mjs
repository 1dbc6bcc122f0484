// Runs the browser tests: "node e2e/run.mjs" all of them, "--smoke" the smoke,
// otherwise those whose file names hold one of the words given.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const smoke = process.argv.includes("--smoke");
const files = readdirSync(here)
  .filter((name) => name.endsWith(".mjs") && name !== "run.mjs")
  .filter((name) => (smoke ? name === "smoke.mjs" : words.length === 0 || words.some((word) => name.includes(word))))
  .map((name) => join(here, name));
if (files.length === 0) {
  console.error(`no browser test is called ${words.join(" or ")}`);
  process.exit(2);
}
const done = spawnSync(process.execPath, ["--test", "--test-concurrency=2", "--test-reporter=spec", ...files], {
  stdio: "inherit",
});
process.exit(done.status ?? 1);
