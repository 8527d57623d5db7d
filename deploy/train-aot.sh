#!/usr/bin/env bash
# Trains the ahead-of-time caches of a distribution: runs the CLI and, where namespaces and etcd are to be had, a real
# one-node rack, so that the cached classes and profiles are those of real work.   usage: train-aot.sh DIST
set -euo pipefail
dist=$(readlink -f "$1")
rm -f "$dist"/lib/*.aot "$dist"/lib/*.aot.config
name=aot$$
training=$(mktemp -d)
etcd=
clean_up() {
  [ -z "$etcd" ] || kill "$etcd" 2>/dev/null || true
  "$dist/bin/margay" lab down --name "$name" >/dev/null 2>&1 || true
  rm -rf "$training"
}
trap clean_up EXIT

# The JVM keeps nothing of classes without stack maps: every command would verify all of picocli anew.
picocli=$(echo "$dist"/lib/picocli-*.jar)
MARGAY_MAIN=io.margay.cli.dist.StackMaps "$dist/bin/margay" "$picocli"

# Commands on resources: against an etcd of our own, or as far as they come without one.
endpoint=http://127.0.0.1:1
start_etcd() { # client port, peer port; whether it listens
  etcd --name t --data-dir "$training/etcd$1" --listen-client-urls "http://127.0.0.1:$1" --advertise-client-urls "http://127.0.0.1:$1" \
    --listen-peer-urls "http://127.0.0.1:$2" --initial-advertise-peer-urls "http://127.0.0.1:$2" --initial-cluster "t=http://127.0.0.1:$2" >"$training/etcd.log" 2>&1 &
  etcd=$!
  for _ in $(seq 200); do
    kill -0 $etcd 2>/dev/null || return 1
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.05
  done
  kill $etcd
  return 1
}
if command -v etcd >/dev/null; then
  for _ in 1 2 3 4 5; do # a port may be taken
    port=$((20000 + RANDOM % 10000))
    if start_etcd $port $((port + 10000)); then
      endpoint=http://127.0.0.1:$port
      break
    fi
  done
fi
cat >"$training/nodes.yaml" <<YAML
apiVersion: projectcalico.org/v3
kind: Node
metadata: {name: n1, labels: {rack: a}}
spec: {bgp: {ipv4Address: 192.0.2.1/24, asNumber: 65001}}
YAML
policy=$dist/etc/policy.yaml
MARGAY_ETCD_ENDPOINTS=$endpoint MARGAY_MAIN=io.margay.cli.dist.Rehearsal MARGAY_CLI_JAVA_OPTS="-XX:AOTCacheOutput=$dist/lib/cli.aot -Xlog:disable -Xlog:all=off" \
  "$dist/bin/margay" validate -f "$policy" -- policy eval -r "$dist/etc/policy-test-world.yaml" -p "$dist/etc/policy-test-probes.yaml" -- apply -f "$policy" -f "$training/nodes.yaml" -- get nodes -- get networkpolicy -A -o yaml >/dev/null 2>"$training/log" || true
[ -f "$dist/lib/cli.aot" ] || echo "train-aot: no CLI cache was written; the CLI starts slower" >&2

# bgpd: its start and its stop, without a neighbor: no route is ever seen in training.
cat >"$training/bgpd.yaml" <<YAML
asNumber: 65001
routerId: 192.0.2.1
listen: []
neighbors:
  - {address: 192.0.2.11, asNumber: 65011, passive: true, import: accept, export: reject}
  - {address: 192.0.2.21, asNumber: 65100, passive: true, import: reject, export: accept}
http: unix:$training/http
YAML
MARGAY_BGPD_JAVA_OPTS="-XX:AOTCacheOutput=$dist/lib/bgpd.aot -Xlog:disable -Xlog:all=off" \
  "$dist/bin/margay" bgpd --config "$training/bgpd.yaml" >"$training/out" 2>"$training/log" &
bgpd=$!
for _ in $(seq 600); do
  grep -q '^ready' "$training/out" && break
  kill -0 $bgpd 2>/dev/null || break
  sleep 0.1
done
kill -TERM $bgpd 2>/dev/null || true
wait $bgpd || true
# A cache that the JVM then refuses to start with would be worse than none.
if [ -f "$dist/lib/bgpd.aot" ] && ! "$dist/bin/margay" bgpd --check --config "$training/bgpd.yaml" >/dev/null 2>"$training/log"; then
  rm -f "$dist/lib/bgpd.aot"
fi
if [ ! -f "$dist/lib/bgpd.aot" ]; then
  tail -n 5 "$training/log" >&2
  echo "train-aot: no cache for bgpd was written (above); it starts slower" >&2
fi

if [ "$(id -u)" != 0 ] || ! command -v etcd >/dev/null || ! { command -v bird || [ -x /usr/sbin/bird ]; } >/dev/null; then
  echo "train-aot: training the agent needs root, etcd and bird; it starts slower without its cache" >&2
  exit 0
fi
log=$(mktemp)
# No profiles in the agent's: the JVM would compile what was ever hot while the agent starts, on the core it starts on.
if MARGAY_AGENT_JAVA_OPTS="-XX:AOTCacheOutput=$dist/lib/agent.aot -XX:-AOTRecordTraining -Xlog:disable -Xlog:all=off" \
  "$dist/bin/margay" lab up -f "$dist/etc/lab/train.yaml" --name "$name" >"$log" 2>&1; then
  "$dist/bin/margay" lab down --name "$name" --graceful >>"$log" 2>&1 || true
fi
if [ ! -f "$dist/lib/agent.aot" ]; then
  tail -n 5 "$log" >&2
  echo "train-aot: the training rack failed (above); the agent starts slower without its cache" >&2
fi
rm -f "$log" "$dist"/lib/*.aot.config
