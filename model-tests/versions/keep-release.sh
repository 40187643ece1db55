#!/bin/sh
# Makes the fixture of a release from what `npm pack` gave: keep-release.sh <packed.tgz> <kept.tgz>
# Keeps what a host or a client runs by. Left out: source maps, declarations, the conformance kit and docs.
# The same files give the same bytes: sorted, without dates and owners.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xzf "$1" -C "$work"
cd "$work"
rm -rf package/docs package/dist/model-tests
find package \( -name '*.map' -o -name '*.d.ts' \) -delete
find package -name '*.js' -exec sed -i '/^\/\/# sourceMappingURL=/d' {} +
find package -type d -empty -delete
cd "$OLDPWD"
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$work" -c package | gzip -n9 >"$2"
