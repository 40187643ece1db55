#!/bin/sh
# Puts the original's server, as it was published, into an environment of its own below .data/. Safe to run again: it looks first.
set -eu
cd "$(dirname "$0")/../.."

environment=.data/original
wanted=model-tests/original/requirements.txt
cmp -s "$wanted" "$environment/installed.txt" && exit 0

command -v python3 >/dev/null 2>&1 || { echo 'Please install python3 (3.11 or newer): the tests talk to the original server.' >&2; exit 1; }
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "The original server needs Python 3.11 or newer, and python3 is $(python3 --version)." >&2; exit 1; }
python3 -c 'import ensurepip, venv' 2>/dev/null ||
  { echo 'Please install the venv module of Python (package python3-venv on Debian and Ubuntu).' >&2; exit 1; }

echo 'Installing the original server into .data/original'
rm -rf "$environment"
mkdir -p "$(dirname "$environment")"
python3 -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
cp "$wanted" "$environment/installed.txt"
