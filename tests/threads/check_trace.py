#!/usr/bin/env python3
"""Runs a guest with --trace-threads and checks the trace: as JSON, its counts, and that its events fit together.

    check_trace.py HEDDLE GUEST EXIT_CODE MIN_THREADS MIN_WAKES ARGS...
"""
import json
import pathlib
import subprocess
import sys
import tempfile


def complaints(events, min_threads, min_wakes):
    runs = [e for e in events if e["ph"] == "X" and e["name"] == "run"]
    waits = [e for e in events if e["ph"] == "X" and e["name"] == "wait"]
    calls = [e for e in events if e["ph"] == "X" and e["cat"] == "wasi"]
    spawned = [e["args"]["thread"] for e in events if e["name"] == "spawn"]
    woken = [e for e in waits if e["args"].get("result") == "ok"]
    if len(runs) < min_threads:
        yield f"{len(runs)} threads ran, wanted {min_threads}"
    if not {e["tid"] for e in runs} <= {0, *spawned}:
        yield f"a thread ran that nobody spawned: {[e['tid'] for e in runs]}, {spawned}"
    if len(woken) < min_wakes:
        yield f"{len(woken)} waits were woken, wanted {min_wakes}"
    if not calls:
        yield "no WASI call"
    lives = {}
    for e in runs:
        lives.setdefault(e["tid"], []).append((e["ts"], e["ts"] + e["dur"]))
    for e in waits + calls:
        if not any(a <= e["ts"] and e["ts"] + e["dur"] <= b + 0.01 for a, b in lives.get(e["tid"], [])):
            yield f"outside its thread's life: {e}"
    for e in waits:
        if not e["args"]["stack"] or int(e["args"]["address"], 16) == 0:
            yield f"a wait without stack or address: {e}"
    wakes = {(e["tid"], e["args"]["address"]) for e in events if e["name"] == "wake" and e["args"]["woken"] > 0}
    ended = [e for e in events if e["ph"] == "X" and e["args"].get("unfinished")]
    for e in woken:
        # The end of the group may come between waking and noting it.
        if (e["args"]["woken_by"], e["args"]["address"]) not in wakes and not ended:
            yield f"woken by a thread that did not: {e}"
    if sum(e["ph"] == "s" for e in events) != sum(e["ph"] == "f" for e in events):
        yield "an arrow has one end"


def main():
    heddle, guest, code, min_threads, min_wakes, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        trace, page = pathlib.Path(folder) / "trace.json", pathlib.Path(folder) / "page.html"
        done = subprocess.run([heddle, "run", "--trace-threads", str(trace), guest, *arguments], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=50)
        wrong = [] if done.returncode == int(code) else [f"exit code {done.returncode}: {done.stderr.decode()}"]
        wrong += complaints(json.loads(trace.read_text())["traceEvents"], int(min_threads), int(min_wakes))
        subprocess.run([heddle, "timeline", str(trace), "-o", str(page)], check=True, timeout=50)
        text = page.read_text()
        if "/*TRACE*/" in text or text.count("</script>") != 1 or "thread_name" not in text:
            wrong.append("the page does not hold the trace")
    for sentence in wrong[:10]:
        print(f"WRONG: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
