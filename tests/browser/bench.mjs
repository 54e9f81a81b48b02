// An exception is worked off in a real Chromium, as an analyst would: with script, and once more without.
// Takes BASE_URL of a running demo (and CHROMIUM); prints `N passed, N failed` and exits 1 if any failed.
// It edits a day and goes back, so the demo ends as it began, with more versions.
import { base, launch, people, signIn } from "./lib.mjs";

let passed = 0, failed = 0;
function ok(good, what, why = "") {
  good ? passed++ : failed++;
  console.log((good ? "ok   " : "FAIL ") + what + (good ? "" : " " + why));
}
const browser = await launch();
const analyst = (await people(browser)).find(person => /analyst/i.test(person.what));
const { state } = await signIn(browser, analyst.id);
const text = (page, selector) => page.locator(selector).first().innerText();
const standing = async page => +(await text(page, "[aria-labelledby=versions] .scroll tbody tr th")).match(/\d+/)[0];

/** From the queue to the bench of the first exception of a rule; nothing when the demo has none. */
async function open(page, rule) {
  await page.goto(base + "/ops/vee");
  const group = page.locator("th.lead a", { hasText: rule }).first();
  if (!(await group.count())) return false;
  await group.click();
  await page.waitForURL(/rule=/);
  ok((await text(page, ".grouphead h2")) === rule, `the queue drills into ${rule}`);
  await page.locator(".feed tbody th a").first().click();
  await page.waitForURL(/\/ops\/vee\/\d+\//);
  ok((await page.locator(".found strong", { hasText: rule }).count()) > 0, "the bench names the rule that fired", page.url());
  return true;
}

/** Chooses the intervals of the finding, previews an estimate and applies it; the number of the new version. */
async function settle(page, how) {
  const before = await standing(page);
  await page.locator(".found a.go").first().click();
  await page.waitForSelector(".cand");
  const candidates = await page.locator(".cand").count();
  ok(candidates > 3, `${how}: candidates stand side by side`, `${candidates}`);
  await page.locator(".cand a.btn").first().click();
  await page.waitForSelector("#preview .diff tbody tr");
  ok(/would change/.test(await text(page, "#preview p")), `${how}: the preview says what would change`);
  ok((await standing(page)) === before, `${how}: a preview changes nothing`);
  await page.selectOption("#code", "meter_fault");
  await page.fill("#note", "Checked against the neighbours; the register is right.");
  await Promise.all([page.waitForURL(/done=/), page.getByRole("button", { name: "Apply" }).click()]);
  const after = await standing(page);
  ok(after === before + 1, `${how}: a new version stands`, `${before} then ${after}`);
  const row = await text(page, "[aria-labelledby=versions] .scroll tbody tr");
  ok(row.includes("Meter fault: Checked against the neighbours"), `${how}: it says who and why`, row);
  return after;
}

/** Goes back to what stood before, and sees that it does. */
async function undo(page, how, version) {
  const target = await page.locator("[aria-labelledby=versions] .scroll tbody tr").nth(1).locator("th").innerText();
  await page.locator("[aria-labelledby=versions] .scroll tbody tr").first().getByRole("link", { name: "Undo" }).click();
  await page.waitForSelector("#preview");
  await page.selectOption("#code", "correction");
  await page.fill("#note", "It was right after all.");
  await Promise.all([page.waitForURL(/done=/), page.getByRole("button", { name: "Apply" }).click()]);
  ok((await standing(page)) === version + 1, `${how}: undo is a version of its own`);
  await page.goto(page.url().split("&done")[0] + `&compare=${target.match(/\d+/)[0]}-${version + 1}`);
  ok(/do not differ/.test(await text(page, "#compare")), `${how}: it equals what stood before`, await text(page, "#compare"));
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with script" : "script off";
  const context = await browser.newContext({ storageState: state, javaScriptEnabled, viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  const noise = [];
  page.on("console", m => m.type() === "error" && noise.push(m.text()));
  page.on("pageerror", e => noise.push(e.message));
  try {
    const found = (await open(page, "Spike")) || (await open(page, "Below zero"));
    ok(found, `${how}: the demo has something to work on`);
    const bench = page.url();
    const version = await settle(page, how);
    await undo(page, how, version);
    await page.goto(bench);
    // The form does the same: From, Until, a straight line.
    const times = await page.locator(".found a.go").first().getAttribute("href");
    const asked = new URL(base + times).searchParams;
    await page.fill("#from", asked.get("from"));
    await page.fill("#to", asked.get("to") === "24:00" ? "00:00" : asked.get("to"));
    await page.check("#do-set");
    await page.fill("#op [name=value]", "0.25");
    await page.locator("#op .pri").click();
    await page.waitForSelector("#preview .diff tbody tr");
    ok((await text(page, "#preview .diff tbody b")).includes("0.25"), `${how}: a value set by hand is previewed`);
    await page.fill("#op [name=value]", "a lot");
    await page.locator("#op .pri").click();
    await page.waitForSelector(".note.bad");
    ok(/is no value in kWh/.test(await text(page, ".note.bad")), `${how}: a wrong value is refused with its remedy`);
    ok(noise.length === 0, `${how}: console and CSP clean`, noise.slice(0, 3).join(" / "));
  } catch (error) {
    ok(false, how, error.message);
  }
  await context.close();
}

// Pointer and keyboard: drawing over intervals chooses them, and so does Shift with the arrows; letters act only inside the chart.
const context = await browser.newContext({ storageState: state, viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
const page = await context.newPage();
try {
  if (await open(page, "Spike")) {
    const bars = page.locator("[data-bench] .bar");
    const [from, to] = [await bars.nth(40).boundingBox(), await bars.nth(44).boundingBox()];
    await page.mouse.move(from.x + 3, from.y + 120);
    await page.mouse.down();
    await page.mouse.move(to.x + 3, to.y + 120, { steps: 6 });
    await page.mouse.up();
    await page.waitForURL(/from=10%3A00/);
    await page.waitForSelector(".bar.sel");
    ok((await page.locator(".bar.sel").count()) === 5, "drawing over five intervals chooses five", `${await page.locator(".bar.sel").count()}`);
    await page.locator("[data-bench]").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowRight");
    const said = await page.locator("body > [aria-live]").textContent();
    ok(/^Chosen: 00:00 – 00:45/.test(said), "Shift with the arrows chooses and says so", said);
    await page.keyboard.press("Enter");
    await page.waitForURL(/from=00%3A00/);
    ok((await page.locator(".bar.sel").count()) === 3, "Enter works on what is chosen");
    await page.locator("body").press("n");
    ok(/from=00%3A00/.test(page.url()), "a letter outside the chart does nothing", page.url());
    await page.locator("[data-bench]").focus();
    await page.keyboard.press("?");
    ok(await page.locator("[data-help]").evaluate(d => d.open), "a question mark inside the chart opens the list of keys");
    await page.keyboard.press("e");
    await page.waitForSelector("#preview");
    ok(true, "E previews the first estimate that applies");
  }
} catch (error) {
  ok(false, "pointer and keyboard", error.message);
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
