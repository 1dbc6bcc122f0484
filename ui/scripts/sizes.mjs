// Holds the budgets of what a browser loads, gzipped, and that the overview
// loads no part of the canvas or the editor. Fails the build above them.
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const dist = join(dirname(fileURLToPath(import.meta.url)), "..", "dist");
const manifest = JSON.parse(await readFile(join(dist, "manifest.json"), "utf8"));

/** The files that a chunk and all that it imports at once need. */
function closure(key, files = new Set()) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`the build has no chunk ${key}`);
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const needed of chunk.imports ?? []) closure(needed, files);
  return files;
}

async function size(files) {
  let total = 0;
  for (const file of files) total += (await stat(join(dist, "app", `${file}.gz`))).size;
  return total;
}

const dashboard = closure("index.html");
const checks = [["dashboard, first load", dashboard, new Set(), 190]];
const later = [
  ["designer, on top", "src/features/designer/DesignerPage.tsx", 150],
  ["source view, on top", "src/features/source/SourceView.tsx", 180],
];
// Each stands on what was loaded before it: the source view opens in a designer.
const loaded = new Set(dashboard);
for (const [name, key, budget] of later) {
  const files = closure(key);
  checks.push([name, files, new Set(loaded), budget]);
  for (const file of files) loaded.add(file);
}
let failed = false;
for (const [name, files, known, budget] of checks) {
  const kilobytes = (await size([...files].filter((file) => !known.has(file)))) / 1000;
  const over = kilobytes > budget;
  failed ||= over;
  console.log(`${name}: ${kilobytes.toFixed(1)} KB gzip of ${budget}${over ? "  TOO LARGE" : ""}`);
}

// By what is in the files, since a chunk is called after whichever module it begins with. Each mark is a text
// that the library's own code has, and must be found somewhere: one that a new release dropped finds nothing.
const marks = { "the canvas": "react-flow__", "the editor": "cm-editor", "the layout": "nodesep" };
const texts = new Map();
for (const name of await readdir(join(dist, "app", "assets"))) {
  if (!name.endsWith(".js.gz") && !name.endsWith(".css.gz")) continue;
  const content = gunzipSync(await readFile(join(dist, "app", "assets", name))).toString();
  texts.set(`assets/${name.slice(0, -".gz".length)}`, content);
}
for (const [what, mark] of Object.entries(marks)) {
  const holders = [...texts.keys()].filter((file) => texts.get(file).includes(mark));
  if (!holders.some((file) => file.endsWith(".js"))) {
    failed = true;
    console.log(`no file of the build has “${mark}”, by which ${what} is known`);
  }
  for (const file of holders.filter((each) => dashboard.has(each))) {
    failed = true;
    console.log(`the overview loads ${file}, which has ${what}`);
  }
}
if (failed) process.exit(1);
