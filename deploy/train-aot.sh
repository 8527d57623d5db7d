#!/usr/bin/env bash
# Trains the ahead-of-time caches of a distribution: runs the CLI and, where namespaces and etcd are to be had, a real
# one-node rack, so that the cached classes and profiles are those of real work.   usage: train-aot.sh DIST
set -euo pipefail
dist=$(readlink -f "$1")
rm -f "$dist"/lib/*.aot "$dist"/lib/*.aot.config
name=aot$$
trap '"$dist/bin/margay" lab down --name '"$name"' >/dev/null 2>&1 || true' EXIT

MARGAY_CLI_JAVA_OPTS="-XX:AOTCacheOutput=$dist/lib/cli.aot -Xlog:disable -Xlog:all=off" \
  "$dist/bin/margay" validate -f "$dist/etc/policy.yaml" >/dev/null 2>&1 || true
[ -f "$dist/lib/cli.aot" ] || echo "train-aot: no CLI cache was written; the CLI starts slower" >&2

if [ "$(id -u)" != 0 ] || ! command -v etcd >/dev/null || ! { command -v bird || [ -x /usr/sbin/bird ]; } >/dev/null; then
  echo "train-aot: training the agent needs root, etcd and bird; it starts slower without its cache" >&2
  exit 0
fi
log=$(mktemp)
if MARGAY_AGENT_JAVA_OPTS="-XX:AOTCacheOutput=$dist/lib/agent.aot -Xlog:disable -Xlog:all=off" \
  "$dist/bin/margay" lab up -f "$dist/etc/lab/train.yaml" --name "$name" >"$log" 2>&1; then
  "$dist/bin/margay" lab down --name "$name" --graceful >>"$log" 2>&1 || true
fi
if [ ! -f "$dist/lib/agent.aot" ]; then
  tail -n 5 "$log" >&2
  echo "train-aot: the training rack failed (above); the agent starts slower without its cache" >&2
fi
rm -f "$log" "$dist"/lib/*.aot.config
