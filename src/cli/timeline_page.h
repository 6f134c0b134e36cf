// The page that `heddle timeline` fills in: everything in one file, no network, drawn by the reader's browser.
#pragma once

namespace heddle::cli {

inline constexpr const char* kTimelinePage = R"page(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Threads over time</title>
<style>
  body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5em; color: #222; background: #fff; }
  h1 { font-size: 1.3em; margin: 0 0 .3em; } h2 { font-size: 1.05em; margin: 1.4em 0 .4em; }
  .legend span { margin-right: 1.2em; white-space: nowrap; }
  .legend i { display: inline-block; width: 1em; height: 1em; margin-right: .35em; vertical-align: -2px; }
  table { border-collapse: collapse; } th, td { text-align: left; padding: .2em .9em .2em 0; vertical-align: top; }
  td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } th { border-bottom: 1px solid #999; }
  canvas { display: block; } #rows { max-height: 34em; overflow-y: auto; border: 1px solid #ccc; }
  #lines { position: sticky; top: 0; } #axis, #parallel { margin-left: 1px; }
  #tip { position: fixed; background: #222; color: #fff; padding: .35em .6em; border-radius: 3px; display: none;
         pointer-events: none; white-space: pre; z-index: 2; } small { color: #666; }
</style></head><body>
<h1>Threads over time</h1><div id="summary"></div>
<p class="legend"><span><i style="background:#4c9a5b"></i>running</span><span><i style="background:#d9822b"></i>waiting
(memory.atomic.wait)</span><span><i style="background:#3b78b5"></i>WASI call</span><span><i
style="background:#7b3fa0"></i>spawn (mark)</span><span><i style="background:#c0392b"></i>wake (mark)</span><span><i style="background:#2a9d9d"></i>tier-up (compiler's row)</span><span><i
style="background:#8a6d3b;height:2px;vertical-align:4px"></i>woken or spawned by (line, when few are in sight)</span></p>
<small>Wheel: zoom. Drag: move. Double click: everything. Shift and wheel: other threads. Point at something for
details.</small>
<h2>Timeline</h2><div id="rows"><div id="all"><canvas id="lines"></canvas></div></div><canvas id="axis"></canvas>
<h2>Parallelism: threads that neither wait nor are in a WASI call</h2><canvas id="parallel"></canvas>
<h2>Time waited, by address</h2><table id="waits"></table>
<h2>Threads</h2><table id="threads"></table>
<div id="tip"></div>
<script>
"use strict";
const trace = /*TRACE*/null;
const kRow = 18, kLeft = 110, kMaxTable = 40, kMaxLines = 400;
const colours = { thread: "#4c9a5b", wait: "#d9822b", wasi: "#3b78b5", spawn: "#7b3fa0", wake: "#c0392b", tier: "#2a9d9d" };
const rows = new Map(), slices = [], marks = [], arrows = new Map();
for (const e of trace.traceEvents) {
  if (!rows.has(e.tid)) rows.set(e.tid, { tid: e.tid, name: "thread " + e.tid, run: 0, wait: 0, wasi: 0, tier: 0 });
  if (e.ph === "M") rows.get(e.tid).name = e.args.name;
  if (e.ph === "X") slices.push(e);
  if (e.ph === "i") marks.push(e);
  if (e.ph === "s" || e.ph === "f") { const a = arrows.get(e.id) || {}; a[e.ph] = e; arrows.set(e.id, a); }
}
const order = [...rows.values()].sort((a, b) => a.tid - b.tid);
order.forEach((r, i) => r.index = i);
let first = 0, last = 1;
for (const s of slices) last = Math.max(last, s.ts + s.dur);
let from = first, to = last;
const time = us => us >= 1e6 ? (us / 1e6).toFixed(3) + " s" : us >= 1e3 ? (us / 1e3).toFixed(2) + " ms" : us.toFixed(1) + " µs";
const element = (tag, text, kind) => { const n = document.createElement(tag); n.textContent = text; if (kind) n.className = kind; return n; };
function fill(table, heads, lines) {
  const line = (cells, tag) => { const tr = document.createElement("tr");
    cells.forEach((c, i) => tr.append(element(tag, c, heads[i][1]))); table.append(tr); };
  line(heads.map(h => h[0]), "th");
  lines.slice(0, kMaxTable).forEach(l => line(l, "td"));
  if (lines.length > kMaxTable) table.append(element("caption", "the first " + kMaxTable + " of " + lines.length));
}
// --- sums
const nanoseconds = us => Math.round(us * 1e3) / 1e3;  // sums differ in the last bit, what ends together must not
const byAddress = new Map(), steps = [];
for (const s of slices) {
  const r = rows.get(s.tid);
  r[s.cat === "thread" ? "run" : s.cat] += s.dur;
  if (s.cat === "tier") continue;  // ours, not the program's
  const step = s.cat === "thread" ? 1 : -1;
  steps.push([nanoseconds(s.ts), step], [nanoseconds(s.ts + s.dur), -step]);
  if (s.cat !== "wait") continue;
  const a = byAddress.get(s.args.address) || { address: s.args.address, total: 0, count: 0, longest: 0, threads: new Set(), places: new Map() };
  a.total += s.dur; ++a.count; a.longest = Math.max(a.longest, s.dur); a.threads.add(s.tid);
  const place = s.args.stack.join(" \u2190 ");
  a.places.set(place, (a.places.get(place) || 0) + s.dur);
  byAddress.set(s.args.address, a);
}
steps.sort((a, b) => a[0] - b[0]);
const running = [[0, 0]];  // from when on how many
{ let n = 0; for (const [t, d] of steps) { n += d; const end = running[running.length - 1];
    if (end[0] === t) end[1] = n; else running.push([t, n]); } }
const until = i => i + 1 < running.length ? running[i + 1][0] : last;
let busy = 0, most = 0;
running.forEach(([t, n], i) => { busy += n * (until(i) - t); most = Math.max(most, n); });
const threads = order.filter(r => r.run > 0), compiled = slices.filter(s => s.cat === "tier");
const waited = slices.filter(s => s.cat === "wait").reduce((sum, s) => sum + s.dur, 0);
document.getElementById("summary").textContent = threads.length + " threads in " + time(last) + "; on average " +
  (busy / last).toFixed(2) + " at work, at most " + most + "; " + time(waited) + " waited in all, " +
  slices.filter(s => s.cat === "wasi").length + " WASI calls; " +
  compiled.length + " tier-ups, " + time(compiled.reduce((sum, s) => sum + s.dur, 0)) + " in the compiler";
fill(document.getElementById("waits"),
  [["address"], ["waited", "n"], ["waits", "n"], ["longest", "n"], ["threads", "n"], ["where (innermost function first)"]],
  [...byAddress.values()].sort((a, b) => b.total - a.total).map(a => [a.address, time(a.total), a.count, time(a.longest),
    a.threads.size, [...a.places].sort((x, y) => y[1] - x[1])[0][0] + (a.places.size > 1 ? " and " + (a.places.size - 1) + " more" : "")]));
fill(document.getElementById("threads"),
  [["thread"], ["lived", "n"], ["at work", "n"], ["waited", "n"], ["in WASI calls", "n"]],
  threads.map(r => [r.name, time(r.run), time(Math.max(0, r.run - r.wait - r.wasi)), time(r.wait), time(r.wasi)]));
// --- drawing
function canvas(id, height) {
  const c = document.getElementById(id), ratio = window.devicePixelRatio || 1;
  const width = document.getElementById("all").clientWidth || 1000;  // of all three: a scroll bar makes the rows narrower
  c.style.width = width + "px"; c.style.height = height + "px"; c.width = width * ratio; c.height = height * ratio;
  const g = c.getContext("2d"); g.scale(ratio, ratio); g.clearRect(0, 0, width, height);
  g.font = "12px system-ui, sans-serif"; g.textBaseline = "middle";
  return [g, width, us => kLeft + (us - from) / (to - from) * (width - kLeft - 8)];
}
const scroller = document.getElementById("rows"), kAll = order.length * kRow + 4;
document.getElementById("all").style.height = kAll + "px";
let shown = [];
// Only the rows in sight: browsers limit a canvas to some 32,000 pixels, fewer than ten thousand threads need.
function drawRows() {
  const height = Math.min(kAll, scroller.clientHeight), above = Math.min(scroller.scrollTop, kAll - height);
  const [g, width, x] = canvas("lines", height), top = tid => rows.get(tid).index * kRow - above;
  const inSight = y => y + kRow > 0 && y < height;
  shown = [];
  order.forEach((r, i) => { if (i % 2 && inSight(top(r.tid))) { g.fillStyle = "#f6f6f6"; g.fillRect(0, top(r.tid), width, kRow); } });
  g.save(); g.beginPath(); g.rect(kLeft, 0, width - kLeft, height); g.clip();
  const box = (s, inset) => {
    const a = x(s.ts), b = x(s.ts + s.dur), y = top(s.tid);
    if (b < kLeft || a > width || !inSight(y)) return;
    g.fillStyle = colours[s.cat]; g.fillRect(a, y + inset, Math.max(b - a, 1), kRow - 2 * inset);
    shown.push([a, y, Math.max(b - a, 3), kRow, s]);
  };
  slices.filter(s => s.cat === "thread").forEach(s => box(s, 3));
  slices.filter(s => s.cat !== "thread").forEach(s => box(s, 3));
  const lines = [...arrows.values()].filter(({ s, f }) =>
    s && f && rows.has(s.tid) && inSight(top(f.tid)) && x(f.ts) >= kLeft && x(f.ts) <= width);
  if (lines.length < kMaxLines) {  // more hide what they should explain; zooming in brings them back
    g.strokeStyle = "rgba(138,109,59,.55)"; g.lineWidth = 1; g.beginPath();
    for (const { s, f } of lines) { g.moveTo(x(s.ts), top(s.tid) + kRow / 2); g.lineTo(x(f.ts), top(f.tid) + kRow / 2); }
    g.stroke();
  }
  for (const m of marks) {
    const a = x(m.ts), y = top(m.tid);
    if (!inSight(y)) continue;
    g.fillStyle = colours[m.cat]; g.fillRect(a - 1, y, 2, 5); shown.push([a - 2, y, 4, 5, m]);
  }
  g.restore();
  g.fillStyle = "#222";
  order.forEach(r => { if (inSight(top(r.tid))) g.fillText(r.name, 6, top(r.tid) + kRow / 2, kLeft - 12); });
}
function drawAxis() {
  const [g, width, x] = canvas("axis", 24), step = 10 ** Math.floor(Math.log10((to - from) / 4));
  g.fillStyle = "#222";
  const wide = (to - from) / step > 10 ? 5 * step : step, [unit, name] = to >= 1e6 ? [1e6, " s"] : to >= 1e3 ? [1e3, " ms"] : [1, " µs"];
  for (let n = Math.ceil(from / wide); n * wide <= to; ++n) {
    const a = x(n * wide), label = +(n * wide / unit).toPrecision(12) + name;
    g.fillRect(a, 0, 1, 5);
    if (a + 3 + g.measureText(label).width < width) g.fillText(label, a + 3, 13);
  }
}
function drawParallel() {
  const [g, width, x] = canvas("parallel", 110), top = Math.max(1, most), y = n => 100 - n / top * 92;
  // A bar for each pixel: the mean over its time, as many changes may fall into one.
  const sums = new Float64Array(Math.ceil(width) + 1);
  running.forEach(([t, n], i) => {
    const a = x(Math.max(t, from)), b = x(Math.min(until(i), to));
    for (let p = Math.floor(a); p < b; ++p) sums[p] += n * (Math.min(b, p + 1) - Math.max(a, p));
  });
  g.fillStyle = "#8fbf9a";
  for (let p = kLeft; p < width; ++p) g.fillRect(p, y(sums[p]), 1, 100 - y(sums[p]));
  g.fillStyle = "#ccc"; g.fillRect(kLeft, 100, width - kLeft - 8, 1);
  g.fillStyle = "#222"; g.fillText(most, 6, 10); g.fillText("0", 6, 98);
}
function draw() { drawRows(); drawAxis(); drawParallel(); }
// --- moving
const lines = document.getElementById("lines"), tip = document.getElementById("tip");
const at = e => from + (e.offsetX - kLeft) / (lines.clientWidth - kLeft - 8) * (to - from);
scroller.addEventListener("scroll", drawRows);
lines.addEventListener("wheel", e => { e.preventDefault();
  if (e.shiftKey) { scroller.scrollTop += e.deltaY || e.deltaX; return; }
  const t = at(e), f = e.deltaY < 0 ? .8 : 1.25;
  from = Math.max(first, t - (t - from) * f); to = Math.min(last, t + (to - t) * f); draw(); }, { passive: false });
lines.addEventListener("dblclick", () => { from = first; to = last; draw(); });
let grip = null;
lines.addEventListener("mousedown", e => grip = [e.offsetX, from, to]);
window.addEventListener("mouseup", () => grip = null);
lines.addEventListener("mousemove", e => {
  if (grip) { const d = (grip[0] - e.offsetX) / (lines.clientWidth - kLeft) * (grip[2] - grip[1]);
    const m = Math.min(Math.max(d, first - grip[1]), last - grip[2]); from = grip[1] + m; to = grip[2] + m; draw(); return; }
  const hit = shown.findLast(([x, y, w, h]) => e.offsetX >= x && e.offsetX <= x + w && e.offsetY >= y && e.offsetY < y + h);
  tip.style.display = hit ? "block" : "none";
  if (!hit) return;
  const s = hit[4], a = s.args || {};
  tip.textContent = rows.get(s.tid).name + ": " + s.name + (s.dur === undefined ? "" : " for " + time(s.dur)) + " at " + time(s.ts) +
    Object.entries(a).map(([k, v]) => "\n" + k.replace("_", " ") + ": " + (Array.isArray(v) ? v.join(" \u2190 ") : v)).join("");
  tip.style.left = Math.min(e.clientX + 14, innerWidth - 260) + "px"; tip.style.top = e.clientY + 14 + "px";
});
lines.addEventListener("mouseleave", () => tip.style.display = "none");
window.addEventListener("resize", draw);
draw();
</script></body></html>
)page";

}  // namespace heddle::cli
