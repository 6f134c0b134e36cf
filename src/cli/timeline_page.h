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
  canvas { display: block; width: 100%; } #rows { max-height: 34em; overflow-y: auto; border: 1px solid #ccc; }
  #tip { position: fixed; background: #222; color: #fff; padding: .35em .6em; border-radius: 3px; display: none;
         pointer-events: none; white-space: pre; z-index: 2; } small { color: #666; }
</style></head><body>
<h1>Threads over time</h1><div id="summary"></div>
<p class="legend"><span><i style="background:#4c9a5b"></i>running</span><span><i style="background:#d9822b"></i>waiting
(memory.atomic.wait)</span><span><i style="background:#3b78b5"></i>WASI call</span><span><i
style="background:#7b3fa0"></i>spawn (mark)</span><span><i style="background:#c0392b"></i>wake (mark)</span><span><i
style="background:#8a6d3b;height:2px;vertical-align:4px"></i>woken or spawned by (line)</span></p>
<small>Wheel: zoom. Drag: move. Double click: everything. Point at something for details.</small>
<h2>Timeline</h2><div id="rows"><canvas id="lines"></canvas></div><canvas id="axis"></canvas>
<h2>Parallelism: threads that neither wait nor are in a WASI call</h2><canvas id="parallel"></canvas>
<h2>Time waited, by address</h2><table id="waits"></table>
<h2>Threads</h2><table id="threads"></table>
<div id="tip"></div>
<script>
"use strict";
const trace = /*TRACE*/null;
const kRow = 18, kLeft = 110, kMaxTable = 40;
const colours = { thread: "#4c9a5b", wait: "#d9822b", wasi: "#3b78b5", spawn: "#7b3fa0", wake: "#c0392b" };
const rows = new Map(), slices = [], marks = [], arrows = new Map();
for (const e of trace.traceEvents) {
  if (!rows.has(e.tid)) rows.set(e.tid, { tid: e.tid, name: "thread " + e.tid, run: 0, wait: 0, wasi: 0 });
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
const byAddress = new Map(), steps = [];
for (const s of slices) {
  const r = rows.get(s.tid);
  r[s.cat === "thread" ? "run" : s.cat] += s.dur;
  const step = s.cat === "thread" ? 1 : -1;
  steps.push([s.ts, step], [s.ts + s.dur, -step]);
  if (s.cat !== "wait") continue;
  const a = byAddress.get(s.args.address) || { address: s.args.address, total: 0, count: 0, longest: 0, threads: new Set(), places: new Map() };
  a.total += s.dur; ++a.count; a.longest = Math.max(a.longest, s.dur); a.threads.add(s.tid);
  const place = s.args.stack.join(" \u2190 ");
  a.places.set(place, (a.places.get(place) || 0) + s.dur);
  byAddress.set(s.args.address, a);
}
steps.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
const running = [];
{ let n = 0; for (const [t, d] of steps) { n += d; running.push([t, n]); } }
let busy = 0, most = 0;
running.forEach(([t, n], i) => { const next = i + 1 < running.length ? running[i + 1][0] : last;
  busy += n * (next - t); if (next > t) most = Math.max(most, n); });
const waited = slices.filter(s => s.cat === "wait").reduce((sum, s) => sum + s.dur, 0);
document.getElementById("summary").textContent = order.length + " threads in " + time(last) + "; on average " +
  (busy / last).toFixed(2) + " at work, at most " + most + "; " + time(waited) + " waited in all, " +
  slices.filter(s => s.cat === "wasi").length + " WASI calls";
fill(document.getElementById("waits"),
  [["address"], ["waited", "n"], ["waits", "n"], ["longest", "n"], ["threads", "n"], ["where (innermost function first)"]],
  [...byAddress.values()].sort((a, b) => b.total - a.total).map(a => [a.address, time(a.total), a.count, time(a.longest),
    a.threads.size, [...a.places].sort((x, y) => y[1] - x[1])[0][0] + (a.places.size > 1 ? " and " + (a.places.size - 1) + " more" : "")]));
fill(document.getElementById("threads"),
  [["thread"], ["lived", "n"], ["at work", "n"], ["waited", "n"], ["in WASI calls", "n"]],
  order.map(r => [r.name, time(r.run), time(Math.max(0, r.run - r.wait - r.wasi)), time(r.wait), time(r.wasi)]));
// --- drawing
function canvas(id, height) {
  const c = document.getElementById(id), ratio = window.devicePixelRatio || 1, width = c.clientWidth || 1000;
  c.style.height = height + "px"; c.width = width * ratio; c.height = height * ratio;
  const g = c.getContext("2d"); g.scale(ratio, ratio); g.clearRect(0, 0, width, height);
  g.font = "12px system-ui, sans-serif"; g.textBaseline = "middle";
  return [g, width, us => kLeft + (us - from) / (to - from) * (width - kLeft - 8)];
}
let shown = [];
function drawRows() {
  const [g, width, x] = canvas("lines", order.length * kRow + 4);
  shown = [];
  order.forEach((r, i) => { if (i % 2) { g.fillStyle = "#f6f6f6"; g.fillRect(0, i * kRow, width, kRow); } });
  g.save(); g.beginPath(); g.rect(kLeft, 0, width - kLeft, order.length * kRow + 4); g.clip();
  const box = (s, inset) => {
    const a = x(s.ts), b = x(s.ts + s.dur), y = rows.get(s.tid).index * kRow;
    if (b < kLeft || a > width) return;
    g.fillStyle = colours[s.cat]; g.fillRect(a, y + inset, Math.max(b - a, 1), kRow - 2 * inset);
    shown.push([a, y, Math.max(b - a, 3), kRow, s]);
  };
  slices.filter(s => s.cat === "thread").forEach(s => box(s, 3));
  slices.filter(s => s.cat !== "thread").forEach(s => box(s, 3));
  if (arrows.size < 5000) {
    g.strokeStyle = "rgba(138,109,59,.55)"; g.lineWidth = 1; g.beginPath();
    for (const { s, f } of arrows.values()) {
      if (!s || !f || !rows.has(s.tid)) continue;
      g.moveTo(x(s.ts), rows.get(s.tid).index * kRow + kRow / 2); g.lineTo(x(f.ts), rows.get(f.tid).index * kRow + kRow / 2);
    }
    g.stroke();
  }
  for (const m of marks) {
    const a = x(m.ts), y = rows.get(m.tid).index * kRow;
    g.fillStyle = colours[m.cat]; g.fillRect(a - 1, y, 2, 5); shown.push([a - 2, y, 4, 5, m]);
  }
  g.restore();
  g.fillStyle = "#222";
  order.forEach((r, i) => g.fillText(r.name, 6, i * kRow + kRow / 2, kLeft - 12));
}
function drawAxis() {
  const [g, width, x] = canvas("axis", 24), step = 10 ** Math.floor(Math.log10((to - from) / 4));
  g.fillStyle = "#222";
  const wide = (to - from) / step > 10 ? 2 * step : step;
  for (let t = Math.ceil(from / wide) * wide; t <= to; t += wide) { g.fillRect(x(t), 0, 1, 5); g.fillText(time(t), x(t) + 3, 13); }
}
function drawParallel() {
  const [g, width, x] = canvas("parallel", 110), top = Math.max(1, most), y = n => 100 - n / top * 92;
  g.fillStyle = "#bcd9c2"; g.beginPath(); g.moveTo(x(from), 100);
  let n = 0;
  for (const [t, value] of running) {
    if (t > to) break;
    if (t >= from) { g.lineTo(x(t), y(n)); g.lineTo(x(t), y(value)); } else g.lineTo(x(from), y(value));
    n = value;
  }
  g.lineTo(x(Math.min(to, last)), y(n)); g.lineTo(x(Math.min(to, last)), 100); g.fill();
  g.fillStyle = "#222"; g.fillText(most, 6, 10); g.fillText("0", 6, 98);
}
function draw() { drawRows(); drawAxis(); drawParallel(); }
// --- moving
const lines = document.getElementById("lines"), tip = document.getElementById("tip");
const at = e => from + (e.offsetX - kLeft) / (lines.clientWidth - kLeft - 8) * (to - from);
lines.addEventListener("wheel", e => { e.preventDefault(); const t = at(e), f = e.deltaY < 0 ? .8 : 1.25;
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
