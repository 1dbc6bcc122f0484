import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { expectAccessible } from "../../tests/axe";
import { ApiError, type Problem, send } from "../api/client";
import { ErrorNotice } from "./ErrorNotice";
import { LiveRegions } from "./LiveRegions";

const doing = "The workflow could not be saved";

afterEach(() => vi.unstubAllGlobals());

/** What a request is refused with when the server gives this answer. */
async function refusal(answer: () => Promise<Response>): Promise<unknown> {
  vi.stubGlobal("fetch", answer);
  return send("/api/vwmp/workflows/").then(
    () => expect.fail("it was not refused"),
    (error: unknown) => error,
  );
}

function problem(status: number, more: Partial<Problem> = {}): ApiError {
  return new ApiError({
    type: "about:blank",
    title: "Refused",
    status,
    detail: "The name is taken.",
    error_code: "SOME_CODE",
    request_id: "req-7",
    ...more,
  });
}

/** Draws the notice and gives its text, which never holds a bare code, markup or a stack. */
function told(error: unknown): string {
  render(<ErrorNotice error={error} doing={doing} />);
  const text = screen.getByRole("group", { name: new RegExp(`^${doing}`) }).textContent;
  expect(text).not.toMatch(/SOME_CODE|<\/?\w+>|[{}]|\bat .+:\d+:\d+|Error:/);
  return text;
}

const byStatus: [number, string][] = [
  [401, "you are signed out. Sign in again; what you typed is kept."],
  [403, "the name is taken. Your role lacks the right. Ask an administrator."],
  [404, "the name is taken. It may have been deleted meanwhile. Go back to the list."],
  [409, "the name is taken. Something changed meanwhile. Look at it again, then decide."],
  [412, "the name is taken. Something changed meanwhile. Look at it again, then decide."],
  [413, "the name is taken. Make it smaller, then try again."],
  [422, "the name is taken. Correct it, then try again."],
  [429, "the name is taken. Wait a moment, then try again."],
  [503, "the name is taken. Wait a moment, then try again."],
  [500, "the name is taken. Try again. If it stays, give the request id to whoever runs the server."],
  [502, "the name is taken. Try again. If it stays, give the request id to whoever runs the server."],
];

test.each(byStatus)("%i says what happened and what to do, and gives the request id to copy", async (status, text) => {
  const user = userEvent.setup();
  expect(told(problem(status)).replaceAll(/\.(?=[A-Z])/g, ". ")).toContain(`${doing}: ${text}`);
  await user.click(screen.getByRole("button", { name: "Copy request id" }));
  expect(await navigator.clipboard.readText()).toBe("req-7");
  expect(await screen.findByRole("button", { name: "Copied" })).toBeInTheDocument();
});

test("without a request id there is nothing to copy", () => {
  told(problem(500, { request_id: undefined }));
  expect(screen.queryByRole("button")).toBeNull();
});

test("an answer that is no problem document, such as a proxy's page, is told of without its words", async () => {
  const headers = { "Content-Type": "text/html", "X-Request-Id": "req-from-header" };
  const body = "<html><h1>Bad gateway</h1><pre>at proxy (/srv/proxy.js:12:34)</pre></html>";
  const error = await refusal(async () => new Response(body, { status: 502, statusText: "Bad Gateway", headers }));
  const text = told(error);
  expect(text).toContain(`${doing}: the server answered with status 502 and no explanation.`);
  expect(text).toContain("Try again.");
  expect(text).not.toContain("gateway");
  expect(screen.getByRole("button", { name: "Copy request id" })).toBeInTheDocument();
});

test("JSON that is no problem document is no explanation either", async () => {
  const error = await refusal(async () => Response.json({ error: "SOME_CODE" }, { status: 500 }));
  expect(told(error)).toContain("the server answered with status 500 and no explanation.");
});

test("a server that does not answer is told of as that", async () => {
  const error = await refusal(() => Promise.reject(new TypeError("Failed to fetch")));
  const text = told(error);
  expect(text).toContain(`${doing}: the server did not answer.`);
  expect(text).toContain("Check that it runs and that you are connected, then try again.");
  expect(text).not.toContain("Failed to fetch");
});

test("a fault of the page itself shows no stack, and no words meant for its authors", () => {
  const text = told(new TypeError("undefined is not a function"));
  expect(text).toContain(`${doing}: something in this page went wrong.`);
  expect(text).toContain("Reload the page. What you typed in a draft is kept.");
  expect(text).not.toContain("undefined");
});

test("every problem of a refused document is listed with its place, eight at most", async () => {
  const errors = Array.from({ length: 10 }, (_, n) => ({
    code: "SOME_CODE",
    message: `Step ${n} has no handler.`,
    pointer: `/steps/${n}/handler`,
    severity: "error" as const,
  }));
  const text = told(problem(422, { errors }));
  expect(text).toContain("Step 0 has no handler.");
  expect(text).toContain("/steps/7/handler");
  expect(text).not.toContain("Step 8");
  expect(text).toContain("and 2 more");
  await expectAccessible(document.body);
});

test("it is tried again, and put away where that is offered", async () => {
  const user = userEvent.setup();
  const onRetry = vi.fn();
  const onClose = vi.fn();
  const { rerender } = render(<ErrorNotice error={problem(500)} doing={doing} onRetry={onRetry} onClose={onClose} />);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await user.click(screen.getByRole("button", { name: "Close this notice" }));
  expect(onRetry).toHaveBeenCalledOnce();
  expect(onClose).toHaveBeenCalledOnce();
  rerender(<ErrorNotice error={problem(500)} doing={doing} />);
  expect(screen.queryByRole("button", { name: "Close this notice" })).toBeNull();
});

/** What was said in the region for errors. */
const said = () => [...document.querySelectorAll("[aria-live=assertive] p")].map((each) => each.textContent);

test("it is said assertively when it appears and when its words change, and is no region itself", () => {
  const notice = (error: unknown) => (
    <>
      <LiveRegions />
      <ErrorNotice error={error} doing={doing} />
    </>
  );
  const { rerender } = render(notice(problem(429)));
  const first = `${doing}: the name is taken. Wait a moment, then try again.`;
  expect(said().slice(-1)).toEqual([first]);
  const before = said().length;
  rerender(notice(problem(429)));
  expect(said()).toHaveLength(before);
  rerender(notice(problem(422, { errors: [{ code: "X", message: "Step 1 has no handler.", pointer: "/steps/1" }] })));
  expect(said().slice(before)).toEqual([
    `${doing}: the name is taken. Step 1 has no handler. Correct it, then try again.`,
  ]);
  expect(screen.getByRole("group", { name: /^The workflow could not be saved/ })).not.toHaveAttribute("aria-live");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("the same error is said again where it was tried again in vain", async () => {
  const user = userEvent.setup();
  const notice = (error: unknown) => (
    <>
      <LiveRegions />
      <ErrorNotice error={error} doing={doing} onRetry={() => undefined} />
    </>
  );
  const { rerender } = render(notice(problem(503)));
  const before = said().length;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(said()).toHaveLength(before);
  rerender(notice(problem(503)));
  expect(said()).toHaveLength(before + 1);
});
