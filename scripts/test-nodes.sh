#!/usr/bin/env bash
# Runs the test suite on the other supported versions of Node.js, which the registry brings as packages.
set -euo pipefail
cd "$(dirname "$0")/.."

for version in 22 24; do
  folder=".nodes/$version"
  node="$folder/node_modules/node/bin/node"
  if [ ! -x "$node" ]; then
    mkdir -p "$folder"
    npm install --silent --no-save --prefix "$folder" "node@$version"
  fi
  echo
  echo "The tests on Node.js $("$node" --version):"
  # First on the path, for the processes that the tests start. The benchmark, the pages in the browser, what measures memory,
  # the network's faults, the fuzzing, the documents and the engines of backplanes are slow, and do not depend on the version
  # of the server: Node.js 20 has shown them.
  PATH="$PWD/$(dirname "$node"):$PATH" "$node" node_modules/vitest/vitest.mjs run --typecheck.enabled=false \
    --exclude "test/{unit,system}/bench/**" --exclude "test/docs/**" --exclude "test/conformance/backplanes/memory.test.ts" \
    --exclude "test/unit/contract/asyncapi.test.ts" --exclude "test/unit/msgpack/hostile.test.ts" \
    --exclude "test/system/{backplanes,browser,fuzz,overload,soak}/**" \
    --exclude "test/system/network/{half-open,scenarios}.test.ts"
done
