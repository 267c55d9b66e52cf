#!/bin/sh
# Installs what the tests need beyond npm packages: Debian's Chromium, for the end-to-end tests in a real browser, HAProxy
# and nginx, for the tests behind real proxies, OpenSSL, for certificates, Prometheus, whose promtool judges the metrics,
# and Redis with its Sentinel, for the engine of many nodes. Does nothing when they are there. `npm test` calls it.
set -eu

# A program and the package that has it, a line each.
PROGRAMS='/usr/bin/chromium chromium
/usr/sbin/haproxy haproxy
/usr/sbin/nginx nginx
/usr/bin/openssl openssl
/usr/bin/promtool prometheus
/usr/bin/redis-server redis-server
/usr/bin/redis-sentinel redis-sentinel
/bin/ip iproute2'

missing() {
  printf '%s\n' "$PROGRAMS" | while read -r program package; do
    [ -x "$program" ] || printf '%s ' "$package"
  done
}

packages=$(missing)
[ -n "$packages" ] || exit 0

fail() {
  printf '%s\n' "$1" >&2
  printf '%s\n' 'The tests drive real programs. Install what is missing and run `npm test` again:' >&2
  printf '%s\n' "    sudo apt-get install $packages" >&2
  exit 1
}

command -v apt-get >/dev/null 2>&1 || fail "Missing: $packages, and there is no apt-get to install it with."

if [ "$(id -u)" -eq 0 ]; then
  as_root=''
elif command -v sudo >/dev/null 2>&1; then
  as_root='sudo'
else
  fail "Missing: $packages, and installing it takes root: there is no sudo."
fi

echo "Installing for the tests (once): $packages"
log=$(mktemp)

# Debian starts what it installs. The tests start their own; what nobody asked for should not listen here.
POLICY=/usr/sbin/policy-rc.d
keeps_policy=no
[ -e "$POLICY" ] && keeps_policy=yes

cleanup() {
  rm -f "$log"
  [ "$keeps_policy" = yes ] || $as_root rm -f "$POLICY"
}
trap cleanup EXIT

# `env` carries the variable through sudo, which clears the environment. stdin is closed: nothing may ask.
install() {
  if [ "$keeps_policy" = no ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$POLICY" >/dev/null && $as_root chmod 755 "$POLICY" || return 1
  fi
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update >"$log" 2>&1 </dev/null &&
    $as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install --yes --no-install-recommends $packages >>"$log" 2>&1 </dev/null
}

if ! install; then
  tail -n 20 "$log" >&2
  fail "apt-get could not install $packages; its last lines are above."
fi

left=$(missing)
[ -z "$left" ] || fail "apt-get was content, but of these the programs are missing: $left"
