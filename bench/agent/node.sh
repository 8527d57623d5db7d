#!/usr/bin/env bash
# ./dev bench agent-node: one real agent with real pods below two routers, in network namespaces of their own that are gone
# afterwards, however it ends. PODS, POLICIES and ROUTES (of each router) set the size.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/deploy/packages.sh"
. "$root/bench/agent/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
install_packages iproute2 nftables etcd-server etcd-client bird2 gcc libc6-dev
pods=${PODS:-100} policies=${POLICIES:-200} routes=${ROUTES:-10000} namespaces=10
margay=${MARGAY:-$root/dist/bin/margay}
work=$(mktemp -d)
netns=mgn$$
prefix=mgn$$-pod
cleanup() {
  namespaces_down $netns $netns-tor $(ip netns list | awk '{print $1}' | grep "^$prefix" || true)
  rm -rf "$work"
}
trap cleanup EXIT
rack_up
etcd_up
gcc -std=c11 -O2 -Wall -Wextra -o "$work/cni-bench" "$root/bench/src/main/c/cni-bench.c"
gcc -std=gnu11 -O2 -Wall -Wextra -o "$work/applied" "$root/bench/src/main/c/applied.c"
cat >"$work/agent.yaml" <<YAML
nodeName: node-0
datastore: {endpoints: ["http://127.0.0.1:2379"]}
bgp: {ipv4: $node_address, asNumber: 64600}
firstPool: {ipv4: 10.65.0.0/16}
runDir: $work/run
stateDir: $work/state
YAML
cat >"$work/request.json" <<JSON
{"cniVersion":"1.0.0","name":"k8s-pod-network","type":"margay-cni","margayRunDir":"$work/run","ipam":{"type":"margay-ipam"},"policy":{"type":"k8s"}}
JSON
mkdir "$work/run"
apply() { inside "$margay" apply -f "$1" --etcd-endpoints http://127.0.0.1:2379 >"$work/apply.log" 2>&1 || { tail -n 3 "$work/apply.log" >&2; exit 1; }; }
policy() { # NUMBER PORT: pods of a namespace let in those of their own and a net, at a port
  cat <<YAML
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: policy-$1, namespace: bench$(($1 % namespaces))}
spec:
  order: $1
  selector: projectcalico.org/orchestrator == 'k8s'
  types: [Ingress]
  ingress:
  - {action: Allow, protocol: TCP, source: {selector: all()}, destination: {ports: [$2]}}
  - {action: Allow, protocol: UDP, source: {nets: [10.$(($1 % 200)).0.0/16]}}
YAML
}
{
  for i in $(seq 0 $((namespaces - 1))); do
    printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata: {name: bench%d}\n' "$i"
  done
  for i in $(seq "$policies"); do policy "$i" $((8000 + i)); done
  for router in 1 2; do
    printf -- '---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: tor-%d}\n' $router
    printf 'spec: {peerIP: 172.16.0.%d, asNumber: 65100}\n' $router
  done
} >"$work/resources.yaml"

agent_up
sleep 10
echo "node: load $(cut -d' ' -f1-3 /proc/loadavg); exec to ready $took ms ($spent ms of processor)"
memory "idle, 10 s later"
idle 30
apply "$work/resources.yaml"
routers_up "$(awk -v n="$routes" 'BEGIN {for (k = 0; k < n; k++) printf "20.%d.%d.0/24\n", k / 256, k % 256}')"
for _ in $(seq 300); do
  [ "$(inside ip route show proto 117 | grep -c '^20\.')" -ge "$routes" ] && break
  sleep 0.1
done
for i in $(seq 0 $((pods - 1))); do ip netns add "$prefix$i"; done
echo "node: $pods pods of $namespaces namespaces under $((policies / namespaces)) policies each; load $(cut -d' ' -f1-3 /proc/loadavg)"
inside "$work/cni-bench" -a -n $namespaces "$pods" "$prefix" margay "${margay%margay}margay-cni" "$work/request.json"
sleep 10
memory "$pods pods, $policies policies, $(inside ip route show proto 117 | grep -c '^20\.') routes by two routers"
idle 30

# One policy's change, from before the client's start to the first rule that the kernel is told.
etcdctl() { inside env ETCDCTL_API=3 etcdctl --endpoints http://127.0.0.1:2379 "$@"; }
key=$(etcdctl get --prefix /calico/resources/v3/projectcalico.org/networkpolicies/bench1/ --keys-only | grep 'policy-1$')
document=$(etcdctl get "$key" --print-value-only)
for port in 9001 9002 9003 9004 9005; do
  inside "$work/applied" rules >"$work/monitor" &
  monitor=$!
  sleep 1
  began=$(date +%s%N)
  etcdctl put "$key" "${document/8001/$port}" >/dev/null
  for _ in $(seq 1000); do
    [ -s "$work/monitor" ] && break
    sleep 0.005
  done
  echo "node: a policy changed, from the start of etcdctl put to its rule in the kernel $((($(date +%s%N) - began) / 1000000)) ms"
  kill $monitor 2>/dev/null || true
  wait $monitor 2>/dev/null || true
done
kernel_state >"$work/before"
agent_kill
agent_up
echo "node: restarted, exec to ready $took ms ($spent ms of processor); load $(cut -d' ' -f1-3 /proc/loadavg)"
sleep 10
memory "10 s later"
kernel_state >"$work/after"
if cmp -s "$work/before" "$work/after"; then
  echo "node: nothing lost: $(grep -c . "$work/after") rules, elements and routes are as before"
else
  echo "node: NOT as before: $(diff "$work/before" "$work/after" | grep -c '^[<>]') lines differ" >&2
  diff "$work/before" "$work/after" | head -n 5 >&2
  exit 1
fi
