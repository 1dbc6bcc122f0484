// A step that runs for as long as a test wants it to.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Puts a script into a server's workspace that ends once the gate is open. */
export async function gate(server, name = "gate") {
  const open = join(server.workspace, `${name}.open`);
  await mkdir(server.workspace, { recursive: true });
  await writeFile(join(server.workspace, `${name}.sh`), `while [ ! -e "${open}" ]; do sleep 0.05; done\n`);
  return {
    /** The step that waits at it. */
    step: { id: "gate", handler: "vwmp.run_validators", config: { validators: [`${name}.sh`], strict_mode: false } },
    open: () => writeFile(open, ""),
    close: () => rm(open, { force: true }),
  };
}
