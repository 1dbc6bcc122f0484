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

describe("point 42: what a keyword shows", () => {
  const shown = (schema: JsonSchema, first: Json = {}, more: JsonSchema = {}) => {
    render(<Shown schema={{ properties: { it: { title: "It", ...schema } }, ...more }} first={first} />);
    return screen.getByLabelText(/^It/);
  };
  /** The elements that describe a control, by the ids that it names. */
  const describing = (control: HTMLElement) =>
    (control.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id));

  test.each<[string, JsonSchema, Json, string]>([
    ["pattern", { type: "string", pattern: "^v" }, "1", "This does not have the right form. It must match ^v"],
    ["minLength", { type: "string", minLength: 3 }, "ab", "At least 3 characters; there are 2."],
    ["maxLength", { type: "string", maxLength: 2 }, "abc", "At most 2 characters; there are 3."],
    ["minimum", { type: "number", minimum: 1 }, 0, "This must be 1 or more."],
    ["maximum", { type: "number", maximum: 9 }, 10, "This must be 9 or less."],
    [
      "date-time",
      { type: "string", format: "date-time" },
      "tomorrow",
      "This is not a date and time, such as 2026-12-31T18:00:00Z.",
    ],
    ["duration", { type: "string", format: "duration" }, "5 minutes", "This is not a duration, such as PT30M."],
    [
      "vwmp-duration",
      { type: ["number", "string"], format: "vwmp-duration" },
      "5 minutes",
      "Write a number of seconds, or text such as 50ms, 90s or 2h.",
    ],
    ["const", { const: "http" }, "ftp", "This must be http."],
  ])("%s, violated, is told by an element that describes the control", (_, schema, wrong, message) => {
    const control = shown(schema, { it: wrong });
    expect(control).toBeInvalid();
    expect(describing(control)).toContain(screen.getByText(message));
  });

  test.each<[string, JsonSchema, string]>([
    ["an example", { type: "string", examples: ["main"] }, "e.g. main"],
    ["the default before an example", { type: "string", default: "dev", examples: ["main"] }, "dev"],
    ["what a format looks like", { type: "string", format: "date-time" }, "e.g. 2026-12-31T18:00:00Z"],
  ])("an empty field shows %s", (_, schema, placeholder) => {
    expect(shown(schema)).toHaveAttribute("placeholder", placeholder);
  });

  test("x-vwmp-multiline is a box of several lines, other text is one of one line", async () => {
    expect(shown({ type: "string", "x-vwmp-multiline": true })).toBeInstanceOf(HTMLTextAreaElement);
    await userEvent.setup().type(screen.getByLabelText("It"), "one{Enter}two");
    expect(value).toEqual({ it: "one\ntwo" });
  });

  test("text without it is a box of one line", () => {
    expect(shown({ type: "string" })).toBeInstanceOf(HTMLInputElement);
  });

  test.each<[string, JsonSchema, string]>([
    ["text", { type: ["string", "null"] }, "x"],
    ["number", { type: ["integer", "null"] }, "7"],
  ])(
    "null stays in a nullable %s until something is typed, and comes back where the field is required",
    async (_, schema, typed) => {
      const user = userEvent.setup();
      const control = shown(schema, { it: null, other: "a" }, { required: ["it"] });
      expect(control).toHaveValue("");
      expect(control).toBeValid();
      await user.type(control, typed);
      expect(value).toEqual({ it: JSON.parse(schema.type!.includes("integer") ? typed : `"${typed}"`), other: "a" });
      await user.clear(control);
      expect(value).toEqual({ it: null, other: "a" });
    },
  );

  test("null in a nullable field that nobody touches is kept", async () => {
    const schema = { properties: { it: { type: ["string", "null"] }, other: { type: "string", title: "Other" } } };
    render(<Shown schema={schema} first={{ it: null }} />);
    await userEvent.setup().type(screen.getByLabelText("Other"), "x");
    expect(value).toEqual({ it: null, other: "x" });
  });

  test("const is a box to tick, and where it is required and set, text that stays", async () => {
    const user = userEvent.setup();
    const box = shown({ const: "http" });
    expect(box).toHaveAccessibleName("It: http");
    await user.click(box);
    expect(value).toEqual({ it: "http" });
    await user.click(box);
    expect(value).toEqual({});
  });

  test("a required const that is set can't be changed", () => {
    const control = shown({ const: "http" }, { it: "http" }, { required: ["it"] });
    expect(control).toHaveValue("http");
    expect(control).toHaveAttribute("readonly");
  });

  test.each<[string, JsonSchema]>([
    ["propertyNames", { type: "object", propertyNames: { pattern: "^x-" } }],
    ["dependentRequired", { type: "object", properties: { a: {} }, dependentRequired: { a: ["b"] } }],
    ["dependentSchemas", { type: "object", properties: { a: {} }, dependentSchemas: { a: {} } }],
    ["unevaluatedProperties", { type: "object", properties: { a: {} }, unevaluatedProperties: false }],
    ["contains", { type: "array", contains: { const: 1 } }],
  ])("%s can't be shown as fields: JSON or YAML, with the reason", (keyword, schema) => {
    const control = shown(schema);
    expect(control).toBeInstanceOf(HTMLTextAreaElement);
    expect(control).toHaveAccessibleDescription(new RegExp(`uses “${keyword}”.*write it as JSON or YAML`));
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

  test("moves down too, by button and by keyboard, and not beyond its end", async () => {
    const user = userEvent.setup();
    render(<Shown schema={schema} first={{ paths: ["a", "b", "c"] }} named={null} />);
    await user.click(screen.getByRole("button", { name: "Move item 1 down" }));
    expect(value).toEqual({ paths: ["b", "a", "c"] });
    expect(screen.getByRole("button", { name: "Move item 2 down" })).toHaveFocus();
    screen.getByLabelText("Item 2").focus();
    await user.keyboard("{Alt>}{ArrowDown}{/Alt}");
    expect(items()).toEqual(["b", "c", "a"]);
    expect(screen.getByLabelText("Item 3")).toHaveFocus();
    await user.keyboard("{Alt>}{ArrowDown}{/Alt}");
    expect(value).toEqual({ paths: ["b", "c", "a"] });
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
    await user.keyboard("{ArrowDown}{Enter}");
    expect(url).toHaveValue("https://x/${parameters.dry_run}");
    await user.keyboard("/$");
    await user.keyboard("{{par{ArrowDown}{ArrowUp}{Enter}");
    expect(url).toHaveValue("https://x/${parameters.dry_run}/${parameters.customer}");
    await user.keyboard("/$");
    await user.keyboard("{{sec{Escape}");
    expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
    expect(url).toHaveFocus();
    await user.keyboard("r");
    await user.tab();
    expect(url).toHaveValue("https://x/${parameters.dry_run}/${parameters.customer}/${secrets.TOKEN}");
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

  test.each<[string, JsonSchema, Json]>([
    ["number", { type: "integer", maximum: 9 }, 3],
    ["duration", { type: ["number", "string"], format: "vwmp-duration" }, "2h"],
    ["list", { type: "array", minItems: 1, items: { type: "integer" } }, [1]],
    ["map", { type: "object", additionalProperties: { type: "integer" } }, { a: 1 }],
    ["choices", { type: "array", items: { enum: ["info", "error"] }, uniqueItems: true }, ["info"]],
    ["choice", { enum: ["info", "error"] }, "info"],
    ["JSON", { type: "object", anyOf: [{ required: ["a"] }] }, { a: 1 }],
  ])(
    "a field of the kind %s takes a variable, shows its mark, and is not judged by its type",
    async (_, kind, first) => {
      const user = userEvent.setup();
      const schema = { properties: { it: { ...kind, title: "It" } } };
      render(<Shown schema={schema} first={{ it: first }} />);
      expect(screen.queryByText("variable", { selector: "span" })).not.toBeInTheDocument();
      await user.click(screen.getByRole("button", { name: "Insert a variable: It" }));
      await user.type(within(await screen.findByRole("dialog")).getByLabelText("Search variables"), "customer");
      await user.keyboard("{Enter}");
      await waitFor(() => expect(value).toEqual({ it: "${parameters.customer}" }));
      expect(screen.getByText("variable", { selector: "span" })).toBeInTheDocument();
      expect(screen.getByLabelText("It")).toBeValid();
      expect(validate(schema, value)).toEqual([]);
    },
  );

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
