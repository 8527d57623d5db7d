#!/usr/bin/env bash
# The benches behind ./dev bench. usage: run.sh [cni|agent|ipam|routes|jmh]... or run.sh datastore|agent-scale|agent-node or run.sh
# bgp|policy [BENCH]...
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" = bgp ]; then
  shift
  exec bash "$root/bench/bgp/run.sh" "$@"
fi
if [ "${1:-}" = datastore ]; then
  exec bash "$root/bench/datastore/run.sh"
fi
if [ "${1:-}" = policy ]; then
  shift
  exec bash "$root/bench/policy/run.sh" "$@"
fi
if [ "${1:-}" = agent-scale ]; then
  exec bash "$root/bench/agent/run.sh"
fi
if [ "${1:-}" = agent-node ]; then
  exec bash "$root/bench/agent/node.sh"
fi
. "$root/deploy/packages.sh"
PATH=$PATH:/usr/sbin:/sbin
margay=${MARGAY:-$root/dist/bin/margay}
lab=bench$$
work=$(mktemp -d)
prefix=mgb$$-
count=${COUNT:-100}
cleanup() {
  "$margay" lab down --name "$lab" >/dev/null 2>&1 || true
  for ns in $(ip netns list | awk '{print $1}' | grep "^$prefix" || true); do ip netns del "$ns"; done
  rm -rf "$work"
}
trap cleanup EXIT

value() { sed -n "s/^ *\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p" "$work/lab.json" | head -n 1; }

lab_up() {
  "$margay" lab up -f "$root/deploy/lab/single-node.yaml" --name "$lab" -o json 2>"$work/up.log" >"$work/lab.one" ||
    { tail -n 5 "$work/up.log" >&2; exit 1; }
  # One key a line, whatever the printer's taste.
  sed 's/[{},[]/&\n/g' "$work/lab.one" | sed 's/,$//' >"$work/lab.json"
}

bench_cni() {
  install_packages containernetworking-plugins
  gcc -std=c11 -O2 -Wall -Wextra -o "$work/cni-bench" "$root/bench/src/main/c/cni-bench.c"
  echo 'int main(void) { return 0; }' | gcc -static -O2 -x c -o "$work/nothing" -
  lab_up
  netns=$(awk -F'"' '/"netns"/ {print $4; exit}' "$work/lab.json")
  dual=$(awk -F'"' '/"cniNet"/ {print $4; exit}' "$work/lab.json")
  plugin=$(awk -F'"' '/"cniBin"/ {print $4; exit}' "$work/lab.json")
  sed 's/"assign_ipv6" *: *"true"/"assign_ipv6":"false"/' "$dual" >"$work/single.json"
  for i in $(seq 0 $((count - 1))); do ip netns add "$prefix$i"; done
  round() { # words for it, our request, options
    echo "cni: $count pods, $1, beside ptp + host-local (IPv4 only); load $(cut -d' ' -f1 /proc/loadavg)"
    rm -rf "$work/hostlocal"
    cat >"$work/ptp.json" <<JSON
{"cniVersion":"1.0.0","name":"ptpnet","type":"ptp","ipam":{"type":"host-local","dataDir":"$work/hostlocal","ranges":[[{"subnet":"10.99.0.0/16"}]]}}
JSON
    request=$2
    shift 2
    ip netns exec "$netns" "$work/cni-bench" "$@" "$count" "$prefix" margay "$plugin" "$request" ptp /usr/lib/cni/ptp "$work/ptp.json"
  }
  round "IPv4, an agent's first" "$work/single.json"
  round "IPv4" "$work/single.json"
  round "dual stack (ours)" "$dual"
  round "IPv4, 8 at once" "$work/single.json" -j 8
  "$work/cni-bench" -v 500 margay "$plugin" nothing "$work/nothing" ptp /usr/lib/cni/ptp
}

# Starts the node's agent anew, RUNS times, and reads the clock when it says "ready"; then its idle memory.
bench_agent() {
  lab_up
  netns=$(awk -F'"' '/"netns"/ {print $4; exit}' "$work/lab.json")
  state=$(awk -F'"' '/"state"/ {print $4; exit}' "$work/lab.json")
  config=$(find "$(dirname "$state")" -name agent.yaml | head -n 1)
  for pid in $(ip netns pids "$netns"); do
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q 'io.margay.cli.Main agent' && kill -9 "$pid"
  done
  for run in $(seq "${RUNS:-5}"); do
    mkfifo "$work/out$run"
    started=$(date +%s%N)
    ip netns exec "$netns" "$margay" agent --config "$config" >"$work/out$run" 2>"$work/agent$run.log" &
    agent=$!
    ready=no
    while read -r line; do [ "$line" = ready ] && { ready=yes; break; }; done <"$work/out$run"
    took=$((($(date +%s%N) - started) / 1000000))
    [ $ready = yes ] || { tail -n 5 "$work/agent$run.log" >&2; exit 1; }
    sleep 8
    rss=$(awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$agent/status")
    anon=$(awk '/^RssAnon/ {print int($2 / 1024)}' "/proc/$agent/status")
    echo "agent: run $run: exec to ready $took ms, idle RSS $rss MiB of which anonymous $anon MiB"
    kill -9 "$agent"
    wait "$agent" 2>/dev/null || true
  done
}

# Addresses from a private etcd, ours and by Calico's steps, in one JVM and one run.
bench_ipam() {
  install_packages etcd-server
  . "$root/deploy/java25.sh"
  find_java25
  (cd "$root" && mvn -q -B -pl bench -am package -DskipTests org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath -Dmdep.outputFile="$work/cp" 2>/dev/null)
  "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -cp "$root/bench/target/test-classes:$root/bench/target/classes:$(cat "$work/cp")" io.margay.bench.ipam.IpamBench "$work"
}

# The agent's table of routes against a kernel of its own.
bench_routes() {
  . "$root/deploy/java25.sh"
  find_java25
  (cd "$root" && mvn -q -B -pl bench -am package -DskipTests org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath -Dmdep.outputFile="$work/cp" 2>/dev/null)
  ns=${prefix}routes
  ip netns add "$ns"
  ip -n "$ns" link set lo up
  ip -n "$ns" link add up0 type veth peer name up1
  ip -n "$ns" addr add 10.0.0.1/24 dev up0
  ip -n "$ns" addr add fd00::1/64 dev up0 nodad
  ip -n "$ns" link set up0 up
  ip -n "$ns" link set up1 up
  inside() {
    ip netns exec "$ns" "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
      -XX:+UseSerialGC -Xms48m -Xmx1g -Xmn24m -XX:SurvivorRatio=2 -XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=0.1 -XX:+UseCompactObjectHeaders \
      -cp "$root/bench/target/classes:$(cat "$work/cp")" "io.margay.bench.route.$@"
  }
  inside RouteTableBench "${ROUTES:-100000}" "${STRANGERS:-30000}" "$work"
  # Side by side: each route with its next hops, and groups of two kinds.
  inside NextHopLossBench 10000 "${ROUTES:-100000}"
  inside FlowMoveBench 2000 "$work"
}

# The pure parts, by JMH; a regular expression of bench names may follow in JMH.
bench_jmh() {
  . "$root/deploy/java25.sh"
  find_java25
  (cd "$root" && mvn -q -B -pl bench -am package -DskipTests org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath -Dmdep.outputFile="$work/cp" 2>/dev/null)
  "$JAVA_HOME/bin/java" -cp "$root/bench/target/classes:$(cat "$work/cp")" org.openjdk.jmh.Main "${JMH:-.*}"
}

[ $# -gt 0 ] || set -- cni agent ipam routes jmh
for bench in "$@"; do
  case $bench in
    cni) bench_cni ;;
    agent) bench_agent ;;
    ipam) bench_ipam ;;
    routes) bench_routes ;;
    jmh) bench_jmh ;;
    *) echo "bench: no bench is called $bench; there are: cni, agent, ipam, routes, jmh, datastore, agent-scale, agent-node, and bgp and policy with their own" >&2; exit 2 ;;
  esac
done
