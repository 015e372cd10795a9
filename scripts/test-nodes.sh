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
    --exclude "test/bench/**" --exclude "test/browser/**" --exclude "test/overload/**" --exclude "test/soak/**" \
    --exclude "test/network/scenarios.test.ts" --exclude "test/contract/asyncapi.test.ts" --exclude "test/half-open.test.ts" \
    --exclude "test/fuzz/**" --exclude "test/docs/**" --exclude "test/client/bundle.test.ts" \
    --exclude "test/msgpack-hostile.test.ts" --exclude "test/backplanes/{failures,memory,nats-suite,redis-suite}.test.ts"
done
