// A server on data that looks used: a dozen workflows and two weeks of
// executions. For pictures, and for pages that need more than a row.
import { spawnSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, Server } from "./server.mjs";

export async function startSeeded(options = {}) {
  const dir = await mkdtemp(join(tmpdir(), "vwmp-seed-"));
  const seeded = spawnSync(join(root, "scripts", "seed.sh"), [dir], { encoding: "utf8" });
  if (seeded.status !== 0) throw new Error(`seed.sh: ${seeded.stdout}${seeded.stderr}`);
  const server = new Server(dir, { ...options, workspace: join(dir, "repo") });
  try {
    return await server.start();
  } catch (error) {
    await server.remove();
    throw error;
  }
}
