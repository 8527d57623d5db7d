#!/usr/bin/env bash
# ./dev bench agent-scale: one real agent beside the etcd of a large cluster and the two routers of its rack, in network
# namespaces of their own that are gone afterwards, however it ends. NODES, ENDPOINTS, POLICIES, LOCAL, VXLAN, RATE and
# CHANGE_SECONDS set the size.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/deploy/packages.sh"
. "$root/deploy/java25.sh"
. "$root/bench/agent/lib.sh"
find_java25
PATH=$PATH:/usr/sbin:/sbin
install_packages iproute2 nftables etcd-server bird2 gcc libc6-dev
nodes=${NODES:-5000} endpoints=${ENDPOINTS:-200000} policies=${POLICIES:-10000} local=${LOCAL:-200}
rate=${RATE:-1000} seconds=${CHANGE_SECONDS:-20}
pool=plain
[ "${VXLAN:-no}" = no ] || pool=vxlan
margay=${MARGAY:-$root/dist/bin/margay}
classpath=${BENCH_CLASSPATH:-$root/dist/lib/*}
work=$(mktemp -d)
netns=mga$$
cleanup() {
  namespaces_down $netns $netns-tor
  rm -rf "$work"
}
trap cleanup EXIT
rack_up
"$JAVA_HOME/bin/javac" -nowarn -proc:none -d "$work/classes" -cp "$classpath" \
  "$root"/bench/src/main/java/io/margay/bench/policy/{PolicyWorld,ClusterWorld,AppliedWatch,ClusterLoader}.java
gcc -std=gnu11 -O2 -Wall -Wextra -o "$work/applied" "$root/bench/src/main/c/applied.c"
loader() {
  inside "$JAVA_HOME/bin/java" -Xmx512m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -cp "$work/classes:$classpath" io.margay.bench.policy.ClusterLoader http://127.0.0.1:2379 "$nodes" "$endpoints" "$policies" "$local" $pool "$@" 2>"$work/loader.log" ||
    { tail -n 5 "$work/loader.log" >&2; exit 1; }
}
etcd_up
loader
# Every other node's block, by the fabric.
routers_up "$(for node in $(seq "$((nodes - 1))"); do
  at=$(((node - 1) * 64))
  echo "10.$((64 + (at >> 16))).$(((at >> 8) & 255)).$((at & 255))/26"
done)"
cat >"$work/agent.yaml" <<YAML
nodeName: node-0
datastore: {endpoints: ["http://127.0.0.1:2379"]}
bgp: {ipv4: $node_address, asNumber: 64600}
runDir: $work/run
stateDir: $work/state
YAML
mkdir "$work/run"
agent_up
echo "agent: load $(cut -d' ' -f1 /proc/loadavg), $nodes nodes, $endpoints endpoints, $policies policies, $local of the endpoints here, pool $pool"
echo "agent: exec to ready $took ms ($spent ms of processor); in sync $(grep -q 'in sync' "$work/agent.log" && echo yes || echo no)"
memory "at ready"
sleep 25
memory "25 s later, its snapshot written ($(du -m "$work/state/datastore.snapshot" 2>/dev/null | cut -f1) MiB)"
idle 10
before=$(ticks)
written=$(awk '/^write_bytes/ {print $2}' "/proc/$agent/io")
loader "$rate" "$seconds" "$work/applied"
grep '^applied:' "$work/loader.log" | sort | uniq -c || true
echo "agent: the changes took $((($(ticks) - before) * 10)) ms of processor, $((($(awk '/^write_bytes/ {print $2}' "/proc/$agent/io") - written) / 1048576)) MiB written"
memory "after them"
# A process without a memory reads everything from the store and writes what is not so in the kernel: nothing.
kernel_state >"$work/before"
agent_kill
agent_up
echo "agent: restarted, exec to ready $took ms ($spent ms of processor)"
sleep 8
memory "after that"
kernel_state >"$work/after"
if cmp -s "$work/before" "$work/after"; then
  echo "agent: the kernel had everything: $(grep -c . "$work/after") rules, elements and routes are as a fresh process makes them"
else
  echo "agent: NOT the same after a fresh process: $(diff "$work/before" "$work/after" | grep -c '^[<>]') lines differ" >&2
  diff "$work/before" "$work/after" | head -n 5 >&2
  failed=yes
fi
grep -c WARN "$work/agent.log" | sed 's/^/agent: warnings in its log: /' || true
if [ -n "${KEEP_LOG:-}" ]; then cp "$work/agent.log" "$KEEP_LOG"; fi
[ -z "${failed:-}" ]
