package io.margay.cli.doctor;

import io.margay.agent.NodeAgent;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftDump;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftHookedChain;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftTableName;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Looks at nf_tables: our tables, what the kernel has, and the chains of others.
final class TableChecks {

  private static final String TABLES = "tables";
  private static final String OWNERSHIP = "table-ownership";
  private static final String OTHERS = "other-firewalls";

  private TableChecks() {}

  static List<Finding> all(KernelNftables kernel) throws NftException {
    List<Finding> findings = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      findings.add(table(kernel, new NftTableName(family, NodeAgent.TABLE)));
    }
    findings.add(ownership(kernel.features().persistentOwner()));
    findings.addAll(others(kernel.hookedChains()));
    return findings;
  }

  private static Finding table(NftKernel kernel, NftTableName name) throws NftException {
    Optional<NftDump> dump = kernel.dump(name);
    if (dump.isEmpty()) {
      return Finding.error(
          TABLES,
          "there is no table " + name,
          "no policy is enforced on this node; pods can be reached from anywhere",
          "start margay agent, or see in its log why it has not written the table");
    }
    if (dump.get().dormant()) {
      return Finding.error(
          TABLES,
          "table " + name + " is switched off (flag dormant)",
          "no policy is enforced on this node",
          "start margay agent, which puts it right");
    }
    String chains = "table " + name + " is there, with " + dump.get().chains().size() + " chains";
    return Finding.ok(TABLES, chains + (dump.get().owned() ? ", owned by a running agent" : ""));
  }

  static Finding ownership(boolean supported) {
    return supported
        ? Finding.ok(OWNERSHIP, "this kernel can close our tables to other programs")
        : Finding.warning(
            OWNERSHIP,
            "this kernel can't close our tables to other programs",
            "a foreign `nft flush ruleset` leaves pods without policy until the agent has repaired"
                + " it, some milliseconds later",
            "run Linux 6.9 or later; until then, keep programs from flushing the whole ruleset");
  }

  /// A packet is dropped if any chain of its way drops it, whatever ours said, before or after.
  static List<Finding> others(List<NftHookedChain> chains) {
    List<Finding> findings = new ArrayList<>();
    for (NftHookedChain chain : chains) {
      boolean ours = chain.table().equals(NodeAgent.TABLE) && !chain.family().equals("inet");
      boolean onTheWay = chain.hook().equals("forward") || chain.hook().equals("prerouting");
      if (!ours && onTheWay && chain.isClosed()) {
        findings.add(closed(chain));
      }
    }
    if (findings.isEmpty()) {
      findings.add(
          Finding.ok(OTHERS, "no other firewall's chain drops forwarded packets by default"));
    }
    return findings;
  }

  private static Finding closed(NftHookedChain chain) {
    String how =
        switch (chain.end()) {
          case DROP_POLICY -> "its policy is drop";
          case DROP_RULE -> "its last rule drops everything";
          case REJECT_RULE -> "its last rule rejects everything";
          case ACCEPT -> throw new IllegalStateException(chain + " is open");
        };
    return Finding.warning(
        OTHERS,
        chain + " (" + chain.hook() + ", priority " + chain.priority() + "): " + how,
        "packets of pods that none of its rules accepts end there, though policy allows them",
        fix(chain));
  }

  private static String fix(NftHookedChain chain) {
    if (chain.table().startsWith("firewalld")) {
      return "firewall-cmd --permanent --zone=trusted --add-source=POD_CIDR, then --reload";
    }
    if (chain.table().equals("filter") && chain.chain().equals("FORWARD")) {
      return "let pods pass: iptables -I FORWARD -i cali+ -j ACCEPT and -o cali+ (with Docker: in"
          + " chain DOCKER-USER; with ufw: `ufw default allow routed` or route rules)";
    }
    return "add rules there that accept packets from and to interfaces cali*";
  }
}
