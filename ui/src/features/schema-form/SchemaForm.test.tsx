import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, test, vi } from "vitest";
import { expectAccessible } from "../../../tests/axe";
import type { Json } from "../../api/types";
import { SchemaForm } from "./SchemaForm";
import type { JsonSchema } from "./schema";
import { validate } from "./validate";
import type { Variable } from "./variables";

// Whole forms are drawn and typed into; a busy machine takes its time over that.
vi.setConfig({ testTimeout: 20_000 });

const variables: Variable[] = [
  { path: "parameters.customer", type: "text", description: "Who it is for.", group: "Parameters" },
  { path: "parameters.dry_run", type: "yes or no", description: "", group: "Parameters" },
  { path: "secrets.TOKEN", type: "secret", description: "", group: "Secrets", secret: true },
];

let value: Json;

function Shown({
  schema,
  first = {},
  named = variables,
}: {
  schema: JsonSchema;
  first?: Json;
  named?: Variable[] | null;
}) {
  const [now, setNow] = useState<Json>(first);
  value = now;
  return (
    <SchemaForm
      schema={schema}
      value={now}
      variables={named}
      problems={validate(schema, now)}
      onChange={(next) => setNow(next)}
    />
  );
}

const everything = {
  type: "object",
  required: ["url"],
  additionalProperties: false,
  properties: {
    url: { type: "string", title: "URL", description: "Where the request goes.", format: "uri" },
    method: { type: "string", enum: ["GET", "POST"], default: "GET", title: "Method" },
    follow: { type: "boolean", default: true, title: "Follow redirects" },
    timeout: { type: ["number", "string"], format: "vwmp-duration", title: "Timeout" },
    retries: { type: "integer", minimum: 0, maximum: 9, title: "Retries" },
    body: { type: "string", "x-vwmp-multiline": true, title: "Body" },
    token: { type: "string", "x-vwmp-secret": true, title: "Token" },
    statuses: { type: "array", items: { type: "integer" }, title: "Accepted status codes" },
    levels: { type: "array", items: { enum: ["info", "error"] }, uniqueItems: true, title: "Levels" },
    headers: { type: "object", additionalProperties: { type: "string" }, title: "Headers" },
    tls: { type: "object", title: "TLS", properties: { insecure: { type: "boolean", title: "Skip checks" } } },
    extra: { anyOf: [{ type: "string" }, { type: "object" }], title: "Extra" },
    any_value: {},
    kind: { const: "http", title: "Kind" },
    maybe: { type: ["string", "null"], title: "Maybe" },
  },
};

test("point 42: every kind of field is labelled and without a fault of accessibility", async () => {
  const { container } = render(
    <Shown
      schema={everything}
      first={{
        url: "x",
        statuses: [200, "${parameters.n}"],
        headers: { a: "b" },
        follow: "${parameters.dry_run}",
        tokn: 1,
      }}
    />,
  );
  await expectAccessible(container);
  expect(screen.getByLabelText(/^URL/)).toHaveAccessibleDescription(/Where the request goes.*|not an address/);
  expect(screen.getByLabelText(/^URL/)).toBeInvalid();
  expect(screen.getAllByText("variable", { selector: "span" })).toHaveLength(2);
  expect(screen.getByText(/uses “anyOf”/)).toBeInTheDocument();
});

describe("point 42: what is typed becomes a value of its type", () => {
  test("text, numbers, choices, and nothing once emptied", async () => {
    const user = userEvent.setup();
    render(<Shown schema={everything} />);
    await user.type(screen.getByLabelText(/^URL/), "https://a.b");
    await user.type(screen.getByLabelText("Retries"), "3");
    await user.type(screen.getByLabelText("Timeout"), "1.5");
    await user.selectOptions(screen.getByLabelText("Method"), "POST");
    await user.click(screen.getByLabelText("Follow redirects"));
    await user.click(screen.getByLabelText("error"));
    await user.click(screen.getByLabelText("Skip checks"));
    expect(value).toEqual({
      url: "https://a.b",
      retries: 3,
      timeout: 1.5,
      method: "POST",
      follow: false,
      levels: ["error"],
      tls: { insecure: true },
    });
    await user.clear(screen.getByLabelText("Retries"));
    await user.clear(screen.getByLabelText("Timeout"));
    await user.type(screen.getByLabelText("Timeout"), "2h");
    await user.click(screen.getByLabelText("Skip checks"));
    expect(value).toEqual({ url: "https://a.b", timeout: "2h", method: "POST", follow: false, levels: ["error"] });
  });

  test("what is no number stays to be seen, with its problem", async () => {
    const user = userEvent.setup();
    render(<Shown schema={everything} first={{ url: "https://a.b" }} />);
    await user.type(screen.getByLabelText("Retries"), "many");
    expect(screen.getByLabelText("Retries")).toHaveValue("many");
    expect(screen.getByLabelText("Retries")).toHaveAccessibleDescription(/This must be a whole number/);
  });

  test("JSON or YAML where there are no fields; what can't be read changes nothing", async () => {
    const user = userEvent.setup();
    render(<Shown schema={everything} />);
    const field = screen.getByLabelText("Extra");
    await user.click(field);
    await user.paste("a: [1, two]");
    await waitFor(() => expect(value).toEqual({ extra: { a: [1, "two"] } }));
    await user.clear(field);
    await user.paste("{a");
    await waitFor(() => expect(field).toHaveAccessibleDescription(/can't be read/));
    expect(field).toHaveValue("{a");
  });

  test("key and value rows; a name that is missing or stands twice is told", async () => {
    const user = userEvent.setup();
    render(<Shown schema={everything} first={{ headers: { a: "1" } }} />);
    await user.click(screen.getByRole("button", { name: "Add entry to Headers" }));
    const row = screen.getByRole("group", { name: "New entry of Headers" });
    expect(within(row).getByLabelText("Name")).toHaveFocus();
    expect(within(row).getByLabelText("Name")).toHaveAccessibleDescription(/until then it is not kept/);
    await user.keyboard("b");
    await user.type(within(screen.getByRole("group", { name: "b" })).getByLabelText("Value"), "2");
    expect(value).toEqual({ headers: { a: "1", b: "2" } });
    await user.clear(within(screen.getByRole("group", { name: "b" })).getByLabelText("Name"));
    await user.keyboard("a");
    expect(screen.getByText(/stands twice/)).toBeInTheDocument();
    expect(value).toEqual({ headers: { a: "1" } });
    await user.click(screen.getAllByRole("button", { name: "Remove a" })[0]!);
    expect(value).toEqual({ headers: { a: "2" } });
  });
});

describe("point 43: a list", () => {
  const items = () => screen.getAllByRole("textbox").map((box) => (box as HTMLInputElement).value);
  const schema = { properties: { paths: { type: "array", items: { type: "string" }, title: "Paths", maxItems: 4 } } };

  test("adds, removes and moves, and the focus goes where one goes on", async () => {
    const user = userEvent.setup();
    render(<Shown schema={schema} first={{ paths: ["a", "b"] }} named={null} />);
    await user.click(screen.getByRole("button", { name: "Add item to Paths" }));
    expect(screen.getByLabelText("Item 3")).toHaveFocus();
    await user.keyboard("c");
    expect(value).toEqual({ paths: ["a", "b", "c"] });
    await user.click(screen.getByRole("button", { name: "Move item 3 up" }));
    expect(value).toEqual({ paths: ["a", "c", "b"] });
    expect(screen.getByRole("button", { name: "Move item 2 up" })).toHaveFocus();
    screen.getByLabelText("Item 2").focus();
    await user.keyboard("{Alt>}{ArrowUp}{/Alt}");
    expect(items()).toEqual(["c", "a", "b"]);
    expect(screen.getByLabelText("Item 1")).toHaveFocus();
    await user.click(screen.getByRole("button", { name: "Remove item 2" }));
    expect(items()).toEqual(["c", "b"]);
    expect(screen.getByLabelText("Item 2")).toHaveFocus();
    await user.click(screen.getByRole("button", { name: "Remove item 2" }));
    expect(screen.getByLabelText("Item 1")).toHaveFocus();
    await user.click(screen.getByRole("button", { name: "Remove item 1" }));
    expect(screen.getByRole("button", { name: "Add item to Paths" })).toHaveFocus();
    expect(value).toEqual({});
  });

  test("takes no more than its most", async () => {
    render(<Shown schema={schema} first={{ paths: ["a", "b", "c", "d"] }} />);
    expect(screen.getByRole("button", { name: "Add item to Paths" })).toBeDisabled();
    expect(screen.getByText("At most 4.")).toBeInTheDocument();
  });
});

describe("points 44 and 45: variables", () => {
  test("typing ${ suggests; arrows, Enter, Tab and Escape", async () => {
    const user = userEvent.setup();
    render(<Shown schema={everything} />);
    const url = screen.getByLabelText(/^URL/);
    await user.type(url, "https://x/$");
    expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
    await user.keyboard("{{");
    const options = () => within(screen.getByRole("listbox")).getAllByRole("option");
    expect(options()).toHaveLength(3);
    await user.keyboard("par");
    expect(options().map((option) => option.textContent)).toEqual([
      "parameters.customertextWho it is for.",
      "parameters.dry_runyes or no",
    ]);
    await user.keyboard("{ArrowDown}{ArrowUp}{Enter}");
    expect(url).toHaveValue("https://x/${parameters.customer}");
    await user.keyboard("/$");
    await user.keyboard("{{sec{Escape}");
    expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
    expect(url).toHaveFocus();
    await user.keyboard("r");
    await user.tab();
    expect(url).toHaveValue("https://x/${parameters.customer}/${secrets.TOKEN}");
    expect(url).toHaveFocus();
  });

  test("a field of another type takes one from the list, is marked, and gives it back", async () => {
    const user = userEvent.setup();
    render(<Shown schema={everything} first={{ follow: true }} />);
    await user.click(screen.getByRole("button", { name: "Insert a variable: Follow redirects" }));
    const dialog = await screen.findByRole("dialog");
    await expectAccessible(dialog);
    await user.type(within(dialog).getByLabelText("Search variables"), "dry");
    await user.keyboard("{Enter}");
    await waitFor(() => expect(value).toEqual({ follow: "${parameters.dry_run}" }));
    expect(screen.getByLabelText("Follow redirects")).toHaveValue("${parameters.dry_run}");
    expect(screen.getByText("variable", { selector: "span" })).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Take out the variable: Follow redirects" }));
    expect(screen.getByLabelText("Follow redirects")).toBeChecked();
  });

  test("a secret's own text is hidden and warned of; its list begins with secrets", async () => {
    const user = userEvent.setup();
    render(<Shown schema={everything} first={{ token: "abc" }} />);
    expect(screen.getByLabelText("Token")).toHaveAttribute("type", "password");
    expect(screen.getByLabelText("Token")).toHaveAccessibleDescription(/Store it as a secret/);
    await user.click(screen.getByRole("button", { name: "Insert a variable: Token" }));
    expect((await screen.findAllByRole("option"))[0]).toHaveTextContent("secrets.TOKEN");
    await user.keyboard("{Enter}");
    await waitFor(() => expect(value).toEqual({ token: "${secrets.TOKEN}" }));
  });
});
