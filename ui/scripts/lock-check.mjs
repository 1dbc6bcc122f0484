// Every optional dependency named in the lock must have an entry in it: one
// that lacks makes "npm ci" fail on the platform that needs it.
import { readFile } from "node:fs/promises";

const lock = JSON.parse(await readFile(new URL("../package-lock.json", import.meta.url), "utf8"));
const missing = [];
for (const [at, entry] of Object.entries(lock.packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    const nested = `${at}/node_modules/${name}`;
    if (!lock.packages[nested] && !lock.packages[`node_modules/${name}`]) missing.push(`${name}, needed by ${at}`);
  }
}
if (missing.length > 0) {
  console.error(`package-lock.json lacks:\n${missing.join("\n")}`);
  process.exit(1);
}
