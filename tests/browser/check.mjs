// Accessibility, CSP, script off, keyboard, reflow, weight and a live ping, in a real Chromium.
// Takes BASE_URL of a running demo (and CHROMIUM); prints `N passed, N failed` and exits 1 if any failed.
import fs from "node:fs";
import { base, launch, pagesOf, people, signIn } from "./lib.mjs";

const axe = fs.readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const BUDGET = { html: 20_000, script: 8_000, css: 12_000, total: 120_000, nodes: 1_500 };
let passed = 0, failed = 0;
function ok(good, what, why = "") {
  good ? passed++ : failed++;
  if (!good || process.env.VERBOSE) console.log((good ? "ok   " : "FAIL ") + what + (good ? "" : " " + why));
}

const browser = await launch();
/** Opens a page in a fresh context, runs `work`, and closes it whatever happens. */
async function visit(options, path, work) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const noise = [];
  page.on("console", m => m.type() === "error" && noise.push(m.text()));
  page.on("pageerror", e => noise.push(e.message));
  try {
    await page.goto(base + path, { waitUntil: "load" });
    await work(page, noise);
  } catch (error) {
    ok(false, `visit ${path}`, error.message);
  } finally {
    await context.close();
  }
}

/** Runs the jobs a few at a time: most of a visit is waiting. */
async function together(jobs, lanes = 3) {
  const next = jobs[Symbol.iterator]();
  await Promise.all(Array.from({ length: lanes }, async () => { for (const job of { [Symbol.iterator]: () => next }) await job(); }));
}
const EVERY_LOOK = ["light", "dark"].flatMap(scheme => [1280, 390].map(width => [scheme, width]));

async function clean(options, path, colorScheme, width, status = 200) {
  await visit({ ...options, colorScheme, viewport: { width, height: 900 } }, path, async (page, noise) => {
    const where = `${path} ${colorScheme} ${width}`;
    await page.waitForTimeout(150);
    const found = await page.evaluate(axe + `;axe.run(document,{runOnly:{type:"tag",values:${JSON.stringify(TAGS)}}})`);
    const text = found.violations.map(v => `\n     ${v.id} (${v.nodes.length}): ` + v.nodes.slice(0, 3).map(n => n.target.join(" ") + " | " + (n.any[0]?.message ?? n.failureSummary)).join("\n        "));
    ok(found.violations.length === 0, `axe ${where}`, text.join(""));
    const errors = status === 200 ? noise : noise.filter(n => !n.includes(`status of ${status}`));
    ok(errors.length === 0, `console and CSP clean ${where}`, errors.slice(0, 3).join(" / "));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    ok(wide <= width, `no sideways scroll ${where}`, `${wide} px`);
  });
}

// Nobody: the door, and nothing else.
await together(EVERY_LOOK.map(look => () => clean({}, "/sign-in", ...look)));
await visit({}, "/ops/meters", async page => ok(page.url().includes("/sign-in?next=%2Fops%2Fmeters"), "a guest is sent to sign in", page.url()));

const everyone = await people(browser);
ok(everyone.length >= 2, "the demo offers people", `${everyone.length}`);
const seen = new Map();
for (const person of everyone) {
  const session = await signIn(browser, person.id);
  const options = { storageState: session.state };
  const pages = await pagesOf(browser, session);
  const kind = session.operator ? "operator" : "customer";
  const first = !seen.has(kind);
  if (first) seen.set(kind, { ...session, pages, options });
  if (/analyst/i.test(person.what)) seen.set("analyst", { ...session, pages: pages.filter(path => /^\/ops\/(vee|rules|groups|reads)/.test(path)), options });
  console.log(`${person.shown}: ${kind}, ${pages.length} pages`);
  // The pages of a face are the same for all its people: one of them sees every look, the others what differs by role.
  const works = /analyst/i.test(person.what);
  const looks = first || works ? EVERY_LOOK : [["light", 390]];
  const differing = first || works ? pages : pages.filter((path, index) => index === 0 || /^\/ops\/meters\/\d+$/.test(path));
  await together(differing.flatMap(path => looks.map(look => () => clean(options, path, ...look))));
  const forbidden = session.operator ? "/usage" : "/ops";
  await visit(options, forbidden, async page => ok((await page.locator("h1").textContent()) === "Not yours to see", `${person.shown} may not open ${forbidden}`));
}
const customer = seen.get("customer"), operator = seen.get("operator");
await clean(customer.options, "/no-such-page", "light", 1280, 404);
await clean(customer.options, "/ops", "dark", 390, 403);

// Reflow at 320 CSS pixels (WCAG 1.4.10), and weight and nodes of every page with a cold cache.
async function weigh(options, path) {
  await visit({ ...options, viewport: { width: 320, height: 640 } }, path, async page => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    ok(wide <= 320, `reflow at 320 ${path}`, `${wide} px`);
  });
  const context = await browser.newContext({ ...options, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  const urls = {}, bytes = {};
  await cdp.send("Network.enable");
  cdp.on("Network.responseReceived", e => { urls[e.requestId] = e.response.url; });
  cdp.on("Network.loadingFinished", e => { bytes[urls[e.requestId]] = e.encodedDataLength; });
  await page.goto(base + path, { waitUntil: "load" });
  await page.waitForTimeout(250);
  const sum = test => Object.entries(bytes).filter(([url]) => test(new URL(url).pathname)).reduce((total, [, n]) => total + n, 0);
  const weights = { html: sum(p => !p.startsWith("/a/")), script: sum(p => p.endsWith("islands.js")), css: sum(p => p.endsWith(".css")), total: sum(() => true), nodes: await page.evaluate(() => document.querySelectorAll("*").length) };
  for (const [what, limit] of Object.entries(BUDGET)) ok(weights[what] <= limit && weights[what] > 0, `budget ${what} ${path}`, `${weights[what]} of ${limit}`);
  console.log(`${path}: ${(weights.html / 1000).toFixed(1)} kB of HTML, ${(weights.total / 1000).toFixed(1)} kB in all, ${weights.nodes} nodes`);
  await context.close();
}
await together([customer, operator, seen.get("analyst")].filter(Boolean).flatMap(({ pages, options }) => pages.map(path => () => weigh(options, path))));

// Without script: charts, links, tables, theme and a command all work.
await visit({ ...customer.options, javaScriptEnabled: false }, "/usage?view=month", async page => {
  const links = page.locator("a.bar");
  ok((await links.count()) >= 28, "script off: a month of bars that are links", `${await links.count()}`);
  await page.locator("details.tbl summary").first().click();
  ok(await page.locator("details.tbl table").first().isVisible(), "script off: the table opens");
  await page.goto(base + (await links.first().getAttribute("href")));
  const hours = await page.locator("[data-chart] .bar").count();
  ok(hours >= 23 && hours <= 25, "script off: a bar leads to the hours of its day", `${hours}`);
  await page.getByRole("button", { name: /light and dark/ }).click();
  ok((await page.locator("html[data-theme=dark]").count()) === 1, "script off: the theme is a form");
  ok(new URL(page.url()).pathname === "/usage", "script off: the theme form comes back", page.url());
});
await visit({ ...operator.options, javaScriptEnabled: false }, "/ops/meters?sort=heard", async page => {
  ok((await page.locator(".feed tbody tr").count()) > 0, "script off: the list has rows");
  await page.locator(".feed tbody th a").first().click();
  ok((await page.locator(".hops li, #path").count()) > 0, "script off: the meter page opens");
  await page.goto(base + "/ops");
  ok(!(await page.locator("[data-pause]").isVisible()), "script off: no button that needs script");
});

// Keyboard: skip link, arrow keys on a chart, Escape, htmx swap with Back.
await visit(customer.options, "/usage?view=month", async page => {
  await page.keyboard.press("Tab");
  ok((await page.evaluate(() => document.activeElement.className)) === "skip", "the first Tab reaches the skip link");
  const day = await page.locator("a.bar").first().getAttribute("href");
  await page.goto(base + day);
  await page.locator("[data-chart]").first().focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowRight");
  const said = await page.locator("body > [aria-live]").textContent(), sixth = await page.locator("[data-chart] .bar").nth(5).getAttribute("data-h");
  ok(said.startsWith(sixth + ". "), "arrow keys speak the sixth hour", `${said} is not of ${sixth}`);
  ok(await page.locator(".tip").isVisible(), "arrow keys show the tip");
  await page.keyboard.press("Escape");
  ok(await page.locator(".tip").isHidden(), "Escape hides the tip");
  await page.getByRole("link", { name: "Month", exact: true }).click();
  await page.waitForSelector("a.bar");
  const loads = await page.evaluate(() => performance.getEntriesByType("navigation").length);
  ok(page.url().includes("view=month") && loads === 1 && new URL(page.url()).search !== new URL(base + day).search, "the view is swapped and its URL pushed", page.url());
  await page.goBack();
  await page.waitForSelector("[data-chart] rect.bar");
  ok(page.url().endsWith(day), "Back restores the day", page.url());
});

// A ping from the meter page, with its result as it happens.
const meter = operator.pages.find(path => /^\/ops\/meters\/\d+$/.test(path));
await visit(operator.options, meter, async (page, noise) => {
  await Promise.all([page.waitForURL(/\/ops\/commands\/\d+$/), page.getByRole("button", { name: "Ping" }).click()]);
  const loads = await page.evaluate(() => performance.timeOrigin);
  await page.waitForSelector(".outcome.ok, .outcome.bad", { timeout: 60_000 });
  const outcome = await page.locator(".outcome strong").textContent();
  ok(/answered/.test(outcome), "the ping is answered", outcome);
  ok(loads === await page.evaluate(() => performance.timeOrigin), "the result arrives without a new page");
  ok(noise.length === 0, "console clean during the ping", noise.join(" / "));
});
await visit({ ...operator.options, javaScriptEnabled: false }, meter, async page => {
  await page.getByRole("button", { name: "Read now" }).click();
  await page.waitForSelector(".outcome.ok, .outcome.bad", { timeout: 60_000 });
  ok(/answered/.test(await page.locator(".outcome strong").textContent()), "script off: a read is asked and its result shown");
});
// The overview's feed holds still while it is paused.
await visit(operator.options, "/ops", async page => {
  await page.waitForSelector(".live.is-on");
  await page.getByRole("button", { name: "Pause" }).click();
  const rows = await page.locator("[data-sse]").innerHTML();
  await page.waitForTimeout(2_500);
  ok(rows === await page.locator("[data-sse]").innerHTML(), "Pause holds the feed");
});
// Forced colours keep the bars.
await visit({ ...customer.options, forcedColors: "active" }, "/usage?view=month", async page => {
  const fill = await page.locator("rect.b").first().evaluate(n => getComputedStyle(n).fill);
  ok(fill !== "none" && fill !== "rgba(0, 0, 0, 0)", "forced colours keep the bars", fill);
});

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
