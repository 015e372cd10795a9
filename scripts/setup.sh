#!/usr/bin/env bash
# Installs what the tests need beyond npm packages: Chromium, for the tests of the pages.
set -euo pipefail

if [ -x /usr/bin/chromium ]; then
  echo "Chromium is installed."
  exit 0
fi
if ! command -v apt-get > /dev/null; then
  echo "The tests expect Chromium at /usr/bin/chromium, and this system has no apt-get to install it." >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then as_root="sudo"; fi
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
