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
  # First on the path, for the processes that the tests start. Whole runs of the benchmark and its page, which are slow,
  # are the project's own and not the users' concern.
  PATH="$PWD/$(dirname "$node"):$PATH" "$node" node_modules/vitest/vitest.mjs run --typecheck.enabled=false \
    --exclude test/bench/harness.test.ts --exclude test/bench/html.test.ts
done
