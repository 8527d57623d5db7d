package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.IPAMConfiguration;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceChange;
import io.margay.model.resource.ResourceDefaults;
import io.margay.model.resource.StagedNetworkPolicy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What Calico refuses, as a user meets it: a document in, the field's path and the reason out.
class ResourceRulesTest {

  private static List<String> problems(String kind, String name, String spec) {
    String namespace =
        kind.matches("(Staged(Kubernetes)?)?Network(Policy|Set)|WorkloadEndpoint")
            ? ", namespace: n"
            : "";
    ResourceDocuments read =
        ResourceReader.read(
            "f",
            "apiVersion: projectcalico.org/v3\nkind: "
                + kind
                + "\nmetadata: {name: "
                + name
                + namespace
                + "}\nspec: "
                + spec
                + "\n",
            "default");
    return read.problems().stream().map(problem -> problem.error().toString()).toList();
  }

  @ParameterizedTest(name = "{0} {1} {2}")
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          BGPFilter ~ f ~ {exportV4: [{}]} ~ spec.exportV4[0]: action is required
          BGPFilter ~ f ~ {exportV4: [{action: Drop}]} ~ spec.exportV4[0].action: "Drop" is not one of Accept, Reject
          BGPFilter ~ f ~ {exportV4: [{action: Accept, cidr: 10.0.0.0/8}]} ~ spec.exportV4[0].matchOperator: is required
          BGPFilter ~ f ~ {importV4: [{action: Accept, matchOperator: In}]} ~ spec.importV4[0].matchOperator: needs a cidr
          BGPFilter ~ f ~ {importV4: [{action: Accept, prefixLength: {min: 1}}]} ~ spec.importV4[0].prefixLength: needs a cidr
          BGPFilter ~ f ~ {exportV6: [{action: Accept, cidr: 10.0.0.0/8, matchOperator: In}]} ~ spec.exportV6[0].cidr: 10.0.0.0/8 is not an IPv6 prefix
          BGPFilter ~ f ~ {exportV4: [{action: Accept, cidr: 10.0.0.0/8, matchOperator: In, prefixLength: {max: 33}}]} ~ spec.exportV4[0].prefixLength.max: 33 is not in 0..32
          BGPFilter ~ f ~ {exportV4: [{action: Accept, cidr: 10.0.0.0/8, matchOperator: In, prefixLength: {min: 30, max: 20}}]} ~ spec.exportV4[0].prefixLength.min: is above max
          BGPFilter ~ f ~ {exportV4: [{action: Accept, interface: 0123456789abcdef}]} ~ spec.exportV4[0].interface: "0123456789abcdef" is not 1 to 15
          BGPFilter ~ f ~ {exportV4: [{action: Accept, communities: {values: ["1:1", "1:2"]}}]} ~ spec.exportV4[0].communities.values: 2 entries; 1 is taken
          BGPFilter ~ f ~ {exportV4: [{action: Accept, communities: {values: ["1:65536"]}}]} ~ spec.exportV4[0].communities.values[0]: "1:65536" is neither
          BGPFilter ~ f ~ {exportV4: [{action: Accept, priority: 0}]} ~ spec.exportV4[0].priority: 0 is not in 1..2147483646
          BGPFilter ~ f ~ {exportV4: [{action: Reject, operations: [{setPriority: {value: 1}}]}]} ~ spec.exportV4[0].operations: needs action Accept
          BGPFilter ~ f ~ {exportV4: [{action: Accept, operations: [{}]}]} ~ spec.exportV4[0].operations[0]: needs exactly one of
          BGPFilter ~ f ~ {exportV4: [{action: Accept, operations: [{setPriority: {value: 1}, addCommunity: {value: "1:1"}}]}]} ~ spec.exportV4[0].operations[0]: needs exactly one of
          BGPFilter ~ f ~ {exportV4: [{action: Accept, operations: [{prependASPath: {prefix: []}}]}]} ~ spec.exportV4[0].operations[0].prependASPath.prefix: is required
          BGPFilter ~ f ~ {exportV4: [{action: Accept, operations: [{prependASPath: {prefix: [1,1,1,1,1,1,1,1,1,1,1]}}]}]} ~ spec.exportV4[0].operations[0].prependASPath.prefix: 11 entries; at most 10
          CalicoNodeStatus ~ s ~ {classes: [Agent], updatePeriodSeconds: 1} ~ spec.node: is required
          CalicoNodeStatus ~ s ~ {node: n, updatePeriodSeconds: 1} ~ spec.classes: is required
          CalicoNodeStatus ~ s ~ {node: n, classes: [BGP, BGP], updatePeriodSeconds: 1} ~ spec.classes: names something twice
          CalicoNodeStatus ~ s ~ {node: n, classes: [BGP], updatePeriodSeconds: 86401} ~ spec.updatePeriodSeconds: 86401 is not in 0..86400
          KubeControllersConfiguration ~ other ~ {controllers: {}} ~ metadata.name: the only KubeControllersConfiguration is named "default"
          KubeControllersConfiguration ~ default ~ {controllers: {node: {syncLabels: Maybe}}} ~ spec.controllers.node.syncLabels: "Maybe" is not one of
          KubeControllersConfiguration ~ default ~ {controllers: {node: {hostEndpoint: {templates: [{generateName: x}]}}}} ~ spec.controllers.node.hostEndpoint.templates[0].interfaceCIDRs: or interfacePattern is required
          KubeControllersConfiguration ~ default ~ {prometheusMetricsPort: 65536, controllers: {}} ~ spec.prometheusMetricsPort: 65536 is not in 0..65535
          LiveMigration ~ m ~ {Source: {}} ~ spec.Source: needs either Workload or WorkloadEndpoint
          StagedNetworkPolicy ~ p ~ {stagedAction: Delete, order: 1} ~ spec: has nothing but stagedAction and tier
          StagedGlobalNetworkPolicy ~ p ~ {preDNAT: true, applyOnForward: true, egress: [{action: Deny}]} ~ spec.egress: preDNAT has ingress rules only
          StagedKubernetesNetworkPolicy ~ p ~ {stagedAction: Delete, podSelector: {matchLabels: {a: b}}} ~ spec: has nothing but stagedAction when that is Delete
          BlockAffinity ~ b ~ {state: lost, node: n, cidr: 10.0.0.0/26} ~ spec.state: "lost" is not one of
          BlockAffinity ~ b ~ {state: pending, node: n, cidr: 10.0.0.0/26, deleted: "true"} ~ spec.deleted: can't be set to "true"
          NetworkPolicy ~ a.b.c ~ {} ~ metadata.name: "a.b.c" is not a policy's name
          NetworkPolicy ~ p ~ {ingress: [{action: Allow, protocol: TCP, destination: {ports: [80, 0]}}]} ~ spec.ingress[0].destination.ports[1]: port 0 is not in 1..65535
          NetworkPolicy ~ p ~ {ingress: [{action: Allow, source: {nets: [10.0.0.0/8]}, destination: {nets: ["::/0"]}}]} ~ spec.ingress[0].destination.nets: mixes IPv4 and IPv6
          NetworkPolicy ~ p ~ {ingress: [{action: Allow, ipVersion: 4, notProtocol: ICMPv6}]} ~ spec.ingress[0].notProtocol: ICMPv6 does not exist in IPv4
          NetworkPolicy ~ p ~ {ingress: [{action: Allow, http: {paths: [{exact: /a, prefix: /b}]}}]} ~ spec.ingress[0].http.paths[0]: needs either exact or prefix
          NetworkPolicy ~ p ~ {ingress: [{action: Allow, http: {paths: [{exact: "a?"}]}}]} ~ spec.ingress[0].http.paths[0]: "a?" is not a path
          NetworkPolicy ~ p ~ {ingress: [{action: Allow, http: {methods: [GET, GET]}}]} ~ spec.ingress[0].http.methods: names something twice
          NetworkPolicy ~ p ~ {egress: [{action: Allow, protocol: TCP, destination: {services: {name: s}, ports: [1]}}]} ~ spec.egress[0].destination.ports: can't be combined with services
          NetworkPolicy ~ p ~ {egress: [{action: Allow, destination: {services: {name: s}, selector: all()}}]} ~ spec.egress[0].destination.services: can't be combined
          NetworkPolicy ~ p ~ {performanceHints: [RunFaster]} ~ spec.performanceHints[0]: "RunFaster" is not one of
          GlobalNetworkPolicy ~ p ~ {egress: [{action: Allow, destination: {services: {name: s}}}]} ~ spec.egress[0].destination.services.namespace: is required
          IPPool ~ p ~ {cidr: 10.0.0.0/24, allowedUses: [LoadBalancer], disableBGPExport: true} ~ spec.disableBGPExport: must be false
          IPPool ~ p ~ {cidr: 10.0.0.0/24, allowedUses: [LoadBalancer], nodeSelector: has(a)} ~ spec.nodeSelector: must be all()
          IPPool ~ p ~ {cidr: 10.0.0.0/24, allowedUses: [LoadBalancer], vxlanMode: Always} ~ spec.vxlanMode: must be Never
          IPPool ~ p ~ {cidr: 10.0.0.0/28} ~ spec.cidr: 10.0.0.0/28 is smaller than one block of /26
          BGPPeer ~ p ~ {peerIP: 192.0.2.1, asNumber: 1, keepOriginalNextHop: true, nextHopMode: Self} ~ spec.keepOriginalNextHop: is deprecated
          BGPPeer ~ p ~ {peerSelector: all(), reachableBy: 192.0.2.1} ~ spec.reachableBy: needs peerIP
          BGPPeer ~ p ~ {peerIP: 0.0.0.0, asNumber: 1} ~ spec.peerIP: 0.0.0.0 can't be the address
          BGPPeer ~ p ~ {peerIP: "ff02::5", asNumber: 1} ~ spec.peerIP: ff02::5 can't be the address
          BGPPeer ~ p ~ {localWorkloadSelector: all()} ~ spec.asNumber: is required
          BGPConfiguration ~ node.a ~ {nodeMeshMaxRestartTime: 10s} ~ spec.nodeMeshMaxRestartTime: is for BGPConfiguration "default" only
          BGPConfiguration ~ default ~ {ignoredInterfaces: ["*"]} ~ spec.ignoredInterfaces[0]: "*" is not 1 to 15
          BGPConfiguration ~ default ~ {localWorkloadPeeringIPV4: "fd00::1"} ~ spec.localWorkloadPeeringIPV4: "fd00::1" is not an IPv4 address
          BGPConfiguration ~ default ~ {programClusterRoutes: Sometimes} ~ spec.programClusterRoutes: "Sometimes" is not one of
          IPAMConfiguration ~ default ~ {strictAffinity: false, kubeVirtVMAddressPersistence: Yes} ~ spec.kubeVirtVMAddressPersistence
          Node ~ n ~ {bgp: {}} ~ spec.bgp: can't be empty
          Node ~ n ~ {ipv4VXLANTunnelAddr: "fd00::1"} ~ spec.ipv4VXLANTunnelAddr: fd00::1 is not an IPv4 address
          Node ~ n ~ {addresses: [{address: 10.0.0.0/99}]} ~ spec.addresses[0].address: "10.0.0.0/99" is not an address or prefix
          Node ~ n ~ {wireguard: {interfaceIPv6Address: 10.0.0.1}} ~ spec.wireguard.interfaceIPv6Address: 10.0.0.1 is not an IPv6 address
          HostEndpoint ~ h ~ {node: n, interfaceName: eth0, ports: [{name: Web, protocol: TCP, port: 80}]} ~ spec.ports[0].name: "Web" is not a port's name
          HostEndpoint ~ h ~ {node: n, interfaceName: eth0, profiles: [p, p]} ~ spec.profiles: names something twice
          WorkloadEndpoint ~ n-cni-c-e ~ {orchestrator: cni, node: n, containerID: c, endpoint: e, ports: [{name: "", protocol: TCP, port: 80}]} ~ spec.ports[0].name: or hostPort is required
          WorkloadEndpoint ~ n-cni-c-e ~ {orchestrator: cni, node: n, containerID: c, endpoint: e, ipNATs: [{internalIP: 10.0.0.1, externalIP: 10.0.0.2}]} ~ spec.ipNATs[0].internalIP: 10.0.0.1 is not in ipNetworks
          WorkloadEndpoint ~ n-cni-c-e ~ {orchestrator: cni, node: n, containerID: c, endpoint: e, qosControls: {ingressBandwidth: 999}} ~ spec.qosControls.ingressBandwidth: 999 is not in 1000..
          WorkloadEndpoint ~ n-cni-c-e ~ {orchestrator: cni, node: n, containerID: c, endpoint: e, qosControls: {dscp: AF44}} ~ spec.qosControls.dscp: "AF44" is not 0..63
          FelixConfiguration ~ default ~ {defaultEndpointToHostAction: Bounce} ~ spec.defaultEndpointToHostAction: "Bounce" is not one of Drop, Accept, Return
          FelixConfiguration ~ default ~ {healthPort: 65536} ~ spec.healthPort: 65536 is not in 0..65535
          FelixConfiguration ~ default ~ {reportingInterval: 30} ~ spec.reportingInterval: 30 is not a duration
          FelixConfiguration ~ default ~ {natPortRange: "20:10"} ~ spec.natPortRange: port range "20:10" is not ascending
          FelixConfiguration ~ default ~ {natOutgoingAddress: "fd00::1"} ~ spec.natOutgoingAddress: "fd00::1" is not an IPv4 address
          FelixConfiguration ~ default ~ {mtuIfacePattern: "("} ~ spec.mtuIfacePattern: "(" is not a regular expression
          FelixConfiguration ~ default ~ {failsafeInboundHostPorts: [{protocol: GRE, port: 1}]} ~ spec.failsafeInboundHostPorts: entry 0: protocol: "GRE" is not one of
          FelixConfiguration ~ default ~ {failsafeInboundHostPorts: [{protocol: TCP}]} ~ spec.failsafeInboundHostPorts: entry 0: port is required
          FelixConfiguration ~ default ~ {routeTableRange: {min: 1, max: 2}, routeTableRanges: [{min: 3, max: 4}]} ~ spec.routeTableRange: can't be combined
          FelixConfiguration ~ node. ~ {} ~ metadata.name
          FelixConfiguration ~ rack-1 ~ {nodeSelector: ""} ~ metadata.name
          FelixConfiguration ~ default ~ {nodeSelector: has(rack)} ~ spec.nodeSelector: is for a FelixConfiguration
          FelixConfiguration ~ rack-1 ~ {nodeSelector: "has("} ~ spec.nodeSelector: selector "has("
          FelixConfiguration ~ default ~ {bpfConntrackTimeouts: {tcpSynSent: soon}} ~ spec.bpfConntrackTimeouts: tcpSynSent: "soon" is not a duration or Auto
          FelixConfiguration ~ default ~ {bpfConntrackMode: Kernel} ~ spec.bpfConntrackMode: "Kernel" is not one of
          FelixConfiguration ~ default ~ {prometheusMetricsClientAuth: Maybe} ~ spec.prometheusMetricsClientAuth: "Maybe" is not one of
          FelixConfiguration ~ default ~ {ipv6Support: 1} ~ spec.ipv6Support: is not true or false
          FelixConfiguration ~ default ~ {logActionRateLimitBurst: 10000} ~ spec.logActionRateLimitBurst: 10000 is not in 0..9999
          KubeControllersConfiguration ~ default ~ {controllers: {migration: {policyNameMigrator: Maybe}}} ~ spec.controllers.migration.policyNameMigrator: "Maybe" is not one of
          """)
  void calico_refuses_it(String kind, String name, String spec, String problem) {
    assertThat(problems(kind, name, spec)).anyMatch(found -> found.startsWith(problem));
  }

  @ParameterizedTest(name = "{0} {1} {2}")
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          NetworkPolicy ~ default.allow-web ~ {tier: default}
          NetworkPolicy ~ knp.default.a.b.c ~ {}
          GlobalNetworkPolicy ~ platform.x ~ {tier: platform}
          NetworkPolicy ~ p ~ {ingress: [{action: Allow, protocol: TCP, source: {services: {name: s}, ports: [1]}}]}
          NetworkPolicy ~ p ~ {egress: [{action: Allow, destination: {services: {name: s}, selector: ""}}]}
          IPPool ~ p ~ {cidr: 10.0.0.0/28, disabled: true}
          StagedNetworkPolicy ~ p ~ {stagedAction: Delete, tier: platform}
          FelixConfiguration ~ rack-1 ~ {nodeSelector: "rack == '1'", bpfConntrackTimeouts: {tcpSynSent: 1h30m, udpTimeout: Auto}}
          FelixConfiguration ~ default ~ {bpfLogLevel: "", defaultEndpointToHostAction: DROP, goGCThreshold: -1, ipv4NormalRoutePriority: 512}
          BGPPeer ~ p ~ {localWorkloadSelector: all(), asNumber: 65000}
          """)
  void calico_takes_it(String kind, String name, String spec) {
    assertThat(problems(kind, name, spec)).isEmpty();
  }

  private static Resource one(String yaml) {
    // A first line of its own, or braces would make it JSON.
    ResourceDocuments read = ResourceReader.read("f", "---\n" + yaml, "default");
    assertThat(read.problems()).isEmpty();
    return read.items().getFirst().resource();
  }

  @Test
  void annotations_and_set_labels_have_rules() {
    ResourceDocuments read =
        ResourceReader.read(
            "f",
            """
            apiVersion: projectcalico.org/v3
            kind: GlobalNetworkSet
            metadata:
              name: s
              labels: {projectcalico.org/namespace: n}
              annotations: {"-bad": x, big: "%s"}
            """
                .formatted("x".repeat(256 * 1024)),
            "default");

    assertThat(read.problems())
        .extracting(problem -> problem.error().path())
        .containsExactlyInAnyOrder(
            "metadata.labels", "metadata.annotations", "metadata.annotations");
  }

  @Test
  void some_fields_never_change() {
    String pool =
        "{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: p}, spec: {%s}}";
    Resource before = one(pool.formatted("cidr: 10.0.0.0/16, allowedUses: [LoadBalancer]"));
    Resource moved = one(pool.formatted("cidr: 10.1.0.0/16, blockSize: 28"));

    assertThat(ResourceChange.refusals(before, moved))
        .extracting(FieldError::path)
        .containsExactly("spec.cidr", "spec.blockSize", "spec.allowedUses");
    assertThat(
            ResourceChange.refusals(
                before,
                one(
                    pool.formatted(
                        "cidr: 10.0.0.0/16, blockSize: 26, allowedUses: [LoadBalancer]"))))
        .isEmpty();
  }

  @Test
  void another_uid_is_another_object() {
    String tier =
        "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t, uid: %s}, spec: {}}";

    assertThat(ResourceChange.refusals(one(tier.formatted("a")), one(tier.formatted("b"))))
        .extracting(FieldError::path)
        .containsExactly("metadata.uid");
  }

  @Test
  void defaults_are_those_calicos_client_writes() {
    GlobalNetworkPolicy policy =
        (GlobalNetworkPolicy)
            ResourceDefaults.withDefaults(
                one(
                    "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name:"
                        + " platform.x}, spec: {tier: platform}}"));
    FelixConfiguration felix =
        (FelixConfiguration)
            ResourceDefaults.withDefaults(
                one(
                    "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name:"
                        + " default}, spec: {bpfConnectTimeLoadBalancingEnabled: true}}"));
    IPAMConfiguration addresses =
        (IPAMConfiguration)
            ResourceDefaults.withDefaults(
                one(
                    "{apiVersion: projectcalico.org/v3, kind: IPAMConfiguration, metadata: {name:"
                        + " default}, spec: {ipCooldownSeconds: 5}}"));
    StagedNetworkPolicy deletion =
        (StagedNetworkPolicy)
            ResourceDefaults.withDefaults(
                one(
                    "{apiVersion: projectcalico.org/v3, kind: StagedNetworkPolicy, metadata: {name:"
                        + " p, namespace: n}, spec: {stagedAction: Delete}}"));

    assertThat(policy.metadata().labels()).containsEntry("projectcalico.org/tier", "platform");
    assertThat(felix.spec().settings())
        .containsAllEntriesOf(
            Map.of(
                "floatingIPs", "Disabled",
                "bpfLogLevel", "",
                "bpfConnectTimeLoadBalancing", "Enabled",
                "bpfHostNetworkedNATWithoutCTLB", "Disabled"));
    assertThat(ResourceJson.encode(addresses))
        .contains("{\"strictAffinity\":false,\"autoAllocateBlocks\":true,\"ipCooldownSeconds\":5}");
    assertThat(deletion.spec().types()).isEmpty();
    assertThat(StagedKubernetesRules.validate(deletion)).isEmpty();
  }
}
