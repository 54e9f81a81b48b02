// Small islands that enrich pages; every page works without them.
const $ = (s, r = document) => r.querySelector(s);
document.documentElement.classList.add("js");

// One tooltip for all charts. Escape hides it (WCAG 1.4.13).
const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
const say = Object.assign(document.createElement("div"), { className: "vh" });
say.setAttribute("aria-live", "polite");
document.body.append(tip, say);
function showTip(x, y, head, rows) {
  tip.replaceChildren(Object.assign(document.createElement("b"), { textContent: head }), ...rows.map(([k, v]) => {
    const s = document.createElement("span");
    s.append(Object.assign(document.createElement("i"), { textContent: k }), v ?? "");
    return s;
  }));
  tip.hidden = false;
  const w = tip.offsetWidth, h = tip.offsetHeight;
  tip.style.left = Math.max(8, Math.min(innerWidth - w - 8, x + 14 + w > innerWidth - 8 ? x - w - 14 : x + 14)) + "px";
  tip.style.top = Math.max(8, Math.min(innerHeight - h - 8, y - h / 2)) + "px";
}
const hideTip = () => { tip.hidden = true; $(".bar.cur")?.classList.remove("cur"); };
addEventListener("keydown", e => { if (e.key === "Escape") hideTip(); });
addEventListener("scroll", hideTip, { passive: true });

// 1. Charts: pointer and arrow keys.
const rowsOf = b => b.dataset.r.split("\n").map(l => l.split("\t"));
function point(bar, speak) {
  $(".bar.cur")?.classList.remove("cur");
  bar.classList.add("cur");
  const r = bar.getBoundingClientRect();
  showTip(r.left + r.width / 2, r.top + 70, bar.dataset.h, rowsOf(bar));
  if (speak) say.textContent = bar.dataset.h + ". " + rowsOf(bar).map(a => a.join(" ")).join(", ");
}
function enhance(root = document) {
  for (const p of root.querySelectorAll("[data-chart]:not([data-on])")) {
    p.dataset.on = "";
    p.querySelectorAll("title").forEach(t => t.remove());
    if (!$("a.bar", p)) {
      p.tabIndex = 0;
      p.setAttribute("aria-label", p.getAttribute("aria-label") + ". Left and right arrow keys read each value.");
    }
  }
}
enhance();
document.addEventListener("htmx:after:swap", () => enhance());
document.addEventListener("htmx:before:request", () => $("main")?.setAttribute("aria-busy", "true"));
document.addEventListener("htmx:finally:request", () => $("main")?.removeAttribute("aria-busy"));
document.addEventListener("pointermove", e => {
  const b = e.target.closest?.(".bar");
  if (b) { if (!b.classList.contains("cur") || tip.hidden) point(b, false); return; }
  const h = e.target.closest?.(".hc");
  if (h) return heat(h, e);
  if (!tip.hidden && !e.target.closest?.("[data-chart]:focus")) hideTip();
});
document.addEventListener("keydown", e => {
  const p = e.target.closest?.("[data-chart]:not([data-bench])");
  if (!p || e.target.closest("a") || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(e.key)) return;
  const bars = [...p.querySelectorAll(".bar")], cur = bars.findIndex(b => b.classList.contains("cur"));
  const to = e.key === "Home" ? 0 : e.key === "End" ? bars.length - 1 : Math.max(0, Math.min(bars.length - 1, cur + (e.key === "ArrowRight" ? 1 : -1)));
  e.preventDefault();
  point(bars[to], true);
});
document.addEventListener("focusin", e => { const b = e.target.closest?.("a.bar"); if (b) point(b, false); });
document.addEventListener("focusout", hideTip);

// 2. Heat map.
function heat(svg, e) {
  const box = svg.closest("[data-heat]"), r = svg.getBoundingClientRect();
  box.rows ??= box.dataset.heat.split(";").map(l => l.split(","));
  const c = Math.min(23, Math.floor((e.clientX - r.left) / r.width * 24)), d = Math.min(box.rows.length - 1, Math.floor((e.clientY - r.top) / r.height * box.rows.length));
  const v = box.rows[d]?.[c];
  const hour = h => String(h).padStart(2, "0") + ":00";
  if (v !== undefined) showTip(e.clientX, e.clientY, box.dataset.days.split(",")[d], [[hour(c) + " – " + hour(c + 1), v === "-" ? "no reading" : v + " " + box.dataset.unit]]);
}

// 3. Live rows: one EventSource, can be paused (WCAG 2.2.2), a polite summary, rows come ready from the server.
const part = html => { const t = document.createElement("template"); t.innerHTML = html; return t.content.firstElementChild; };
const feed = $("[data-sse]");
if (feed) {
  const live = $("[data-live]"), txt = $("[data-live-text]"), stat = $("[data-sse-status]"), btn = $("[data-pause]");
  let held = [], paused = false, count = 0;
  const apply = d => {
    const tr = part(d.html);
    tr.classList.add("new");
    feed.prepend(tr);
    while (feed.rows.length > +feed.dataset.max) feed.lastElementChild.remove();
    txt.textContent = "Updated " + d.at;
    if (++count % 5 === 0) stat.textContent = count + " new events. Newest: " + tr.cells[1].textContent + ", " + tr.cells[2].textContent;
  };
  const es = new EventSource(feed.dataset.sse);
  es.onopen = () => live.classList.add("is-on");
  es.onerror = () => { live.classList.remove("is-on"); txt.textContent = "Reconnecting…"; };
  es.addEventListener("row", e => { const d = JSON.parse(e.data); paused ? held.push(d) : apply(d); });
  es.addEventListener("beat", e => { if (!paused) txt.textContent = "Updated " + e.data; });
  btn.addEventListener("click", () => {
    paused = !paused;
    btn.setAttribute("aria-pressed", paused);
    if (!paused) held.splice(0).forEach(apply);
  });
}

// 4. A state that changes once or twice: the panel is replaced until the server says it is final.
const state = $("[data-state-sse]");
if (state) {
  const es = new EventSource(state.dataset.stateSse);
  es.addEventListener("state", e => {
    const d = JSON.parse(e.data);
    state.replaceChildren(part(d.html));
    say.textContent = d.say;
    if (d.final) es.close();
  });
}

// 5. The editing bench: intervals are chosen by click, drawing or Shift with the arrow keys; the form beside the chart does the
// same without script. Letters work only while the chart has the focus (WCAG 2.1.4).
const barsOf = p => [...p.querySelectorAll(".bar")];
let grip = null;
function choose(p, a, b) {
  const all = barsOf(p), lo = Math.min(a, b), hi = Math.max(a, b);
  all.forEach((bar, i) => bar.classList.toggle("sel", i >= lo && i <= hi));
  p.lo = lo; p.hi = hi;
  return all[lo].dataset.h.split(" – ")[0] + " – " + all[hi].dataset.h.split(" – ")[1];
}
function send(p) {
  const form = $("#op"), first = +p.dataset.bench;
  if (!form || p.lo === undefined) return;
  form.elements.from.value = form.dataset.times.split(",")[first + p.lo];
  form.elements.to.value = form.dataset.times.split(",")[first + p.hi + 1];
  form.querySelector("[name=pick]").click();
}
document.addEventListener("pointerdown", e => {
  const bar = e.target.closest?.("[data-bench] .bar"), p = bar?.closest("[data-bench]");
  if (!p || e.button) return;
  const at = barsOf(p).indexOf(bar);
  grip = { p, from: e.shiftKey && p.lo !== undefined ? p.lo : at, to: at };
  choose(p, grip.from, at);
});
document.addEventListener("pointermove", e => {
  const bar = grip && e.target.closest?.("[data-bench] .bar");
  if (bar && e.pointerType !== "touch") { grip.to = barsOf(grip.p).indexOf(bar); choose(grip.p, grip.from, grip.to); }
});
document.addEventListener("pointerup", () => { if (grip) { const p = grip.p; grip = null; send(p); } });
document.addEventListener("pointercancel", () => { grip = null; });
const press = s => { const n = $(s); if (n) { n.focus(); n.click(); } return n; };
const KEYS = {
  n: () => press("[data-key=n]"), p: () => press("[data-key=p]"), e: () => press("[data-key=e]"), Escape: () => press("[data-key=Escape]"),
  a: () => { const f = $("#op"); if (f) { f.elements["do-accept"].checked = true; f.querySelector(".pri").click(); } return f; },
  t: () => { const n = $("#note") ?? $("#code"); n?.focus(); return n; },
  "?": () => { const d = $("[data-help]"); if (d) { d.open = !d.open; d.scrollIntoView({ block: "nearest" }); } return d; },
};
document.addEventListener("keydown", e => {
  const p = e.target.closest?.("[data-bench]");
  if (!p || e.ctrlKey || e.metaKey || e.altKey) return;
  const all = barsOf(p), cur = Math.max(0, all.findIndex(b => b.classList.contains("cur")));
  const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
  if (step || e.key === "Home" || e.key === "End") {
    const none = !$(".bar.cur", p), to = e.key === "Home" ? 0 : e.key === "End" ? all.length - 1 : none ? cur : Math.max(0, Math.min(all.length - 1, cur + step));
    e.preventDefault();
    if (e.shiftKey) p.anchor ??= cur; else p.anchor = undefined;
    point(all[to], true);
    if (e.shiftKey) say.textContent = "Chosen: " + choose(p, p.anchor, to);
  } else if (e.key === "Enter" || e.key === " ") {
    e.preventDefault();
    if (p.lo === undefined) choose(p, cur, cur);
    send(p);
  } else if (Object.hasOwn(KEYS, e.key.length === 1 ? e.key.toLowerCase() : e.key) && KEYS[e.key.length === 1 ? e.key.toLowerCase() : e.key]()) e.preventDefault();
});

// Ctrl/Cmd+K moves focus to search (a modifier, so WCAG 2.1.4 is met).
addEventListener("keydown", e => { if ((e.ctrlKey || e.metaKey) && e.key === "k") { const q = $("#q"); if (q) { e.preventDefault(); q.focus(); } } });
