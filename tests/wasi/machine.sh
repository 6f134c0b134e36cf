#!/usr/bin/env bash
# machine.sh FOLDER COMMAND [ARGS]: makes, in user and mount namespaces of its own and below FOLDER only, what
# tests/wasi/guests/cases_machine.c runs into, then runs COMMAND there without any privilege. FOLDER has small, locked,
# rofs as empty folders.
set -euo pipefail

if [ "${1:-}" = --inside ]; then
  folder=$2
  shift 2
  mount -t tmpfs -o size=64k,nr_inodes=8 small "$folder/small"
  mount -t tmpfs -o size=64k rofs "$folder/rofs"
  mkdir "$folder/rofs/empty"
  echo precious >"$folder/rofs/file"
  mount -o remount,ro "$folder/rofs"
  ulimit -f 1024
  # A second user namespace, as somebody who is not root: the command has no capability in any.
  exec unshare --user --map-user=1000 --map-group=1000 "$@"
fi

folder=$1
shift
mkdir "$folder/locked/empty" "$folder/locked/closed"
echo secret >"$folder/locked/file"
echo open >"$folder/locked/open-file"
chmod 0 "$folder/locked/file" "$folder/locked/closed"
chmod 555 "$folder/locked"
exec unshare --user --map-root-user --mount "$0" --inside "$folder" "$@"
