#!/bin/sh
# Makes the roles of roles.conf in an etcd: ./roles.sh [NODE...], once, and again when nodes are added or roles.conf changes.
# Each NODE gets the role margay-node-NODE and a user of that name without a password, for a client certificate with that
# common name. Other users: etcdctl user add NAME --no-password; etcdctl user grant-role NAME margay-admin.
# etcdctl is taken from ETCDCTL (default: etcdctl) and finds the server by its own ETCDCTL_* environment (endpoints, cacert,
# cert, key, user). Authentication is not switched on here: do it when every client has its user (etcdctl auth enable).
set -eu
here=$(dirname "$(readlink -f "$0")")
ETCDCTL_API=3
export ETCDCTL_API
etcd() { "${ETCDCTL:-etcdctl}" "$@"; }

has() { etcd "$1" list | grep -qx -- "$2"; }

# permissions ROLE: KEY lines of roles.conf for one role, NODE filled in.
make_role() { # role, node
  role=$1 node=$2
  if has role "$role"; then
    # What roles.conf no longer says is taken away with the old role's permissions; users keep the role.
    etcd role get "$role" | awk '
      /^KV Read:/  { next }
      /^KV Write:/ { next }
      /^\t/ { gsub(/^[ \t]+/, ""); print }' | sort -u | while read -r granted; do
      case $granted in
        "["*) range=${granted#\[}; from=${range%%, *}; etcd role revoke-permission "$role" "$from" --prefix=true >/dev/null ;;
        *) etcd role revoke-permission "$role" "$granted" >/dev/null ;;
      esac
    done
  else
    etcd role add "$role" >/dev/null
  fi
  sed -e 's/#.*//' -e "s|NODE|$node|g" "$here/roles.conf" | awk -v role="$role" '$1 == role { print $2, $3, $4 }' |
    while read -r allowed scope key; do
      case $scope in
        prefix) etcd role grant-permission "$role" --prefix=true "$allowed" "$key" >/dev/null ;;
        key) etcd role grant-permission "$role" "$allowed" "$key" >/dev/null ;;
        *) echo "roles.conf: $role: $scope is neither prefix nor key" >&2; exit 1 ;;
      esac
    done
  echo "role $role"
}

for role in $(sed -e 's/#.*//' "$here/roles.conf" | awk 'NF { print $1 }' | grep -v NODE | sort -u); do
  make_role "$role" ""
done
for node in "$@"; do
  case $node in
    *[!a-z0-9.-]* | "") echo "roles.sh: \"$node\" is not a node's name" >&2; exit 2 ;;
  esac
  make_role "margay-node-$node" "$node"
  has user "margay-node-$node" || etcd user add "margay-node-$node" --no-password >/dev/null
  etcd user grant-role "margay-node-$node" "margay-node-$node" >/dev/null
  echo "user margay-node-$node"
done
