// Fills dist/ with what the binary embeds: the API page's assets, gzipped.
// Only the compressed form is kept; the server unpacks it for the rare client
// that doesn't take gzip.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const from = join(here, "node_modules", "swagger-ui-dist");
const to = join(here, "dist");
const files = ["swagger-ui-bundle.js", "swagger-ui.css"];

await mkdir(to, { recursive: true });
for (const name of await readdir(to)) {
  if (name !== ".gitkeep") await rm(join(to, name), { recursive: true });
}
let total = 0;
for (const name of files) {
  // The maps are not shipped, so that nothing must point to them.
  const text = (await readFile(join(from, name), "utf8")).replace(/\n?(\/\/|\/\*)# sourceMappingURL=[^\n]*\n?$/, "\n");
  // A zero time and no name: the same input gives the same bytes.
  const packed = gzipSync(text, { level: 9 });
  await writeFile(join(to, `${name}.gz`), packed);
  total += packed.length;
}
for (const name of ["LICENSE", "NOTICE"]) {
  await writeFile(join(to, `swagger-ui.${name}.txt`), await readFile(join(from, name)));
}
console.log(`dist: ${files.length} files, ${(total / 1024).toFixed(0)} KiB gzipped`);
