// Holds the budgets of what a browser loads, gzipped, and that the overview
// loads no part of the canvas or the editor. Fails the build above them.
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

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
  if (!manifest[key]) continue;
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
for (const file of dashboard) {
  if (/xyflow|codemirror|dagre|SourceView|DesignerPage/i.test(file)) {
    failed = true;
    console.log(`the overview loads ${file}, which belongs to the designer`);
  }
}
if (failed) process.exit(1);
