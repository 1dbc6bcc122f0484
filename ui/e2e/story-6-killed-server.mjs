import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { picture } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

/** The numbers of the lines of one kind that the page lists, scrolled through from first to last. */
function listed(page, word) {
  return page.evaluate(async (kind) => {
    const list = document.querySelector('[role="listbox"]');
    const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const seen = new Map();
    list.scrollTop = 0;
    for (;;) {
      await drawn();
      for (const row of list.querySelectorAll('[role="option"]')) {
        const found = new RegExp(`${kind} (\\d+)`).exec(row.textContent);
        if (found) seen.set(Number(row.ariaPosInSet), Number(found[1]));
      }
      const before = list.scrollTop;
      list.scrollTop += list.clientHeight / 2;
      if (list.scrollTop === before) return [...seen].sort((x, y) => x[0] - y[0]).map(([, n]) => n);
    }
  }, word);
}

area("story 6, a killed server", {}, (test) => {
  test("point 29: a page that is open over a kill goes on without a gap and without a double line", async ({
    server,
    open,
  }) => {
    const script = (name, text) => writeFile(join(server.workspace, name), text);
    await script("before.sh", "for i in $(seq 1 60); do echo before $i; done\n");
    await script("held.sh", "echo held\nwhile [ ! -e go ]; do sleep 0.05; done\n");
    await script("after.sh", "for i in $(seq 1 60); do echo after $i; done\n");
    const step = (id, file, more = {}) => ({
      id,
      handler: "vwmp.run_validators",
      name: id,
      config: { validators: [file], strict_mode: false },
      ...more,
    });
    await server.workflow(
      {
        name: "Through a kill",
        steps: [
          step("before", "before.sh"),
          step("held", "held.sh", { dependencies: ["before"], on_interrupt: "retry" }),
          step("after", "after.sh", { dependencies: ["held"] }),
        ],
      },
      "killed",
    );
    const id = await server.launch("killed");
    const page = await open(`/vwmp/executions/${id}?view=steps`, {
      allow: [/WebSocket|ERR_CONNECTION|Failed to load/],
    });
    await page.getByRole("listbox", { name: "Log lines" }).getByText("held", { exact: false }).last().waitFor();
    await server.kill();
    await page.getByText("Connection lost, trying again").waitFor();
    await picture(page, "story-6-1-lost");
    await writeFile(join(server.workspace, "go"), "");
    await server.start();
    await page.getByText("Connection lost, trying again").waitFor({ state: "detached", timeout: 30_000 });
    await page.locator("dl > div").filter({ hasText: "Result" }).getByText("Success").waitFor({ timeout: 30_000 });
    await picture(page, "story-6-2-done");

    const numbers = Array.from({ length: 60 }, (_, i) => i + 1);
    assert.deepEqual(await listed(page, "before"), numbers);
    assert.deepEqual(await listed(page, "after"), numbers);
    const { logs } = await server.api(`executions/${id}/logs/?limit=10000`);
    await page.getByText(`${logs.length} lines`).waitFor();
    const { step_results: steps } = await server.api(`executions/${id}/`);
    assert.equal(steps.before.attempts, 1, "what had ended was run again");
    assert.equal(steps.held.attempts, 2);
  });
});
