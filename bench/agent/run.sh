#!/usr/bin/env bash
# ./dev bench agent-scale: one real agent beside the etcd of a large cluster, both in a network namespace of their own that
# is gone afterwards, however it ends. ENDPOINTS, POLICIES, LOCAL, RATE and CHANGE_SECONDS set the size.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/deploy/packages.sh"
. "$root/deploy/java25.sh"
find_java25
PATH=$PATH:/usr/sbin:/sbin
install_packages iproute2 nftables etcd-server
endpoints=${ENDPOINTS:-100000} policies=${POLICIES:-10000} local=${LOCAL:-200} rate=${RATE:-1000} seconds=${CHANGE_SECONDS:-20}
margay=${MARGAY:-$root/dist/bin/margay}
classpath=${BENCH_CLASSPATH:-$root/dist/lib/*}
work=$(mktemp -d)
netns=mga$$
cleanup() {
  for pid in $(ip netns pids $netns 2>/dev/null); do kill -9 "$pid" || true; done
  ip netns del $netns 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
ip netns add $netns
ip -n $netns link set lo up
inside() { ip netns exec $netns "$@"; }
"$JAVA_HOME/bin/javac" -nowarn -proc:none -d "$work/classes" -cp "$classpath" \
  "$root"/bench/src/main/java/io/margay/bench/policy/{PolicyWorld,ClusterLoader}.java
loader() {
  inside "$JAVA_HOME/bin/java" -Xmx512m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -cp "$work/classes:$classpath" io.margay.bench.policy.ClusterLoader http://127.0.0.1:2379 "$endpoints" "$policies" "$local" "$@" 2>"$work/loader.log" ||
    { tail -n 5 "$work/loader.log" >&2; exit 1; }
}
inside etcd --name bench --data-dir "$work/etcd" --quota-backend-bytes 4294967296 --listen-client-urls http://127.0.0.1:2379 \
  --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
  --initial-cluster bench=http://127.0.0.1:2380 >"$work/etcd.log" 2>&1 &
for _ in $(seq 100); do
  inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/2379' 2>/dev/null && break
  sleep 0.1
done
loader
cat >"$work/agent.yaml" <<YAML
nodeName: node-0
datastore: {endpoints: ["http://127.0.0.1:2379"]}
bgp: {ipv4: 127.0.0.1, asNumber: 65001}
runDir: $work/run
stateDir: $work/state
YAML
mkfifo "$work/out"
mkdir "$work/run"
started=$(date +%s%N)
ip netns exec $netns "$margay" agent --config "$work/agent.yaml" >"$work/out" 2>"$work/agent.log" &
agent=$!
since() { echo $((($(date +%s%N) - started) / 1000000)); }
exec 3<"$work/out"
ready=no
while read -r line <&3; do [ "$line" = ready ] && { ready=yes; break; }; done
[ $ready = yes ] || { tail -n 5 "$work/agent.log" >&2; exit 1; }
echo "agent: load $(cut -d' ' -f1 /proc/loadavg), $endpoints endpoints, $policies policies, $local of the endpoints here"
echo "agent: exec to ready $(since) ms; in sync $(grep -q 'in sync' "$work/agent.log" && echo yes || echo no)"
memory() {
  awk -v when="$1" '/^VmHWM/ {peak = $2} /^VmRSS/ {rss = $2} /^RssAnon/ {anon = $2}
    END {printf "agent: %s: RSS %d MiB, anonymous %d, peak %d\n", when, rss / 1024, anon / 1024, peak / 1024}' "/proc/$agent/status"
}
memory "at ready"
sleep 25
memory "25 s later, its snapshot written ($(du -m "$work/state/datastore.snapshot" 2>/dev/null | cut -f1) MiB)"
ticks() { awk '{print $14 + $15}' "/proc/$agent/stat"; }
before=$(ticks)
sleep 10
echo "agent: nothing changes: $((($(ticks) - before) * 10)) ms of processor in 10 s"
before=$(ticks)
written=$(awk '/^write_bytes/ {print $2}' "/proc/$agent/io")
loader "$rate" "$seconds"
sleep 2
echo "agent: the changes took $((($(ticks) - before) * 10)) ms of processor, $((($(awk '/^write_bytes/ {print $2}' "/proc/$agent/io") - written) / 1048576)) MiB written"
memory "after them"
grep -c WARN "$work/agent.log" | sed 's/^/agent: warnings in its log: /'
if [ -n "${KEEP_LOG:-}" ]; then cp "$work/agent.log" "$KEEP_LOG"; fi
