#!/bin/sh
# Installs what the tests need beyond npm packages: Debian's Chromium, for the end-to-end tests in a real browser.
# Does nothing when it is there. `npm test` calls it.
set -eu

CHROMIUM=/usr/bin/chromium

if [ -x "$CHROMIUM" ]; then
  exit 0
fi

fail() {
  printf '%s\n' "$1" >&2
  printf '%s\n' 'The end-to-end tests drive a real browser. Install it and run `npm test` again:' >&2
  printf '%s\n' '    sudo apt-get install chromium' >&2
  exit 1
}

command -v apt-get >/dev/null 2>&1 || fail "$CHROMIUM is missing, and there is no apt-get to install it with."

if [ "$(id -u)" -eq 0 ]; then
  as_root=''
elif command -v sudo >/dev/null 2>&1; then
  as_root='sudo'
else
  fail "$CHROMIUM is missing, and installing it takes root: there is no sudo."
fi

echo 'Installing Chromium for the end-to-end tests (once)...'
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# `env` carries the variable through sudo, which clears the environment. stdin is closed: nothing may ask.
install() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update >"$log" 2>&1 </dev/null &&
    $as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install --yes --no-install-recommends chromium >>"$log" 2>&1 </dev/null
}

if ! install; then
  tail -n 20 "$log" >&2
  fail 'apt-get could not install Chromium; its last lines are above.'
fi

[ -x "$CHROMIUM" ] || fail "The package chromium is installed, but $CHROMIUM is missing."
"$CHROMIUM" --version
