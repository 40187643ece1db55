#!/bin/sh
# Puts the original's server, as it was published, into an environment of its own below .data/. Safe to run again: it looks first.
set -eu
cd "$(dirname "$0")/../.."

environment=.data/original
wanted=model-tests/original/requirements.txt
cmp -s "$wanted" "$environment/installed.txt" && "$environment/bin/python" -c 'import taskbridge' 2>/dev/null && exit 0

give_up() { printf '%s\n' "$*" >&2; exit 1; }

python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$candidate; break; fi
done
[ -n "$python" ] || give_up "Please install Python 3.11 or newer as python3: the tests talk to the original server. Found: $(python3 --version 2>&1 || :)."
"$python" -c 'import ensurepip, venv' 2>/dev/null || give_up "Please install the venv module of $python (package $python-venv on Debian and Ubuntu)."

echo 'Installing the original server into .data/original'
rm -rf "$environment"
mkdir -p "$(dirname "$environment")"
"$python" -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
cp "$wanted" "$environment/installed.txt"
