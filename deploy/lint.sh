#!/usr/bin/env bash
# What the compiler does not check: shell syntax, executable doors, that no machine's path is written down.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
while IFS= read -r script; do
  bash -n "$script" || status=1
done < <(git ls-files | grep -E '\.sh$|^dev$|^margay$|^\.ci/run$|^deploy/launcher/margay$')
for door in dev margay .ci/run deploy/launcher/margay; do
  [ -x "$door" ] || { echo "lint: $door is not executable" >&2; status=1; }
done
if git grep -nE '(^|[^a-zA-Z])/(work|home|root)/[a-z]' -- . ':!deploy/lint.sh' ':!*/src/test/*' >&2; then
  echo "lint: the paths above belong to one machine" >&2
  status=1
fi
if git grep -nE '<version>[^$<]*</version>' -- '*/pom.xml' | grep -v '<version>0.1.0</version>' >&2; then
  echo "lint: versions belong in the root pom" >&2
  status=1
fi
exit $status
