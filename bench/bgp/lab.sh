# Sourced by run.sh: feeder -> DUT -> sink, each in a network namespace of its own, feeder and sink being BIRD.
#
#   $ns-f  10.200.0.11.. AS 65011..  feeders, one BIRD each      10.200.0.1 | $ns-d   AS 65001
#   $ns-s  10.200.1.2    AS 65100    sink                        10.200.1.1 |
#
# Needs: root (the checkout), work (a directory of the caller's), ns (a prefix nobody else uses).

lab_names() { echo "$ns-f $ns-d $ns-s"; }

lab_up() { # PEERS
  local n i at
  for n in $(lab_names); do
    ip netns add "$n"
    ip -n "$n" link set lo up
  done
  ip link add dut netns "$ns-f" type veth peer name feed netns "$ns-d"
  ip link add dut netns "$ns-s" type veth peer name sink netns "$ns-d"
  for i in $(seq "$1"); do ip -n "$ns-f" addr add "10.200.0.$((10 + i))/24" dev dut; done
  ip -n "$ns-d" addr add 10.200.0.1/24 dev feed
  ip -n "$ns-d" addr add 10.200.1.1/24 dev sink
  ip -n "$ns-s" addr add 10.200.1.2/24 dev dut
  for at in "f dut" "d feed" "d sink" "s dut"; do ip -n "$ns-${at% *}" link set "${at#* }" up; done
  lab=$(mktemp -d "$work/lab.XXXX")
  chmod 755 "$work" "$lab"
}

lab_down() {
  local n
  for n in $(lab_names); do
    [ -e "/run/netns/$n" ] || continue
    ip netns pids "$n" | xargs -r kill -9 2>/dev/null || true
    for _ in $(seq 50); do [ -z "$(ip netns pids "$n")" ] && break; sleep 0.1; done
    ip netns del "$n"
  done
}

in_lab() { ip netns exec "$ns-$1" "${@:2}"; } # f|d|s COMMAND...

# Routes FROM..TO-1 of the table as BIRD's static routes: /24s upwards from 20.0.0.0. Eight neighbours share a set of
# attributes: two AS numbers before the feeder's own, a community, a MED.
static_routes() {
  awk -v from="$1" -v to="$2" 'BEGIN {
    for (k = from; k < to; k++) {
      a = 20 * 65536 + k; g = int(k / 8)
      printf " route %d.%d.%d.0/24 blackhole { bgp_path.prepend(%.0f); bgp_path.prepend(%d); bgp_community.add((%d,%d)); bgp_med = %d; };\n",
        a / 65536, int(a / 256) % 256, a % 256, 4200000000 + g % 1000, 100000 + g, g % 65000, int(g / 65000) + 1, g % 100
    }
  }'
}

feeders_up() { # N PEERS: one BIRD each, holding its slice, session disabled
  local i share=$(($1 / $2))
  for i in $(seq "$2"); do
    {
      echo "log \"$lab/feed$i.log\" { fatal, bug }; router id 10.200.0.$((10 + i)); protocol device { }"
      echo "protocol static held { ipv4;"
      static_routes $(((i - 1) * share)) $((i * share))
      echo "}"
      cat <<BIRD
protocol bgp dut {
  disabled;
  local 10.200.0.$((10 + i)) as $((65010 + i));
  neighbor 10.200.0.1 as 65001;
  strict bind on; hold time 90; connect retry time 1; connect delay time 0; error wait time 1, 2;
  ipv4 { import none; export all; next hop self; };
}
BIRD
    } >"$lab/feed$i.conf"
    in_lab f bird -c "$lab/feed$i.conf" -s "$lab/feed$i.ctl"
  done
  for i in $(seq "$2"); do await 60 "feeder $i to hold its routes" holds "feed$i" $share; done
}

holds() { [ "$(birdc -s "$lab/$1.ctl" show route count 2>/dev/null | awk '/^[0-9]+ of/ {print $1; exit}')" = "$2" ]; }

sink_up() {
  cat >"$lab/sink.conf" <<BIRD
log "$lab/sink.log" { fatal, bug };
router id 10.200.1.2;
protocol device { }
protocol bgp dut {
  local 10.200.1.2 as 65100;
  neighbor 10.200.1.1 as 65001;
  hold time 90; connect retry time 1; connect delay time 0; error wait time 1, 2;
  ipv4 { import all; export none; };
}
BIRD
  in_lab s bird -c "$lab/sink.conf" -s "$lab/sink.ctl"
}

# How many routes the sink holds; a counter of BIRD's, so that asking costs it nothing.
at_sink() { birdc -s "$lab/sink.ctl" show protocols all dut 2>/dev/null | awk '$1 == "Routes:" {n = $2} END {print n + 0}'; }

established() { birdc -s "$lab/$1.ctl" show protocols dut 2>/dev/null | grep -q Established; }

await() { # SECONDS WHAT COMMAND...
  local limit=$((SECONDS + $1)) what=$2 looked=$SECONDS
  shift 2
  until "$@"; do
    if [ $SECONDS -gt $limit ] || { [ $SECONDS -gt $looked ] && dut_died; }; then
      echo "bench: gave up waiting for $what; the end of the DUT's log:" >&2
      tail -n 5 "$lab/dut.log" >&2 || true
      return 1
    fi
    looked=$SECONDS
    sleep 0.05
  done
}

dut_up() { # NAME N PEERS
  case $1 in
    margay) in_lab d "$root/bench/bgp-dut.sh" "$lab" "$2" "$3" >"$lab/dut.log" 2>&1 & ;;
    bird) dut_bird "$3" ;;
    frr) dut_frr "$3" ;;
    gobgp) dut_gobgp "$3" ;;
    openbgpd) dut_openbgpd "$3" ;;
    *) in_lab d "$1" "$lab" "$2" "$3" >"$lab/dut.log" 2>&1 & ;;
  esac
}

dut_died() { [ -e "$lab/dut.log" ] && [ -z "$(ip netns pids "$ns-d")" ]; }

# Until it says it is ready; daemons that do not say are given time.
dut_ready() { # NAME
  case $1 in
    margay) await 60 "margay to be ready" grep -qx ready "$lab/dut.log" ;;
    bird) await 60 "bird to be ready" test -S "$lab/dut.ctl" ;;
    *) sleep 3 ;;
  esac
}

dut_bird() {
  local i
  {
    echo "log \"$lab/dut.log\" { fatal, bug }; router id 1.1.1.1; protocol device { }"
    [ "${FIB:-none}" = none ] || echo "protocol kernel { ipv4 { import none; export all; }; }"
    for i in $(seq "$1"); do
      echo "protocol bgp feed$i { local 10.200.0.1 as 65001; neighbor 10.200.0.$((10 + i)) as $((65010 + i)); passive; ipv4 { import all; export none; }; }"
    done
    echo "protocol bgp sink { local 10.200.1.1 as 65001; neighbor 10.200.1.2 as 65100; connect delay time 0; connect retry time 1; ipv4 { import none; export all; next hop self; }; }"
  } >"$lab/dut.conf"
  in_lab d bird -f -c "$lab/dut.conf" -s "$lab/dut.ctl" >"$lab/dut.log" 2>&1 &
}

dut_frr() {
  local i
  {
    echo "frr defaults datacenter"
    echo "router bgp 65001"
    echo " bgp router-id 1.1.1.1"
    echo " no bgp ebgp-requires-policy"
    echo " no bgp network import-check"
    for i in $(seq "$1"); do
      echo " neighbor 10.200.0.$((10 + i)) remote-as $((65010 + i))"
      echo " neighbor 10.200.0.$((10 + i)) passive"
    done
    echo " neighbor 10.200.1.2 remote-as 65100"
  } >"$lab/dut.conf"
  chmod 777 "$lab"
  in_lab d /usr/lib/frr/bgpd -f "$lab/dut.conf" -i "$lab/bgpd.pid" --vty_socket "$lab" -z "$lab/zserv" -n -S >"$lab/dut.log" 2>&1 &
}

dut_gobgp() {
  local i
  {
    printf '[global.config]\nas = 65001\nrouter-id = "1.1.1.1"\n'
    for i in $(seq "$1"); do
      printf '[[neighbors]]\n[neighbors.config]\nneighbor-address = "10.200.0.%d"\npeer-as = %d\n[neighbors.transport.config]\npassive-mode = true\n' $((10 + i)) $((65010 + i))
    done
    printf '[[neighbors]]\n[neighbors.config]\nneighbor-address = "10.200.1.2"\npeer-as = 65100\n'
  } >"$lab/dut.toml"
  in_lab d gobgpd -t toml -f "$lab/dut.toml" -l warn --api-hosts 127.0.0.1:50051 >"$lab/dut.log" 2>&1 &
}

dut_openbgpd() {
  local i
  {
    printf 'AS 65001\nrouter-id 1.1.1.1\nfib-update no\nsocket "%s"\n' "$lab/openbgpd.sock"
    for i in $(seq "$1"); do printf 'neighbor 10.200.0.%d { remote-as %d; passive; }\n' $((10 + i)) $((65010 + i)); done | sed 's/; /\n/g; s/{ /{\n/; s/;* }/\n}/'
    printf 'neighbor 10.200.1.2 {\n remote-as 65100\n}\nallow from any\nallow to any\n'
  } >"$lab/dut.conf"
  chmod 600 "$lab/dut.conf"
  mkdir -p /run/openbgpd # the home it locks itself into, which its unit would have made
  in_lab d /usr/sbin/bgpd -d -f "$lab/dut.conf" >"$lab/dut.log" 2>&1 &
}

# Peak resident memory, in MB, and processor time, in seconds, of everything in the DUT's namespace.
dut_cost() {
  local pid rss=0 ticks=0
  for pid in $(ip netns pids "$ns-d"); do
    rss=$((rss + $(awk '/^VmHWM/ {print $2}' "/proc/$pid/status" 2>/dev/null || echo 0)))
    ticks=$((ticks + $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | awk '{print $12 + $13}' || echo 0)))
  done
  awk -v r=$rss -v t=$ticks -v hz="$(getconf CLK_TCK)" 'BEGIN {printf "%.0f %.2f", r / 1024, t / hz}'
}

seconds_since() { awk -v a="$1" -v b="$(date +%s%N)" 'BEGIN {printf "%.2f", (b - a) / 1e9}'; }

sink_has() { [ "$(at_sink)" -ge "$1" ]; }
sink_has_not() { [ "$(at_sink)" -eq 0 ]; }
