#!/usr/bin/env bash
# ./dev bench policy [scale|kernel|datapath|jmh]...: what policy costs, in network namespaces of its own that are gone
# afterwards, however it ends. Without a name, all.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/deploy/packages.sh"
. "$root/deploy/java25.sh"
find_java25
PATH=$PATH:/usr/sbin:/sbin
install_packages iproute2 nftables gcc libc6-dev
endpoints=${ENDPOINTS:-100000} policies=${POLICIES:-10000} local=${LOCAL:-200} rate=${RATE:-1000}
rounds=${ROUNDS:-15} seconds=${SECONDS_EACH:-1}
classpath=${BENCH_CLASSPATH:-$root/dist/lib/*}
work=$(mktemp -d)
prefix=mgp$$-
awake=
cleanup() {
  # shellcheck disable=SC2086
  [ -z "$awake" ] || kill $awake 2>/dev/null || true
  for ns in $(ip netns list | awk '{print $1}' | grep "^$prefix" || true); do ip netns del "$ns"; done
  rm -rf "$work"
}
trap cleanup EXIT

"$JAVA_HOME/bin/javac" -nowarn -proc:none -d "$work/classes" -cp "$classpath" \
  "$root"/bench/src/main/java/io/margay/bench/policy/{PolicyWorld,PolicyBench,DatapathTable,KernelBench}.java

# The agent's flags, read from its launcher.
common=$(sed -n 's/^common="\(.*\)"$/\1/p' "$root/deploy/launcher/margay" | sed 's/-Dmargay.home=[^ ]*//')
agent=$(sed -n 's/^ *agent) options="\(.*\) \${MARGAY_AGENT_JAVA_OPTS.*$/\1/p' "$root/deploy/launcher/margay")
[ -n "$common" ] && [ -n "$agent" ] || { echo "bench: the launcher's flags have moved; adapt bench/policy/run.sh" >&2; exit 1; }
java() { # class, arguments
  # shellcheck disable=SC2086
  "$JAVA_HOME/bin/java" $common $agent ${MARGAY_AGENT_JAVA_OPTS:-} -cp "$work/classes:$classpath" "io.margay.bench.policy.$1" "${@:2}" 2>"$work/java.log" ||
    { grep -v "^.*\bat " "$work/java.log" | tail -n 5 >&2; return 1; }
}
export -f java
export JAVA_HOME common agent work classpath

bench_scale() {
  echo "scale: flags $agent ${MARGAY_AGENT_JAVA_OPTS:-}; load $(cut -d' ' -f1-3 /proc/loadavg)"
  unshare -n bash -c 'java "$@"' - PolicyBench cold "$endpoints" "$policies" "$local"
  unshare -n bash -c 'java "$@"' - PolicyBench cold 250000 "$policies" "$local"
  unshare -n bash -c 'java "$@"' - PolicyBench label "$endpoints" "$policies" "$local" | grep '^label'
  unshare -n bash -c 'java "$@"' - PolicyBench sustained "$endpoints" "$policies" "$local" "$rate" | grep '^sustained'
}

bench_kernel() {
  echo "kernel: $(nft --version); load $(cut -d' ' -f1-3 /proc/loadavg)"
  unshare -n bash -c 'java "$@"' - KernelBench "$work"
}

# Keeps the processors from sleeping, at a priority that takes nothing from anybody: what a connection costs would else be
# lost in the time that a virtual processor takes to wake up, which is another from second to second.
stay_awake() {
  local cpu
  for cpu in $(seq 0 $(($(nproc) - 1))); do
    chrt -i 0 timeout 3600 taskset -c "$cpu" sh -c 'while :; do :; done' &
    awake="$awake $!"
  done
}

# A client and a server pod, each on a veth to a node of its own.
raise() { # name
  local role address
  for role in client node server; do
    ip netns add "$prefix$1-$role"
    ip -n "$prefix$1-$role" link set lo up
  done
  for role in client server; do
    address=10.65.0.2
    [ "$role" = client ] || address=10.65.0.3
    ip -n "$prefix$1-node" link add "cali$role" type veth peer name eth0 netns "$prefix$1-$role"
    ip -n "$prefix$1-node" link set "cali$role" up
    ip -n "$prefix$1-$role" link set eth0 up
    ip -n "$prefix$1-$role" addr add "$address/32" dev eth0
    ip -n "$prefix$1-$role" route add 169.254.1.1 dev eth0
    ip -n "$prefix$1-$role" route add default via 169.254.1.1
    ip -n "$prefix$1-node" route add "$address" dev "cali$role"
  done
  ip -n "$prefix$1-node" addr add 169.254.1.1/32 dev caliclient
  ip -n "$prefix$1-node" addr add 169.254.1.1/32 dev caliserver
  ip netns exec "$prefix$1-node" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
}

bench_datapath() {
  gcc -std=c11 -O2 -Wall -Wextra -o "$work/flow-bench" "$root/bench/src/main/c/flow-bench.c"
  # The peer: the same wires with connection tracking on and its two usual rules.
  raise peer
  printf '%s\n' 'add table ip peer' 'add chain ip peer f { type filter hook forward priority 0; }' \
    'add rule ip peer f ct state established,related accept' 'add rule ip peer f ct state invalid drop' >"$work/peer.nft"
  ip netns exec "${prefix}peer-node" nft -f "$work/peer.nft"
  local worlds="NONE:0 ELSEWHERE:1000 PORTS:100 CLIENTS:100 NETS:100 PORTS:1000 CLIENTS:1000 NETS:1000 MIXED:1000 DENIALS:1000"
  local world mode round line
  for world in $worlds; do
    raise "${world/:/-}"
    ip netns exec "$prefix${world/:/-}-node" bash -c 'java "$@"' - DatapathTable "${world%:*}" "${world#*:}"
  done
  stay_awake
  for mode in ${MODES:-conn bulk}; do
    : >"$work/$mode"
    for round in $(seq "$rounds"); do
      line=
      for world in peer $worlds; do
        line="$line $("$work/flow-bench" $mode "$seconds" 10.65.0.3 5001 "/run/netns/$prefix${world/:/-}-client" "/run/netns/$prefix${world/:/-}-server")"
      done
      echo "$line" >>"$work/$mode"
    done
    echo "datapath: $mode, $rounds rounds of $seconds s each in turns, against the same wires with connection tracking alone; load $(cut -d' ' -f1-3 /proc/loadavg)"
    # shellcheck disable=SC2086
    awk -v names="peer $worlds" -v unit="$([ $mode = conn ] && echo connections/s || echo octets/s)" '
      { for (i = 1; i <= NF; i++) { rate[i, NR] = $i; ratio[i, NR] = $i / $1 } }
      function median(of, i,   n, j, k, t, v) {
        for (j = 1; j <= NR; j++) v[j] = of[i, j]
        for (j = 2; j <= NR; j++) for (k = j; k > 1 && v[k] < v[k - 1]; k--) { t = v[k]; v[k] = v[k - 1]; v[k - 1] = t }
        return NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
      }
      END { n = split(names, name, " "); for (i = 1; i <= n; i++) printf "  %-16s median %14.0f %s, paired ratio %.3f\n", name[i], median(rate, i), unit, median(ratio, i) }' "$work/$mode"
  done
}

[ $# -gt 0 ] || set -- scale kernel datapath jmh
for bench in "$@"; do
  case $bench in
    scale) bench_scale ;;
    kernel) bench_kernel ;;
    datapath) bench_datapath ;;
    jmh) JMH=${JMH:-bench.policy.} bash "$root/bench/run.sh" jmh ;;
    *) echo "bench: no policy bench is called $bench; there are: scale, kernel, datapath, jmh" >&2; exit 2 ;;
  esac
done
