"""Runs heddle with --perf=map and reads the map as perf does: what it says is well formed, disjoint, and names $inner."""
import pathlib
import re
import subprocess
import sys

heddle, guest = sys.argv[1:]
child = subprocess.Popen([heddle, "run", "--perf=map", "--tier=baseline", guest], stderr=subprocess.PIPE)
child.communicate()
assert child.returncode == 134, child.returncode
path = pathlib.Path(f"/tmp/perf-{child.pid}.map")
lines = path.read_text().splitlines()
path.unlink()
ranges, names = [], []
for line in lines:
    match = re.fullmatch(r"([0-9a-f]+) ([0-9a-f]+) (\S.*)", line)
    assert match, line
    begin, size = int(match[1], 16), int(match[2], 16)
    ranges.append((begin, begin + size))
    names.append(match[3])
ranges.sort()
assert all(a[1] <= b[0] for a, b in zip(ranges, ranges[1:])), ranges
assert names == ["$outer [baseline]", "$inner [baseline]"], names
