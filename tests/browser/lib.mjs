// What the checks and the screenshots share: the browser, the demo's people, and the pages that each may see.
import { chromium } from "playwright-core";

export const base = (process.env.BASE_URL ?? "http://127.0.0.1:8080").replace(/\/$/, "");

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  // Only loopback is contacted, and no profile outlives a run.
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** The demo's people: the value of each button, and the name on it. */
export async function people(browser) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(base + "/sign-in");
  const names = await page.$$eval(".people button", all => all.map(b => ({ id: b.value, shown: b.querySelector("strong").textContent, what: b.textContent })));
  await page.context().close();
  return names;
}

/** Signs in once and returns the session's cookies, to start fresh contexts from. */
export async function signIn(browser, id) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(base + "/sign-in");
  await Promise.all([page.waitForURL(u => !u.pathname.startsWith("/sign-in")), page.click(`.people button[value="${id}"]`)]);
  const state = await context.storageState();
  const operator = new URL(page.url()).pathname.startsWith("/ops");
  await context.close();
  return { state, operator };
}

/** Every kind of page that a person may see, found by following links as a person would. */
export async function pagesOf(browser, { state, operator }) {
  const context = await browser.newContext({ storageState: state });
  const page = await context.newPage();
  const path = async (from, selector) => {
    await page.goto(base + from);
    const link = page.locator(selector).first();
    return (await link.count()) ? await link.getAttribute("href") : null;
  };
  let found;
  if (operator) {
    found = ["/ops", "/ops/meters", "/ops/meters?state=silent", "/ops/meters?q=nothing-fits-this", "/ops/commands", "/ops/commands/1", "/ops/_ui"];
    found.push("/ops/vee", "/ops/vee?rule=all", "/ops/vee?severity=fail&since=1d&commodity=water", "/ops/reads", "/ops/rules", "/ops/rules?try=1&spike.percent=300", "/ops/rules?new=1", "/ops/groups", "/ops/groups/new", "/ops/imports");
    const group = await path("/ops/vee", "th.lead a"), bench = group && (await path(group, ".feed tbody th a"));
    found.push(group, group && (await path(group, ".grouphead a.btn")), bench, bench && (await path(bench, ".found a.go")), await path("/ops/groups", ".feed th a"));
    const chosen = bench && (await path(bench, ".found a.go"));
    found.push(chosen && (await path(chosen, ".cand a.btn")));
    found.push(await path("/ops/reads", ".heatboard a"));
    found.push(await path("/ops/meters", ".feed tbody th a"), await path("/ops/meters?commodity=gas", ".feed tbody th a"), await path("/ops/commands", ".feed tbody th a"));
  } else {
    found = ["/", "/usage", "/usage?view=month", "/usage/download"];
    const back = await path("/usage", ".step a.iconbtn");
    found.push(back, await path(back ?? "/usage", ".step a.iconbtn"), await path("/usage?view=month", ".step a.iconbtn"), await path("/usage", ".seg a:not([aria-current])"), "/usage?date=1990-01-01");
  }
  // The component gallery is not in a release, and the first command may not have been given yet.
  const there = [];
  for (const path of new Set(found.filter(Boolean))) if ((await context.request.get(base + path)).ok()) there.push(path);
  await context.close();
  return there;
}
