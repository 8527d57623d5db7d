#!/usr/bin/env bash
# ./dev bench datastore: a cluster's resources listed and decoded by a fresh process with the agent's flags, beside
# etcdctl reading the same keys; then a stream of changes watched. An etcd of its own, on free loopback ports.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/deploy/packages.sh"
. "$root/deploy/java25.sh"
find_java25
install_packages etcd-server etcd-client
endpoints=${ENDPOINTS:-100000} policies=${POLICIES:-10000} runs=${RUNS:-3} rate=${RATE:-5000} seconds=${SECONDS_LONG:-30}
classpath=${BENCH_CLASSPATH:-$root/dist/lib/*}
work=$(mktemp -d)
etcd=
cleanup() {
  [ -z "$etcd" ] || { kill "$etcd" && wait "$etcd"; } 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

client="http://127.0.0.1:$(free_port)"
peer="http://127.0.0.1:$(free_port)"
etcd --name b --data-dir "$work/data" --listen-client-urls "$client" --advertise-client-urls "$client" \
  --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "b=$peer" \
  --quota-backend-bytes 4294967296 >"$work/etcd.log" 2>&1 &
etcd=$!
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=$client
ready=no
for _ in $(seq 100); do
  kill -0 "$etcd" 2>/dev/null || { tail -n 5 "$work/etcd.log" >&2; exit 1; }
  etcdctl endpoint health >/dev/null 2>&1 && { ready=yes; break; }
  sleep 0.1
done
[ $ready = yes ] || { echo "bench: etcd does not answer on $client" >&2; exit 1; }

"$JAVA_HOME/bin/javac" -nowarn -proc:none -d "$work/classes" -cp "$classpath" \
  "$root/bench/src/main/java/io/margay/bench/DatastoreBench.java"

# The agent's flags, read from its launcher, and its cache of classes, which is of the distribution's own class path.
cache=
[ -n "${BENCH_CLASSPATH:-}" ] || cache=-XX:AOTCache=$root/dist/lib/agent.aot
common=$(sed -n 's/^common="\(.*\)"$/\1/p' "$root/deploy/launcher/margay" | sed 's/-Dmargay.home=[^ ]*//')
agent=$(sed -n 's/^ *agent) options="\(.*\) \${MARGAY_AGENT_JAVA_OPTS.*$/\1/p' "$root/deploy/launcher/margay")
[ -n "$common" ] && [ -n "$agent" ] || { echo "bench: the launcher's flags have moved; adapt bench/datastore/run.sh" >&2; exit 1; }
run() { # step, numbers
  # shellcheck disable=SC2086
  "$JAVA_HOME/bin/java" $common $agent $cache ${MARGAY_AGENT_JAVA_OPTS:-} \
    -cp "$classpath:$work/classes" io.margay.bench.DatastoreBench "$1" "$client" "$2" "$3" 2>"$work/java.$1.log" ||
    { grep -v "^.*\bat " "$work/java.$1.log" | tail -n 5 >&2; exit 1; }
}

echo "datastore: $endpoints endpoints, $policies policies; flags $agent; load $(cut -d' ' -f1-3 /proc/loadavg)"
run fill "$endpoints" "$policies"
for i in $(seq "$runs"); do
  run list "$endpoints" "$policies"
  from=$(date +%s%N)
  etcdctl get --prefix /calico/resources/v3/projectcalico.org/ >"$work/etcdctl.out"
  echo "peer: etcdctl get --prefix: $((($(date +%s%N) - from) / 1000000)) ms for $(($(stat -c %s "$work/etcdctl.out") >> 20)) MiB, not decoded"
done
run watch "$rate" "$seconds" &
watcher=$!
sleep 3
run write "$rate" "$seconds"
wait "$watcher"
