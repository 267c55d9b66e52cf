#!/bin/sh
# Lets Debian's testssl.sh look at both TLS listeners of a real node, started with config/trunkline.sample.yaml and its
# tls and wss switched on, over loopback. Fails when there is a finding above LOW. The certificate is signed by a CA of
# this run's own, which testssl.sh is told to trust. Takes a built tree (npm run build), openssl, testssl.sh, and some
# minutes, because testssl.sh starts thousands of small programs:
#
#     sh scripts/check-tls.sh [ec|rsa [FOLDER for testssl.sh's reports]]
#
# See docs/security.md, "TLS".
set -eu
cd "$(dirname "$0")/.."

kind=${1:-ec}
PATH=$PWD/node_modules/.bin:$PATH
# testssl.sh asks for the terminal's abilities even when it uses none.
case ${TERM:-dumb} in dumb) TERM=xterm ;; esac
export TERM

fail() {
  printf 'check-tls: %s\n' "$1" >&2
  exit 1
}

testssl=$(command -v testssl || command -v testssl.sh) || fail 'testssl.sh is missing: sudo apt-get install testssl.sh'
command -v openssl >/dev/null || fail 'openssl is missing: sudo apt-get install openssl'
[ -f dist/cli/main.js ] || fail 'the tree is not built: npm run build'

dir=$(mktemp -d)
node_pid=''
cleanup() {
  if [ -n "$node_pid" ]; then
    kill "$node_pid" 2>/dev/null || true
    wait "$node_pid" 2>/dev/null || true
  fi
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
umask 077

case $kind in
  ec) key='ec -pkeyopt ec_paramgen_curve:prime256v1' ;;
  rsa) key='rsa:2048' ;;
  *) fail "$kind: write ec or rsa" ;;
esac
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj '/CN=check-tls CA' \
  -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
# shellcheck disable=SC2086
openssl req -newkey $key -nodes -subj '/CN=localhost' -keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null
# What a public CA would put in; nobody fetches the list.
cat >"$dir/extensions" <<'EXTENSIONS'
subjectAltName = DNS:localhost
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
crlDistributionPoints = URI:http://localhost/check-tls.crl
EXTENSIONS
openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 90 \
  -extfile "$dir/extensions" -out "$dir/server.crt" 2>/dev/null

# The sample's secrets, made for this run.
for name in SHOP_APP_KEY SHOP_ASSERTION_SECRET IM_BRIDGE_KEY IM_SIGNING_SECRET LIVE_BRIDGE_KEY; do
  export "$name=$(openssl rand -hex 24)"
done

node dist/cli/main.js start --config config/trunkline.sample.yaml --json \
  --set "node.dataDir=$dir/data" --set node.workers=1 --set node.logLevel=error \
  --set access.tcp=null --set access.ws=null --set public.port=0 --set private.port=0 \
  --set access.tls.port=0 --set "access.tls.certFile=$dir/server.crt" --set "access.tls.keyFile=$dir/server.key" \
  --set access.wss.port=0 --set "access.wss.certFile=$dir/server.crt" --set "access.wss.keyFile=$dir/server.key" \
  >"$dir/node.json" &
node_pid=$!
until [ -s "$dir/node.json" ]; do
  kill -0 "$node_pid" 2>/dev/null || fail 'the node did not start'
  sleep 0.1
done

port_of() {
  node -p '
    const { addresses } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
    addresses[process.argv[2]].split(":").at(-1);
  ' "$dir/node.json" "$1"
}

# Prints what was found above LOW, and ends with 1 when that is anything.
judge() {
  node -e '
    const findings = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
    const rank = ["MEDIUM", "HIGH", "CRITICAL", "FATAL"];
    const low = findings.filter(({ severity }) => severity === "LOW");
    const worse = findings.filter(({ severity }) => rank.includes(severity));
    for (const { severity, id, finding } of [...low, ...worse]) console.log(`  ${severity} ${id}: ${finding}`);
    console.log(`  ${low.length} LOW, ${worse.length} above`);
    process.exit(worse.length === 0 ? 0 : 1);
  ' "$1"
}

# Protocols, ciphers, forward secrecy, the server's preferences and certificate, and every known vulnerability; left out
# are HTTP headers, which these ports have none of, and what which browser would choose.
look() {
  "$testssl" -p -s -f -P -S -U --color 0 --warnings batch --quiet --ip 127.0.0.1 --nodns min --add-ca "$dir/ca.pem" \
    --jsonfile "$dir/$1.json" "localhost:$(port_of "$1")" >"$dir/$1.log" 2>&1 </dev/null || true
}

look tls &
tls_pid=$!
look wss &
wait "$tls_pid" "$!"

status=0
for protocol in tls wss; do
  # Without its last line it did not come to its end.
  grep -q '^ Done ' "$dir/$protocol.log" || {
    cat "$dir/$protocol.log" >&2
    fail "testssl.sh did not finish with $protocol"
  }
  [ "$#" -lt 2 ] || cp "$dir/$protocol.log" "$dir/$protocol.json" "$2"
  printf '%s, %s certificate\n' "$protocol" "$kind"
  judge "$dir/$protocol.json" || status=1
done
exit "$status"
