# Sourced by ./dev and ./margay: installs the Debian packages a task needs, and says which and why.
# A line of the table: command or file that proves the package is there, package, what it is for.
package_table() {
  cat <<'TABLE'
gcc                          gcc              compiles the CNI client
/usr/include/stdio.h         libc6-dev        compiles the CNI client
mvn                          maven            builds the Java modules
ip                           iproute2         namespaces and links of the lab
nft                          nftables         an independent reader of what we wrote
libnftables.so.1             libnftables1     an independent reader of what we wrote
etcd                         etcd-server      the datastore of labs and tests
etcdctl                      etcd-client      the leak checker's own view of etcd
bird                         bird2            the top-of-rack router of the lab
/usr/lib/frr/bgpd            frr              an interoperability peer
gobgpd                       gobgpd           an interoperability peer
bgpctl                       openbgpd         an interoperability peer
exabgp                       exabgp           an interoperability peer that can be told every attribute
ping                         iputils-ping     reachability checks
/etc/protocols               netbase          the names of protocols in what nft prints
openssl                      openssl          certificates of the datastore's own tests
jq                           jq               the stand-in plugin of the lab's own tests
tcpdump                      tcpdump          counts ARP and neighbour messages on a pod's wire
fish                         fish             a shell that completes our commands
/usr/share/doc/libfaketime   libfaketime      sets the clock of one agent while it runs
strace                       strace           kills the CNI client at each of its system calls
/usr/lib/cni/ptp             containernetworking-plugins  the plugins our own are measured beside
containerd                   containerd       a runtime the plugin is tried under, by ctr and by its CRI
runc                         runc             what containerd and podman start containers with
podman                       podman           a runtime the plugin is tried under
/usr/share/doc/busybox-static busybox-static  all that is in the runtimes' images
dockerd                      docker.io        a runtime served as its network driver, and a neighbour whose chains drop what policy allows
/usr/bin/docker              docker-cli       its client, which Debian 13 packages alone
firewalld                    firewalld        a neighbour whose chains reject what policy allows
dbus-daemon                  dbus-daemon      what firewalld and firewall-cmd talk over
go                           golang-go        compiles the driver that calls the plugin through libcni
/usr/share/gocode/src/github.com/containernetworking/cni/libcni golang-github-appc-cni-dev libcni, as runtimes link it
TABLE
}

package_is_there() {
  case $1 in
    /*) [ -e "$1" ] ;;
    *.so.*) ldconfig -p 2>/dev/null | grep -q "$1" || /sbin/ldconfig -p 2>/dev/null | grep -q "$1" ;;
    *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ] ;;
  esac
}

# install_packages PACKAGE...: of the named packages, those whose proof is missing.
install_packages() {
  missing=""
  for wanted in "$@"; do
    line=$(package_table | awk -v p="$wanted" '$2 == p')
    [ -n "$line" ] || { echo "margay: $wanted is not in deploy/packages.sh" >&2; return 1; }
    proof=$(echo "$line" | awk '{print $1}')
    if ! package_is_there "$proof"; then
      echo "margay: installing $wanted: $(echo "$line" | awk '{$1=""; $2=""; sub(/^ +/, ""); print}')" >&2
      missing="$missing $wanted"
    fi
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "margay: cannot install$missing: that needs root and apt-get. Install them by hand, then run this again." >&2
    return 1
  fi
  policy=/usr/sbin/policy-rc.d
  own_policy=no
  if [ ! -e $policy ]; then
    # Debian starts daemons on installation; a lab's daemons run in namespaces only.
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    own_policy=yes
  fi
  result=0
  # shellcheck disable=SC2086
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >/tmp/margay-apt.$$ 2>&1 || result=1
  [ $own_policy = no ] || rm -f $policy
  if [ $result != 0 ]; then
    tail -n 5 /tmp/margay-apt.$$ >&2
    echo "margay: apt-get could not install$missing (above: its last lines). Check the package sources, then run this again." >&2
  fi
  rm -f /tmp/margay-apt.$$
  return $result
}
