#!/usr/bin/env bash
# Runs fast tests on the other supported versions of Node.js, which the registry has as packages: on the oldest and the
# newest all tests of the code, and on those in between the suites that hold transports, backplanes and the protocol to what
# they promise; on 24, which is recommended, also the tests of behaviour. A part that needs nothing of Node.js, and works on
# the oldest and the newest, works in between. Documents and types are the same on all of them. What the system tests show,
# they show on one version.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0

for version in 20 22 24 26; do
  [[ "$(node --version)" == "v$version."* ]] && continue
  folder="$PWD/.nodes/$version"
  bin="$folder/node_modules/node/bin"
  if [ ! -x "$bin/node" ]; then
    mkdir -p "$folder"
    npm install --silent --no-save --prefix "$folder" "node@$version" || { status=1; continue; }
  fi
  case "$version" in
    20 | 26) folders=(test/behaviour test/conformance test/unit) ;;
    24) folders=(test/behaviour test/conformance test/unit/transports) ;;
    *) folders=(test/conformance test/unit/transports) ;;
  esac
  echo
  echo "The fast tests on Node.js $("$bin/node" --version):"
  # First on the path, for the processes that the tests start.
  PATH="$bin:$PATH" node node_modules/vitest/vitest.mjs run --project fast "${folders[@]}" || status=1
done
exit $status
