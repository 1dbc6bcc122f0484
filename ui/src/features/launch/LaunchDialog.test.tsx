import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { expectAccessible } from "../../../tests/axe";
import * as actions from "../../api/actions";
import { ApiError } from "../../api/client";
import { keys } from "../../api/queries";
import type { Parameter, StepDefinition } from "../../api/types";
import LaunchDialog from "./LaunchDialog";

// Whole dialogs are drawn and typed into; a busy machine takes its time over that.
vi.setConfig({ testTimeout: 20_000 });

const parameters: Parameter[] = [
  { name: "summary", type: "string", required: true, label: "Summary", validation: { min_length: 4 } },
  {
    name: "kind",
    type: "enum",
    default: "fix",
    options: [{ value: "fix", label: "Fix 🐞" }, "feature"],
    label: "Kind",
  },
  { name: "docs_ok", type: "boolean", label: "Docs are right", validation: { must_be: true } },
  { name: "token", type: "secret", label: "Token" },
];
const steps: StepDefinition[] = [
  { id: "a", handler: "flow.log" },
  { id: "b", handler: "flow.log", name: "Always", automatic: true },
];

const onOpenChange = vi.fn();
const onStarted = vi.fn();

function show(more: Partial<React.ComponentProps<typeof LaunchDialog>> = {}) {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  queries.setQueryData(keys.workspaces, [
    { name: "main", folder: "repo", default: true },
    { name: "other", folder: "other", default: false },
  ]);
  queries.setQueryData(keys.workflow("w"), { id: "w", name: "Release", steps } as never);
  queries.setQueryData(keys.handlers, []);
  return render(
    <QueryClientProvider client={queries}>
      <LaunchDialog
        open
        workflow={{ id: "w", name: "Release", revision: 7, parameters }}
        onOpenChange={onOpenChange}
        onStarted={onStarted}
        {...more}
      />
    </QueryClientProvider>,
  );
}

beforeEach(() => {
  onOpenChange.mockReset();
  onStarted.mockReset();
});

test("point 55: defaults, marks and checks; Ctrl+Enter starts with what was filled in", async () => {
  const user = userEvent.setup();
  const start = vi.spyOn(actions, "startExecution").mockResolvedValue({ execution_id: "e" } as never);
  show();
  await expectAccessible(await screen.findByRole("dialog"));
  expect(screen.getByText("Version 7.")).toBeInTheDocument();
  expect(screen.getByLabelText("Kind")).toHaveDisplayValue("Fix 🐞");
  expect(screen.getByLabelText(/Summary/)).toHaveAttribute("aria-required", "true");
  await user.click(screen.getByRole("button", { name: "Execute" }));
  expect(start).not.toHaveBeenCalled();
  await waitFor(() => expect(screen.getByLabelText(/Summary/)).toHaveFocus());
  expect(screen.getByLabelText(/Summary/)).toHaveAccessibleDescription(/^This is required/);
  await user.keyboard("Works");
  await user.click(screen.getByLabelText(/Docs/));
  await user.type(screen.getByLabelText("Token"), "hush");
  await user.selectOptions(screen.getByLabelText("Workspace"), "other");
  await user.click(screen.getByText("Steps"));
  expect(screen.getByLabelText("Always")).toBeDisabled();
  await user.click(screen.getByLabelText("a"));
  await user.keyboard("{Control>}{Enter}{/Control}");
  await waitFor(() => expect(onStarted).toHaveBeenCalledWith("e"));
  expect(start).toHaveBeenCalledWith(
    "w",
    { summary: "Works", kind: "fix", docs_ok: true, token: "hush" },
    { workspace: "other", skipSteps: ["a"] },
  );
  expect(localStorage.getItem("vwmp.last-parameters.w")).toBe('{"summary":"Works","kind":"fix"}');
});

test("point 55: what the server refuses stands at its field, which gets the focus", async () => {
  const user = userEvent.setup();
  const problem = {
    type: "about:blank",
    title: "Bad Request",
    status: 400,
    detail: "Two things are wrong",
    error_code: "VALIDATION_ERROR",
  };
  const errors = [{ pointer: "/parameters/kind", code: "bad_value", message: "The parameter is not wanted." }];
  vi.spyOn(actions, "startExecution").mockRejectedValue(new ApiError({ ...problem, errors }));
  localStorage.setItem("vwmp.last-parameters.w", '{"summary":"Works"}');
  show();
  expect(await screen.findByLabelText(/Summary/)).toHaveValue("Works");
  await user.click(screen.getByLabelText(/Docs/));
  await user.click(screen.getByRole("button", { name: "Execute" }));
  await waitFor(() => expect(screen.getByLabelText("Kind")).toHaveFocus());
  expect(screen.getByLabelText("Kind")).toHaveAccessibleDescription("The parameter is not wanted.");
  expect(screen.getByRole("group", { name: /^The execution could not be started/ })).toBeVisible();
  expect(onStarted).not.toHaveBeenCalled();
});

test("point 56: with unsaved changes it saves first, and starts nothing where that fails", async () => {
  const user = userEvent.setup();
  const start = vi.spyOn(actions, "startExecution").mockResolvedValue({ execution_id: "e" } as never);
  const before = vi.fn().mockResolvedValueOnce(false).mockResolvedValue(true);
  show({ before, workflow: { id: "w", name: "Release", revision: 7 } });
  await user.click(await screen.findByRole("button", { name: "Save and execute" }));
  await waitFor(() => expect(before).toHaveBeenCalledTimes(1));
  expect(start).not.toHaveBeenCalled();
  await user.click(screen.getByRole("button", { name: "Save and execute" }));
  await waitFor(() => expect(onStarted).toHaveBeenCalledWith("e"));
});

test("the preview shows effects with their differences and what is unknown, and starts nothing", async () => {
  const user = userEvent.setup();
  const start = vi.spyOn(actions, "startExecution");
  vi.spyOn(actions, "planExecution").mockResolvedValue({
    steps: [
      {
        ...{ step_id: "a", step_name: "Bump", handler: "x.y", status: "run" },
        effects: [
          { action: "update", target: "VERSION", summary: "From 1 to 2", diff: "-1\n+2\n", known: true },
          { action: "run", target: "x.z", summary: "", known: false },
        ],
      },
      {
        step_id: "b",
        step_name: "Push",
        handler: "x.y",
        status: "skip",
        reason: "switched off for this run",
        effects: [],
      },
    ],
    warnings: [],
  });
  show({ workflow: { id: "w", name: "Release", revision: 7 } });
  await user.click(await screen.findByRole("button", { name: "Preview" }));
  const dialog = await screen.findByRole("dialog", { name: /would do/ });
  await expectAccessible(dialog);
  expect(within(dialog).getByText(/1 step of 2 would run, with 2 effects/)).toBeInTheDocument();
  expect(within(dialog).getByLabelText("Difference of VERSION")).toHaveTextContent("-1 +2");
  expect(within(dialog).getByText("unknown until it runs")).toBeInTheDocument();
  expect(within(dialog).getByText("Switched off for this run.")).toBeInTheDocument();
  expect(start).not.toHaveBeenCalled();
  await user.click(screen.getByRole("button", { name: "Back" }));
  expect(screen.getByText("This workflow asks for no parameters.")).toBeInTheDocument();
});
