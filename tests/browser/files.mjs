// Files of readings in a real Chromium: a customer downloads theirs, an analyst sends one, without script and with.
// Takes BASE_URL of a running demo (and CHROMIUM); prints `N passed, N failed` and exits 1 if any failed.
import fs from "node:fs";
import { base, launch, people, signIn } from "./lib.mjs";

let passed = 0, failed = 0;
function ok(good, what, why = "") {
  good ? passed++ : failed++;
  console.log((good ? "ok   " : "FAIL ") + what + (good ? "" : " " + why));
}
const browser = await launch();
const everyone = await people(browser);

/** A page of somebody, with script or without; the work's failure is a failed row and stops nothing else. */
async function visit(person, javaScriptEnabled, what, work) {
  const { state } = await signIn(browser, person.id);
  const context = await browser.newContext({ storageState: state, javaScriptEnabled, acceptDownloads: true });
  try {
    await work(await context.newPage());
  } catch (error) {
    ok(false, what, error.message);
  } finally {
    await context.close();
  }
}

/** Presses what is named and reads the file that comes. */
async function file(page, name, role = "button") {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole(role, { name }).click()]);
  return [download.suggestedFilename(), fs.readFileSync(await download.path(), "utf8")];
}

let customer;
for (const person of everyone) if (!customer && !(await signIn(browser, person.id)).operator) customer = person;
for (const script of [true, false]) {
  const how = script ? "with script" : "without script";
  await visit(customer, script, `download ${how}`, async page => {
    await page.goto(base + "/usage");
    await page.getByRole("link", { name: "Download more" }).click();
    await page.waitForURL(/\/usage\/download/);
    const [xml, feed] = await file(page, "Download");
    ok(xml.endsWith(".xml") && feed.includes("<espi:IntervalReading>") && feed.trimEnd().endsWith("</feed>"), `${how}: Green Button, whole`, `${xml} ${feed.length}`);
    await page.getByRole("link", { name: "This month" }).click();
    await page.getByLabel("CSV").check();
    const [csv, table] = await file(page, "Download");
    ok(csv.endsWith(".csv") && table.startsWith("service_point,meter"), `${how}: a table of another span`, csv);
  });
}

const analyst = everyone.find(person => /analyst/i.test(person.what));
for (const script of [true, false]) {
  const how = script ? "with script" : "without script";
  await visit(analyst, script, `import ${how}`, async page => {
    const name = `nobody-${script}.csv`;
    const rows = "meter,time,value,unit\nnobody,2026-01-05T00:00:00Z,1,kWh\nnobody,2026-01-05T00:15:00Z,2,kWh\nnonsense\n";
    await page.goto(base + "/ops/imports");
    await page.setInputFiles("#file", { name, mimeType: "text/csv", buffer: Buffer.from(rows + (script ? "" : "more nonsense\n")) });
    await page.getByRole("button", { name: "Take it in" }).click();
    await page.waitForURL(/\/ops\/imports\/\d+/);
    const said = await page.locator("main").innerText();
    ok(said.includes(name) && /unknown_meter/.test(said), `${how}: the file and what was left out of it`, said.slice(0, 300));
    const [, quarantine] = await file(page, "CSV", "link");
    ok(quarantine.startsWith("line,reason,sentence"), `${how}: the quarantine as a file`, quarantine.slice(0, 80));
    await page.goto(base + "/ops/imports");
    ok((await page.locator("tbody th a", { hasText: name }).count()) === 1, `${how}: it is listed once`);
  });
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
