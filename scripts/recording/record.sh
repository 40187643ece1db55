#!/bin/sh
# Records the demo anew, as docs/demo.svg: `npm run recording`. Needs Python 3 with venv, and `script` of util-linux; takes a minute.
set -eu
cd "$(dirname "$0")/../.."
folder=.data/recording
if [ ! -x "$folder/venv/bin/termtosvg" ]; then
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet termtosvg==1.1.0
fi
# It records a terminal, and CI may have none.
script --quiet --return --command \
  "$folder/venv/bin/termtosvg record -c 'npm run --silent demo -- --answer keep-first' -g 124x40 $folder/demo.cast" /dev/null </dev/null >"$folder/demo.log"
# Never still for longer than a second and a half, and no more than four pictures a second.
"$folder/venv/bin/termtosvg" render "$folder/demo.cast" docs/demo.svg -t scripts/recording/screen.svg -m 250 -M 1500 -D 5000
