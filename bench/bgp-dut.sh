#!/usr/bin/env bash
# Starts `margay bgpd` in the foreground as the speaker of a feeder -> speaker -> sink lab: feeders 10.200.0.11 and up
# (AS 65011 and up) may only tell, the sink 10.200.1.2 (AS 65100) only hears.
# usage: bgp-dut.sh LABDIR N PEERS      N (the number of routes) is not used. FIB=kernel also programs the kernel.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
dir=$1 peers=$3
{
  cat <<'YAML'
asNumber: 65001
routerId: 1.1.1.1
listen: {address: 0.0.0.0, port: 179}
http: 127.0.0.1:9179
neighbors:
YAML
  for i in $(seq "$peers"); do
    echo "  - {address: 10.200.0.$((10 + i)), asNumber: $((65010 + i)), passive: true, import: accept, export: reject}"
  done
  echo "  - {address: 10.200.1.2, asNumber: 65100, import: reject, export: accept}"
  echo "fib: ${FIB:-none}"
} >"$dir/bgpd.yaml"
exec "${MARGAY:-$root/dist/bin/margay}" bgpd --config "$dir/bgpd.yaml"
