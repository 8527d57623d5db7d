#!/usr/bin/env bash
# The BGP benches behind ./dev bench bgp; see bench/README.md.
# usage: run.sh [full|eight|wire|reflector|timers|fib|jmh]...
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
. "$root/deploy/packages.sh"
. "$root/bench/bgp/lab.sh"
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
ns=mgb$$
export MARGAY=${MARGAY:-$root/dist/bin/margay}

hogs=()
cleanup() {
  stop_hogs
  lab_down 2>/dev/null || true
  rm -rf "$work"
}
stop_hogs() {
  local hog
  for hog in "${hogs[@]}"; do kill "$hog" 2>/dev/null || true; done
  hogs=()
}
trap cleanup EXIT
trap 'exit 130' INT TERM

compile() { gcc -std=c11 -O2 -Wall -Wextra -Werror -o "$work/$1" "$root/bench/src/main/c/$1.c"; }

load() { cut -d' ' -f1-3 /proc/loadavg; }

# Lines "NAME v1 v2 ..." on stdin, several a name: medians in columns, one line a name, and the first value's ratio to
# that of BIRD.
table() { # HEADING...
  printf '%-10s' dut
  printf '%14s' "$@"
  printf '%14s\n' 'ratio to bird'
  awk -v columns=$# '
    { if (!($1 in runs)) order[++names] = $1; runs[$1]++; for (c = 1; c <= columns; c++) value[$1, c, runs[$1]] = $(c + 1) }
    function median(name, c,  n, i, j, t, v) {
      n = runs[name]
      for (i = 1; i <= n; i++) v[i] = value[name, c, i] + 0
      for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j] < v[j - 1]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
      return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    }
    END {
      for (k = 1; k <= names; k++) {
        name = order[k]
        printf "%-10s", name
        for (c = 1; c <= columns; c++) printf "%14.2f", median(name, c)
        if ("bird" in runs && median("bird", 1) > 0) printf "%14.2f", median(name, 1) / median("bird", 1)
        printf "\n"
      }
    }'
}

# ---- 1: a full table through the speaker ----

table_through() { # NAME N PEERS: adds a line to $work/results
  local name=$1 n=$(($2 / $3 * $3)) peers=$3 begun first i
  lab_up "$peers"
  feeders_up "$n" "$peers"
  sink_up
  dut_up "$name" "$n" "$peers"
  await 60 "$name to talk to the sink" established sink
  begun=$(date +%s%N)
  for i in $(seq "$peers"); do birdc -s "$lab/feed$i.ctl" enable dut >/dev/null; done
  await 300 "the first route at the sink" sink_has 1
  first=$(seconds_since "$begun")
  await 300 "$n routes at the sink" sink_has "$n"
  echo "$name $(seconds_since "$begun") $first $(dut_cost)" | tee -a "$work/results" >&2
  holds sink "$n" || { echo "bench: the sink holds another number of routes than $n" >&2; return 1; }
  [ "$name" != margay ] || [ -n "${checked:-}" ] || afterwards "$n" "$peers"
  lab_down
}

bgp_state() { in_lab d "$MARGAY" bgp peers --api http://127.0.0.1:9179 -o json; }

# Received, accepted, best and advertised routes as the process itself counts them.
counts() {
  bgp_state | jq -r '[.. | objects | select(has("pfxRcd")) | [.pfxRcd, .pfxAcc, .pfxBest, .pfxSnt]] | transpose | map(add) | @tsv'
}

counts_are() { [ "$(counts)" = "$(printf '%s\t%s\t%s\t%s' "$1" "$1" "$1" "$1")" ]; }

# The same process: counts everything, gives it all to a sink that comes back, withdraws it when the feeders go.
afterwards() { # N PEERS
  checked=yes
  local i begun
  if counts_are "$1"; then echo "margay: received = accepted = best = advertised = $1"; else
    echo "bench: margay counts $(counts) (received, accepted, best, advertised) instead of $1 each" >&2
    return 1
  fi
  birdc -s "$lab/sink.ctl" disable dut >/dev/null
  await 30 "the sink to forget" sink_has_not
  begun=$(date +%s%N)
  birdc -s "$lab/sink.ctl" enable dut >/dev/null
  await 300 "the sink to have everything again" sink_has "$1"
  echo "margay: the sink reconnects and has all $1 after $(seconds_since "$begun") s"
  begun=$(date +%s%N)
  for i in $(seq "$2"); do birdc -s "$lab/feed$i.ctl" disable dut >/dev/null; done
  await 300 "the sink to lose everything" sink_has_not
  echo "margay: the feeders go and the sink has none after $(seconds_since "$begun") s"
  counts_are 0 || { echo "bench: margay still counts $(counts)" >&2; return 1; }
  set -- $(dut_cost)
  echo "margay: peak RSS after all that $1 MB"
}

full() { # NAME N PEERS
  : >"$work/results"
  unset checked
  echo "$1: $2 routes from $3 feeder(s); medians of ${RUNS:-3} run(s), interleaved; load $(load)"
  for _ in $(seq "${RUNS:-3}"); do
    for dut in ${DUTS:-bird margay}; do table_through "$dut" "$2" "$3"; done
  done
  table 'all at sink s' 'first s' 'peak RSS MB' 'CPU s' <"$work/results"
}

bench_full() { full full "${N:-1000000}" 1; }
bench_eight() { full eight "${N:-800000}" 8; }

# ---- 2: on the wire ----

bench_wire() {
  compile bgp-wire
  : >"$work/results"
  local dut n=${N:-100000} rounds=${ROUNDS:-8}
  echo "wire: $n routes, $rounds rounds, the last 3 count; then ${CHANGES:-2000} single changes; by packet timestamps; load $(load)"
  for dut in ${DUTS:-bird margay}; do
    lab_up 1
    dut_up "$dut" "$n" 1
    dut_ready "$dut"
    "$work/bgp-wire" --feed-ns "$ns-f" --sink-ns "$ns-s" --routes "$n" --rounds "$rounds" --changes "${CHANGES:-2000}" | tee "$work/wire" | sed "s/^/$dut: /" >&2
    lab_down
    sed 's/[a-z0-9_]*=//g' "$work/wire" | awk -v dut="$dut" -v from=$((rounds - 2)) '
      NF == 4 && $1 + 0 >= from && !changes { announce[++n] = $2; withdraw[n] = $4 }
      NR > 0 { last = $0 }
      END { split(last, c, " "); for (i = 1; i <= n; i++) print dut, announce[i], withdraw[i], c[2] / 1000, c[3] / 1000, c[4] / 1000 }' >>"$work/results"
  done
  table 'announce ms' 'withdraw ms' 'change p50 ms' 'p99 ms' 'max ms' <"$work/results"
}

# ---- 3: a reflector's clients, and short timers under load ----

swarm_lab() { # the swarm's addresses are 10.60.0.0/16, all of them local to it
  local n
  for n in $ns-d $ns-f; do
    ip netns add "$n"
    ip -n "$n" link set lo up
  done
  ip link add dut netns "$ns-f" type veth peer name swarm netns "$ns-d"
  ip -n "$ns-f" addr add 10.61.0.2/24 dev dut
  ip -n "$ns-d" addr add 10.61.0.1/24 dev swarm
  ip -n "$ns-f" link set dut up
  ip -n "$ns-d" link set swarm up
  ip -n "$ns-f" route add local 10.60.0.0/16 dev lo
  ip -n "$ns-d" route add 10.60.0.0/16 via 10.61.0.2
  lab=$(mktemp -d "$work/lab.XXXX")
}

reflector_up() { # NAME CLIENTS
  case $1 in
    margay)
      {
        printf 'asNumber: 65001\nrouterId: 1.1.1.1\nlisten: {address: 0.0.0.0, port: 179}\nhttp: 127.0.0.1:9179\nneighbors:\n'
        awk -v n="$2" 'BEGIN { for (i = 1; i <= n; i++) printf "  - {address: 10.60.%d.%d, asNumber: 65001, passive: true, routeReflectorClient: true, holdTime: 3s, keepaliveTime: 1s}\n", i / 256, i % 256 }'
      } >"$lab/bgpd.yaml"
      in_lab d "$MARGAY" bgpd --config "$lab/bgpd.yaml" >"$lab/dut.log" 2>&1 &
      ;;
    bird)
      cat >"$lab/dut.conf" <<BIRD
log "$lab/dut.log" { fatal, bug }; router id 1.1.1.1;
protocol device { }
protocol static { ipv4; route 10.60.0.0/16 via 10.61.0.2; }
protocol bgp reflector {
  local 10.61.0.1 as 65001; neighbor range 10.60.0.0/16 internal;
  rr client; passive; hold time 3; keepalive time 1; dynamic name "client"; dynamic name digits 4;
  ipv4 { import all; export where source = RTS_BGP; };
}
BIRD
      in_lab d bird -f -c "$lab/dut.conf" -s "$lab/dut.ctl" >"$lab/dut.log" 2>&1 &
      ;;
    *) echo "bench: no reflector configuration for $1; there are: bird, margay" >&2; return 2 ;;
  esac
  dut_ready "$1"
}

field() { sed -n "s/.*\\b$1=\\([0-9.]*\\).*/\\1/p"; }

bench_reflector() {
  compile bgp-swarm
  : >"$work/results"
  local dut clients=${CLIENTS:-1000}
  echo "reflector: $clients clients x 10 prefixes, hold time 3 s, all dialling within a second; then 20 s more; load $(load)"
  for dut in ${DUTS:-bird margay}; do
    swarm_lab
    reflector_up "$dut" "$clients"
    in_lab f "$work/bgp-swarm" --to 10.61.0.1 --from 10.60.0.1 --as 65001 --clients "$clients" --prefixes 10 --hold 3 --stay 20 --realtime >"$work/swarm" || echo "bench: $dut: not every client was served, or sessions were lost" >&2
    sed "s/^/$dut: /" "$work/swarm" >&2
    echo "$dut $(field converged <"$work/swarm" | grep . || echo 0) $(field established <"$work/swarm" | grep . || echo 0) $(field lost <"$work/swarm") $(field longest_silence <"$work/swarm") $(dut_cost)" >>"$work/results"
    lab_down
  done
  echo "(converged 0: never)"
  table 'converged s' 'all up s' 'lost' 'silence s' 'peak RSS MB' 'CPU s' <"$work/results"
}

bench_timers() {
  compile bgp-swarm
  : >"$work/results"
  local dut seconds
  seconds=$(awk -v m="${MINUTES:-10}" 'BEGIN {printf "%d", m * 60}')
  for dut in ${DUTS:-margay}; do
    swarm_lab
    reflector_up "$dut" "${CLIENTS:-50}"
    for _ in $(seq $((2 * $(nproc)))); do
      while :; do :; done &
      hogs+=($!)
    done
    echo "timers: ${CLIENTS:-50} sessions of 1 s / 3 s for $seconds s beside ${#hogs[@]} busy loops on $(nproc) CPUs" >&2
    in_lab f "$work/bgp-swarm" --to 10.61.0.1 --from 10.60.0.1 --as 65001 --clients "${CLIENTS:-50}" --hold 3 --stay "$seconds" --realtime >"$work/swarm" || echo "bench: $dut: sessions were lost" >&2
    stop_hogs
    sed "s/^/$dut: /" "$work/swarm" >&2
    echo "$dut $(field lost <"$work/swarm") $(field longest_silence <"$work/swarm") $(dut_cost)" >>"$work/results"
    lab_down
  done
  table 'sessions lost' 'silence s' 'peak RSS MB' 'CPU s' <"$work/results"
}

# ---- 4: the kernel's FIB ----

# Samples "seconds routes" of a namespace until it holds so many; routes by the kernel's own count.
watch_fib() { # NAMESPACE N
  ip netns exec "$1" bash -c '
    until [ "${n:-0}" -ge '"$2"' ]; do
      while read -r key value; do [ "$key" = Prefixes: ] && { n=$value; break; }; done </proc/net/fib_triestat
      echo "$EPOCHREALTIME $n"
      sleep 0.05
    done'
}

# Routes per second between 5 % and 100 % of N.
fib_rate() { awk -v n="$1" '$2 >= n / 20 && !from { from = $1; had = $2 } { to = $1; has = $2 } END { printf "%.0f", (to > from) ? (has - had) / (to - from) : 0 }'; }

bench_fib() {
  : >"$work/results"
  local dut n=${N:-500000} watcher begun took
  echo "fib: $n routes into the kernel; load $(load)"
  lab_up 1
  static_routes 0 "$n" | awk '{print "route add " $2 " via 10.200.0.11 proto 99"}' >"$work/batch"
  watch_fib "$ns-d" "$n" >"$work/samples" &
  watcher=$!
  begun=$(date +%s%N)
  ip -n "$ns-d" -batch "$work/batch"
  took=$(seconds_since "$begun")
  wait "$watcher"
  echo "ip-batch $(fib_rate "$n" <"$work/samples") $took 0 0" >>"$work/results"
  lab_down
  for dut in ${DUTS:-bird margay}; do
    lab_up 1
    feeders_up "$n" 1
    sink_up
    FIB=kernel dut_up "$dut" "$n" 1
    await 60 "$dut to talk to the sink" established sink
    watch_fib "$ns-d" "$n" >"$work/samples" &
    watcher=$!
    begun=$(date +%s%N)
    birdc -s "$lab/feed1.ctl" enable dut >/dev/null
    await 300 "$n routes in the kernel" fib_has "$n"
    took=$(seconds_since "$begun")
    wait "$watcher"
    echo "$dut $(fib_rate "$n" <"$work/samples") $took $(dut_cost)" | tee -a "$work/results" >&2
    ip -n "$ns-d" -o route show | awk '/^20\./ || /^2[1-9]\./ || /^3[0-9]\./ {n++; for (i = 1; i < NF; i++) if ($i == "proto") by[$(i + 1)]++} END {for (p in by) printf "fib: %d routes of protocol %s\n", by[p], p}' >&2
    lab_down
  done
  table 'routes/s' 'feed to all s' 'peak RSS MB' 'CPU s' <"$work/results"
}

fib_has() { [ "$(tail -n 1 "$work/samples" | cut -d' ' -f2)" -ge "$1" ]; }

# ---- the pure parts ----

bench_jmh() { JMH=${JMH:-io.margay.bench.bgp.*} bash "$root/bench/run.sh" jmh; }

# BIRD is feeder and sink as well; the others only where they are measured.
install_packages bird2 iproute2 gcc libc6-dev jq
case " ${DUTS:-} " in *" frr "*) install_packages frr ;; esac
case " ${DUTS:-} " in *" gobgp "*) install_packages gobgpd ;; esac
case " ${DUTS:-} " in *" openbgpd "*) install_packages openbgpd ;; esac
[ $# -gt 0 ] || set -- full eight wire reflector fib jmh
for bench in "$@"; do
  case $bench in
    full | eight | wire | reflector | timers | fib | jmh) "bench_$bench" ;;
    *) echo "bench: no BGP bench is called $bench; there are: full, eight, wire, reflector, timers, fib, jmh" >&2; exit 2 ;;
  esac
done
