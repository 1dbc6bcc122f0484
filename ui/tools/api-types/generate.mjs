// Writes src/api/schema.gen.ts from the OpenAPI document of a built server,
// or with --check fails where the committed file is not what it would write.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import openapi, { astToString } from "openapi-typescript";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const target = join(root, "ui", "src", "api", "schema.gen.ts");

async function description() {
  const dir = await mkdtemp(join(tmpdir(), "vwmp-api-types-"));
  const server = spawn(
    join(root, "bin", "vwmp"),
    ["serve", "--auth", "none", "--addr", "127.0.0.1:0", "--data", dir, "--workspace", dir],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    const address = await new Promise((resolve, reject) => {
      let said = "";
      server.stdout.on("data", (chunk) => {
        said += chunk;
        const found = /serves on (http:\/\/\S+)/.exec(said);
        if (found) resolve(found[1]);
      });
      server.on("error", reject);
      server.on("exit", () => reject(new Error(`the server ended: ${said}`)));
    });
    const answer = await fetch(new URL("/openapi.json", address));
    if (!answer.ok) throw new Error(`/openapi.json answers ${answer.status}`);
    return await answer.json();
  } finally {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    if (server.exitCode === null && server.kill()) await ended;
    await rm(dir, { recursive: true, force: true });
  }
}

const document = await description();
// The version changes with every commit and is no part of the types.
document.info.version = "";
const text = `// Made by "make generate" from the server's OpenAPI document. Do not edit.\n\n${astToString(await openapi(document))}`;
if (process.argv.includes("--check")) {
  if ((await readFile(target, "utf8")) !== text) {
    console.error("ui/src/api/schema.gen.ts is not what the server describes; run make generate");
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
