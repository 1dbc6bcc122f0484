// Makes dist/ what the binary embeds: files of public/ get a name by their
// content, texts are kept only compressed (the server unpacks them for the
// rare client that takes neither), and the API page's assets come beside them.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync, constants as zlib } from "node:zlib";

const ui = join(dirname(fileURLToPath(import.meta.url)), "..");
const app = join(ui, "dist", "app");
const docs = join(ui, "dist", "docs");
const texts = new Set([".js", ".css", ".svg", ".html", ".json", ".txt"]);

function hashed(name, content) {
  const hash = createHash("sha256").update(content).digest("base64url").slice(0, 8);
  const extension = extname(name);
  return `${name.slice(0, -extension.length)}-${hash}${extension}`;
}

/** Files that vite copies as they are keep their name; it must change with what is in them. */
async function nameByContent(index) {
  let page = index;
  for (const name of ["theme.js", "mark.svg"]) {
    const content = await readFile(join(app, name));
    const now = hashed(name, content);
    await rename(join(app, name), join(app, "assets", now));
    if (!page.includes(`/vwmp/${name}`)) throw new Error(`index.html does not load ${name}`);
    page = page.replaceAll(`/vwmp/${name}`, `/vwmp/assets/${now}`);
  }
  return page;
}

async function compress(folder, name) {
  const content = await readFile(join(folder, name));
  await writeFile(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
  const params = { [zlib.BROTLI_PARAM_QUALITY]: 11, [zlib.BROTLI_PARAM_SIZE_HINT]: content.length };
  await writeFile(join(folder, `${name}.br`), brotliCompressSync(content, { params }));
  await rm(join(folder, name));
}

async function swagger() {
  const from = join(ui, "node_modules", "swagger-ui-dist");
  await rm(docs, { recursive: true, force: true });
  await mkdir(docs, { recursive: true });
  for (const name of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
    // The maps are not shipped, so that nothing must point to them.
    const text = (await readFile(join(from, name), "utf8")).replace(
      /\n?(\/\/|\/\*)# sourceMappingURL=[^\n]*\n?$/,
      "\n",
    );
    await writeFile(join(docs, `${name}.gz`), gzipSync(text, { level: 9 }));
  }
  for (const name of ["LICENSE", "NOTICE"]) {
    await writeFile(join(docs, `swagger-ui.${name}.txt`), await readFile(join(from, name)));
  }
}

await writeFile(join(app, "index.html"), await nameByContent(await readFile(join(app, "index.html"), "utf8")));
await rename(join(app, ".vite", "manifest.json"), join(ui, "dist", "manifest.json"));
await rm(join(app, ".vite"), { recursive: true });
for (const name of await readdir(join(app, "assets"))) {
  if (texts.has(extname(name))) await compress(join(app, "assets"), name);
}
const font = join(ui, "node_modules", "@fontsource-variable", "inter", "LICENSE");
await writeFile(join(app, "inter.LICENSE.txt"), await readFile(font));
await swagger();
