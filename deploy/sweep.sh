# Sourced by ./dev: takes away what test runs that were killed have left. Whatever a test makes is named mgyt and then
# the number of the process that made it; what belongs to a living process is left alone, and so is all else.

# The process that a name tells of; nothing if it is none of a test's.
owner_of() {
  case $1 in
    mgyt* | mgy-mgyt*) echo "$1" | sed -n 's/^\(mgy-\)\{0,1\}mgyt-\{0,1\}[a-z]*-\{0,1\}\([0-9][0-9]*\).*$/\2/p' ;;
  esac
}

is_orphan() {
  owner=$(owner_of "$1")
  [ -n "$owner" ] && [ ! -d "/proc/$owner" ]
}

sweep() {
  [ "$(id -u)" = 0 ] && command -v ip >/dev/null 2>&1 || return 0
  swept=0
  for lab in /run/margay-lab/*; do
    name=${lab##*/}
    [ -d "$lab" ] && is_orphan "$name" || continue
    for file in $(find "$lab" -name '*.pid'); do
      pid=$(head -n 1 "$file")
      # A number that has become another process's names no directory of the lab.
      tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$lab/" && kill -9 "$pid"
    done
    swept=$((swept + 1))
  done
  for netns in $(ip netns list | awk '{print $1}'); do
    is_orphan "$netns" || continue
    for pid in $(ip netns pids "$netns"); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$netns" || true
    swept=$((swept + 1))
  done
  for lab in /run/margay-lab/*; do
    [ -d "$lab" ] && is_orphan "${lab##*/}" && rm -rf "$lab"
  done
  for lock in /run/margay-lab/.mgyt*.lock; do
    name=${lock##*/.}
    [ -e "$lock" ] && is_orphan "${name%.lock}" && rm -f "$lock"
  done
  # Files; and machines of the runtime tests: their processes go with their first, these stay.
  for left in /tmp/mgyt[0-9]* /tmp/mgyt-rt* /sys/fs/cgroup/mgyt-rt* /sys/fs/cgroup/*/mgyt-rt*; do
    [ -d "$left" ] && is_orphan "${left##*/}" || continue
    case $left in
      /tmp/*) rm -rf --one-file-system "$left" ;;
      *) find "$left" -depth -type d -exec rmdir {} + ;;
    esac
    swept=$((swept + 1))
  done
  # Databases of unit tests: children that outlived their test.
  for pid in $(pgrep -x etcd || true); do
    if [ "$(awk '/^PPid:/ {print $2}' "/proc/$pid/status" 2>/dev/null)" = 1 ] &&
      tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q -e '--data-dir=/tmp/\(mgyt[0-9]*/\)\{0,1\}junit'; then
      kill -9 "$pid" && swept=$((swept + 1))
    fi
  done
  [ $swept = 0 ] || echo "dev: took away $swept things that killed test runs had left" >&2
}
