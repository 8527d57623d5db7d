package io.margay.cli.calico;

/// What of Calico a Margay node does not do as Calico's would, one row each: the table behind
/// `margay import calico` and docs/migration.md. Where a part of Margay knows itself what it can't
/// serve (policy rules, BGP peers), the row's findings are that part's own words.
public enum Support {
  OTHER_DATASTORE(
      Severity.BLOCKS,
      "the datastore is not Calico's etcd",
      "Margay reads Calico's own keys in etcd, below /calico/; a cluster whose Calico keeps its"
          + " resources in Kubernetes has none",
      "point --etcd-endpoints at the etcd that calicoctl uses with DATASTORE_TYPE=etcdv3; from the"
          + " Kubernetes datastore resources can be carried over with calicoctl get and margay"
          + " apply"),
  NO_USABLE_POOL(
      Severity.BLOCKS,
      "no pool a Margay node can assign from",
      "pods on it would get no address",
      "add an IPPool with ipipMode: Never"),
  NO_SESSION(
      Severity.BLOCKS,
      "no BGP session would come up",
      "no BGPPeer selects the node and there is no node-to-node mesh: nobody would learn its"
          + " blocks",
      "add a BGPPeer with peerIP and asNumber of a top-of-rack router, for all nodes or by"
          + " nodeSelector, or set nodeToNodeMeshEnabled: true"),
  BPF_DATAPLANE(
      Severity.BLOCKS,
      "the eBPF dataplane is on",
      "eBPF nodes send service traffic to other nodes through tunnels of their own, which a Margay"
          + " node does not end",
      "set bpfEnabled: false and let kube-proxy serve the services"),
  IPAM_DAMAGE(
      Severity.BLOCKS,
      "IPAM contradicts itself",
      "an address could be given out twice",
      "repair it first: margay ipam check names each, calicoctl ipam release or margay ipam"
          + " release frees addresses"),
  LOCKED(
      Severity.DIFFERS,
      "the datastore is locked for a migration",
      "no address is assigned or freed while it is",
      "margay datastore unlock when the migration is over"),
  ENTERPRISE(
      Severity.DIFFERS,
      "the cluster runs a commercial variant of Calico",
      "its additional kinds mean nothing to Margay",
      "look at the unknown kinds below, if any"),
  UNKNOWN_KIND(
      Severity.DIFFERS,
      "resources of a kind Margay does not know",
      "they are kept and have no effect on Margay nodes",
      "check that nothing depends on them on the nodes that change over"),
  INERT_KIND(
      Severity.DIFFERS,
      "resources that Margay keeps and does not act on",
      "kube-controllers' settings are for kube-controllers",
      "keep the parts of Calico that act on them, if you need them"),
  UNREADABLE(
      Severity.DIFFERS,
      "a document Margay can't read",
      "a policy that can't be read denies what it selects, of a network set the valid nets count,"
          + " anything else is taken for absent",
      "correct the field it names: margay get, margay replace"),
  UNKNOWN_FIELD(
      Severity.DIFFERS,
      "a field Margay does not know",
      "it is kept and has no effect on Margay nodes",
      "check what it does in your version of Calico"),
  ENCAPSULATED_POOL(
      Severity.DIFFERS,
      "a pool whose packets are wrapped in IP",
      "Margay does not do that: it assigns no address from the pool, and sends to its pods plainly",
      "add a plain or a VXLAN pool for Margay nodes; move workloads over before the wrapped one"
          + " goes"),
  WIREGUARD(
      Severity.DIFFERS,
      "WireGuard encrypts traffic between nodes",
      "traffic to and from a Margay node is not encrypted",
      "keep what must be encrypted on Calico's nodes"),
  FELIX_KNOB(
      Severity.DIFFERS,
      "a FelixConfiguration setting Margay does not follow",
      "Margay nodes keep their own behaviour",
      "docs/resources.md says what is so instead"),
  PEER_NOT_SERVED(
      Severity.DIFFERS,
      "a BGPPeer without a session",
      "a session that can't be made as asked for is not made at all",
      "do what it says, or give Margay nodes a BGPPeer without what it names"),
  SERVICE_ADVERTISEMENT(
      Severity.DIFFERS,
      "addresses of services are announced",
      "Margay nodes announce pod addresses only",
      "leave the announcement to Calico's nodes, or announce the range from the routers"),
  BGP_SETTING(
      Severity.DIFFERS,
      "a BGPConfiguration setting Margay does not follow",
      "Margay nodes keep their own behaviour",
      "check whether the nodes that change over depend on it"),
  POLICY_NOT_AS_WRITTEN(
      Severity.DIFFERS,
      "a policy or profile that is not enforced as written",
      "what can't be matched never opens anything: see the detail",
      "write the rule with what is matched: selectors, nets, ports"),
  IPAM_LEFTOVERS(
      Severity.DIFFERS,
      "IPAM has leftovers",
      "addresses that nobody uses, or claims without a block, stay taken",
      "margay ipam check names each; release what is not used"),
  UNFINISHED_CLAIM(
      Severity.INFORMS,
      "a block's claim is not confirmed",
      "a node died while it took or gave up the block; nobody announces it",
      "if its node is alive, it finishes by itself; else release the block"),
  BLOCK_WITHOUT_NODE(
      Severity.INFORMS,
      "a block that belongs to no node",
      "its addresses are in use, but no node announces the block as a whole",
      "it goes when its last pod does"),
  BLOCK_SIZE(
      Severity.INFORMS,
      "a block of another size than its pool's",
      "Margay uses it as it is; new blocks have the pool's size",
      "nothing"),
  EXPORT_RULE(
      Severity.INFORMS,
      "routes are announced by another rule",
      "Calico announces whatever lies in an IPPool, learned routes too; a Margay node announces its"
          + " own blocks and borrowed addresses, never what it learned",
      "nothing, unless routers rely on nodes passing routes on"),
  MESH(
      Severity.INFORMS,
      "the node-to-node mesh is on",
      "a Margay node takes part in it, under the addresses its Node resource has",
      "give the node's resource spec.bgp with its addresses, as calico-node does"),
  REFLECTOR(
      Severity.INFORMS,
      "a node is a route reflector",
      "as a Margay node it would reflect what lies in pools within the AS, and tell routers of"
          + " other ASes its own blocks alone",
      "nothing, unless routers of other ASes learn the cluster from it: then add a BGPFilter"),
  IPV6_NODE(
      Severity.INFORMS,
      "the node peers over IPv6 too",
      "to routers, Margay carries IPv6 routes over the same session as IPv4; between nodes there is"
          + " one session a family",
      "let the router accept both families on one session (MP-BGP)"),
  TAKEN_OVER_NODE(
      Severity.INFORMS,
      "the node is in the cluster already",
      "Margay takes over its blocks; pods wired by Calico must be recreated",
      "drain it, stop calico-node, start margay agent with the same name"),
  VXLAN_POOL(
      Severity.INFORMS,
      "a pool whose packets are wrapped in VXLAN",
      "Margay wraps them as Calico does, under the same device names, port and addresses; such a"
          + " pool needs no BGP session",
      "let the port (UDP 4789) pass between nodes; read docs/overlay.md"),
  HOST_ENDPOINT(
      Severity.INFORMS,
      "a host endpoint",
      "Margay polices the interface as Calico does; failsafe ports and the datastore stay open",
      "read docs/host-endpoints.md before its node changes over"),
  HOST_POLICY(
      Severity.INFORMS,
      "a policy for hosts (doNotTrack, preDNAT, applyOnForward)",
      "Margay enforces it on host endpoints",
      "nothing"),
  CLUSTER_SIZE(Severity.INFORMS, "the cluster's size", "for comparison after joining", "nothing"),
  VERSION(
      Severity.INFORMS,
      "the version of Calico",
      "Margay's formats were written down from Calico 3.31 to 3.34",
      "with another version look closely at unknown kinds and fields");

  private final Severity severity;
  private final String what;
  private final String why;
  private final String advice;

  Support(Severity severity, String what, String why, String advice) {
    this.severity = severity;
    this.what = what;
    this.why = why;
    this.advice = advice;
  }

  public Severity severity() {
    return severity;
  }

  /// What is there.
  public String what() {
    return what;
  }

  /// What it means with a Margay node.
  public String why() {
    return why;
  }

  /// What to do about it.
  public String advice() {
    return advice;
  }
}
