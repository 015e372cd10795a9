#!/usr/bin/env bash
# Installs what the tests need beyond npm packages: Chromium and Firefox for the pages, Redis and NATS for the backplanes,
# the proxies that docs/PROXIES.md configures, and a WebSocket package of Python's for the example.
set -euo pipefail

missing=()
[ -x /usr/bin/chromium ] || missing+=(chromium)
[ -x /usr/bin/firefox-esr ] || missing+=(firefox-esr)
command -v redis-server > /dev/null || missing+=(redis-server)
command -v nats-server > /dev/null || missing+=(nats-server)
[ -x /usr/sbin/nginx ] || missing+=(nginx)
[ -x /usr/sbin/haproxy ] || missing+=(haproxy)
[ -x /usr/bin/caddy ] || missing+=(caddy)
/usr/bin/python3 -c "import websockets" 2> /dev/null || missing+=(python3-websockets)

if [ ${#missing[@]} -eq 0 ]; then
  echo "Chromium, Firefox, Redis, NATS, nginx, HAProxy, Caddy and Python's websockets are installed."
  exit 0
fi
if ! command -v apt-get > /dev/null; then
  echo "The tests need ${missing[*]}, and this system has no apt-get to install it." >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then as_root="sudo"; fi
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"

# Debian starts servers once they are installed, and with the machine. The tests start their own.
if [ -d /run/systemd/system ]; then
  for package in "${missing[@]}"; do
    case "$package" in
      redis-server | nats-server | nginx | haproxy | caddy) $as_root systemctl --quiet disable --now "$package" ;;
    esac
  done
fi
