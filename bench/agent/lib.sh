# Sourced by the benches of the agent: an etcd, two routers and an agent, the routers in a network namespace of theirs.
#
#   $netns      172.16.0.10  node-0, etcd on its loopback
#   $netns-tor  172.16.0.1 and .2, AS 65100, one BIRD each
#
# Needs: work (a directory of the caller's), netns (a name nobody else uses), margay.

node_address=172.16.0.10

inside() { ip netns exec "$netns" "$@"; }

namespaces_down() { # NAMESPACE...
  local ns pid
  for ns in "$@"; do
    for pid in $(ip netns pids "$ns" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$ns" 2>/dev/null || true
  done
}

rack_up() {
  local ns
  for ns in "$netns" "$netns-tor"; do
    ip netns add "$ns"
    ip -n "$ns" link set lo up
  done
  ip link add up0 netns "$netns" type veth peer name down0 netns "$netns-tor"
  ip -n "$netns" addr add $node_address/24 dev up0
  ip -n "$netns-tor" addr add 172.16.0.1/24 dev down0
  ip -n "$netns-tor" addr add 172.16.0.2/24 dev down0
  ip -n "$netns" link set up0 up
  ip -n "$netns-tor" link set down0 up
}

etcd_up() {
  inside etcd --name bench --data-dir "$work/etcd" --quota-backend-bytes 4294967296 --listen-client-urls http://127.0.0.1:2379 \
    --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster bench=http://127.0.0.1:2380 >"$work/etcd.log" 2>&1 &
  for _ in $(seq 100); do
    inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/2379' 2>/dev/null && break
    sleep 0.1
  done
}

# Both routers announce the same prefixes, one a line.
routers_up() { # PREFIXES
  local router
  chmod 755 "$work"
  for router in 1 2; do
    cat >"$work/tor$router.conf" <<BIRD
log "$work/tor$router.log" { fatal, bug };
router id 172.16.0.$router;
protocol device { }
protocol static held { ipv4;
$(echo "$1" | sed 's/.*/ route & blackhole { bgp_path.prepend(65000); };/')
}
protocol bgp node {
  local 172.16.0.$router as 65100;
  neighbor $node_address as 64600;
  strict bind on; graceful restart on; connect retry time 1; connect delay time 0; error wait time 1, 2;
  ipv4 { import all; export where source = RTS_STATIC; next hop self; };
}
BIRD
    ip netns exec "$netns-tor" bird -c "$work/tor$router.conf" -s "$work/tor$router.ctl"
  done
}

# Starts the agent; sets agent (its number), took (ms from exec to "ready") and spent (ms of processor until then).
agent_up() {
  local line ready=no started
  rm -f "$work/out"
  mkfifo "$work/out"
  started=$(date +%s%N)
  ip netns exec "$netns" "$margay" agent --config "$work/agent.yaml" >"$work/out" 2>"$work/agent.log" &
  agent=$!
  exec 3<"$work/out"
  while read -r line <&3; do [ "$line" = ready ] && { ready=yes; break; }; done
  took=$((($(date +%s%N) - started) / 1000000))
  spent=$(($(ticks) * 10))
  [ $ready = yes ] || { tail -n 5 "$work/agent.log" >&2; exit 1; }
}

agent_kill() {
  kill -9 "$agent"
  wait "$agent" 2>/dev/null || true
}

memory() { # WHEN
  awk -v when="$1" '/^VmHWM/ {peak = $2} /^VmRSS/ {rss = $2} /^RssAnon/ {anon = $2}
    END {printf "agent: %s: RSS %d MiB, anonymous %d, peak %d\n", when, rss / 1024, anon / 1024, peak / 1024}' "/proc/$agent/status"
}

ticks() { awk '{print $14 + $15}' "/proc/$agent/stat"; } # of 10 ms, of processor

idle() { # SECONDS
  local before
  before=$(ticks)
  sleep "$1"
  echo "agent: nothing changes: $((($(ticks) - before) * 10)) ms of processor in $1 s"
}

# nft 1.0.6 can't list a map of merged policies (docs/nftables.md), and then no ruleset:
# everything but what has to do with maps, part by part.
ruleset() {
  inside nft -s list ruleset 2>/dev/null && return
  local family
  for family in ip ip6; do
    {
      inside nft -t list chains $family | awk -v family=$family '/^\tchain / {print "list chain", family, "margay", $2}'
      inside nft -t list sets $family | awk -v family=$family '/^\tset / {print "list set", family, "margay", $2}'
    } >"$work/parts"
    # One process each: of several such commands nft reads what the last one asks for.
    inside bash -c 'while read -r part; do nft -s $part || echo "unlisted $part"; done' <"$work/parts" 2>/dev/null
  done
}

# What of the kernel's state an agent makes, a line for each rule, element and route.
kernel_state() {
  ruleset | sed 's/^[ \t]*//; s/elements = { /elements = {\n/; s/, /\n/g; s/ }$/\n}/; s/,$//' | sed 's/^[ \t]*//' | sort
  inside ip route show table all proto 117 | sort
}
