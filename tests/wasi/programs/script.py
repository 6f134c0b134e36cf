# Runs in the host's Python and in Python built for wasm32-wasi; both must print the same. argv[1]: a fresh folder.
import hashlib
import json
import os
import random
import re
import sys
import time

folder = sys.argv[1]
os.makedirs(f"{folder}/tree/inner", exist_ok=True)
for i in range(50):
    with open(f"{folder}/tree/{i:02}.txt", "w") as file:
        file.write(f"line {i}\n" * i)
print(sorted(os.listdir(f"{folder}/tree"))[:3], len(os.listdir(f"{folder}/tree")))
print(sum(os.path.getsize(entry.path) for entry in os.scandir(f"{folder}/tree") if entry.is_file()))

os.rename(f"{folder}/tree/49.txt", f"{folder}/tree/inner/moved.txt")
os.symlink("inner/moved.txt", f"{folder}/tree/link")
print(os.readlink(f"{folder}/tree/link"), os.path.islink(f"{folder}/tree/link"))
with open(f"{folder}/tree/link") as file:
    print(len(file.readlines()))
with open(f"{folder}/tree/inner/moved.txt", "r+b") as file:
    file.seek(-8, os.SEEK_END)
    print(file.read(4), file.tell())
    file.truncate(100)
print(os.stat(f"{folder}/tree/inner/moved.txt").st_size)
os.utime(f"{folder}/tree/00.txt", (1_000_000_000, 1_100_000_000))
print(os.stat(f"{folder}/tree/00.txt").st_mtime_ns)
with open(f"{folder}/tree/log", "a") as file:
    file.write("first\n")
with open(f"{folder}/tree/log", "a") as file:
    file.write("second\n")
print(open(f"{folder}/tree/log").read().split())

for action in (lambda: open(f"{folder}/none"), lambda: os.mkdir(f"{folder}/tree"), lambda: os.rmdir(f"{folder}/tree"),
               lambda: open(f"{folder}/tree"), lambda: os.listdir(f"{folder}/tree/log")):
    try:
        action()
        print("no error")
    except OSError as error:
        print(type(error).__name__)

start, wall = time.monotonic(), time.time()
time.sleep(0.02)
print(time.monotonic() - start >= 0.02, time.time() - wall >= 0.015, time.gmtime().tm_year >= 2024)

random.seed(7)
numbers = [random.random() for _ in range(20000)]
print(hashlib.sha256(json.dumps(sorted(numbers)).encode()).hexdigest())
print(len(re.findall(r"9[0-4]+", str(2 ** 10000))), sys.stdin.read().upper())

for root, folders, files in os.walk(f"{folder}/tree", topdown=False):
    for name in files:
        os.remove(os.path.join(root, name))
    for name in folders:
        path = os.path.join(root, name)
        os.remove(path) if os.path.islink(path) else os.rmdir(path)
os.rmdir(f"{folder}/tree")
print(os.listdir(folder))
