// Screenshots to look at: every page of one customer and one operator, light and dark, wide and narrow.
// Takes BASE_URL (and CHROMIUM); the first argument is the folder, the second a part of the names wanted.
import fs from "node:fs";
import { base, launch, pagesOf, people, signIn } from "./lib.mjs";

const [folder = "../../shots", only = ""] = process.argv.slice(2);
fs.mkdirSync(folder, { recursive: true });
const browser = await launch();
const done = new Set();
const jobs = [["sign-in", "/sign-in", {}]];
for (const { id } of await people(browser)) {
  const session = await signIn(browser, id);
  const kind = session.operator ? "ops" : "home";
  if (done.has(kind)) continue;
  done.add(kind);
  for (const path of await pagesOf(browser, session)) jobs.push([kind + path.replace(/[^a-z0-9]+/gi, "-").replace(/-$/, ""), path, { storageState: session.state }]);
}
for (const [name, path, options] of jobs) for (const colorScheme of ["light", "dark"]) for (const width of [1280, 390]) {
  const file = `${name}-${width}-${colorScheme}`;
  if (!file.includes(only)) continue;
  const context = await browser.newContext({ ...options, colorScheme, viewport: { width, height: width < 500 ? 844 : 900 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.on("console", m => m.type() === "error" && console.log(file, m.text()));
  await page.goto(base + path, { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(200);
  await page.screenshot({ path: `${folder}/${file}.png`, fullPage: true });
  console.log(file);
  await context.close();
}
await browser.close();
