package io.margay.agent.dataplane;

import io.margay.agent.firewall.PolicyCount;
import io.margay.agent.firewall.RuleOrigins;
import io.margay.agent.firewall.RuleTally;
import io.margay.agent.loop.Loop;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftTableName;
import io.margay.model.net.IpFamily;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Reads what the kernel's rules have counted, when somebody asks. On a loop of its own: reading
/// 100,000 rules takes about a second, for which rules and connections do not wait.
public final class PolicyCounters {

  /// Who asks again sooner is answered the same, so that askers can't keep the kernel reading.
  static final Duration MIN_AGE = Duration.ofSeconds(1);

  private final Loop loop;
  private final NftKernel kernel;
  private final String table;
  private final Consumer<Consumer<RuleOrigins>> origins;
  private final InstantSource steady;
  private final RuleTally tally = new RuleTally();
  private final List<CompletableFuture<List<PolicyCount>>> waiting = new ArrayList<>();
  private List<PolicyCount> last = List.of();
  private @Nullable Instant lastRead;

  /// @param kernel this loop's alone
  /// @param table whose rules are read
  /// @param origins hands what rules are written for to whom it is given, on any thread
  /// @param steady a clock that nobody sets
  public PolicyCounters(
      Loop loop,
      NftKernel kernel,
      String table,
      Consumer<Consumer<RuleOrigins>> origins,
      InstantSource steady) {
    this.loop = loop;
    this.kernel = kernel;
    this.table = table;
    this.origins = origins;
    this.steady = steady;
  }

  /// Completes with the counts, or with the kernel's refusal.
  public CompletableFuture<List<PolicyCount>> read() {
    CompletableFuture<List<PolicyCount>> answer = new CompletableFuture<>();
    if (!loop.postUnlessEnded(() -> ask(answer))) {
      answer.completeExceptionally(new IllegalStateException("the agent is stopping"));
    }
    return answer;
  }

  private void ask(CompletableFuture<List<PolicyCount>> answer) {
    Instant at = lastRead;
    if (at != null && steady.instant().isBefore(at.plus(MIN_AGE))) {
      answer.complete(last);
      return;
    }
    waiting.add(answer);
    if (waiting.size() == 1) {
      origins.accept(now -> loop.postUnlessEnded(() -> read(now)));
    }
  }

  private void read(RuleOrigins now) {
    List<CompletableFuture<List<PolicyCount>>> asked = List.copyOf(waiting);
    waiting.clear();
    try {
      for (IpFamily family : IpFamily.values()) {
        tally.take(family, kernel.rules(new NftTableName(family, table)));
      }
      last = tally.counts(now);
      lastRead = steady.instant();
      asked.forEach(answer -> answer.complete(last));
    } catch (NftException refused) {
      asked.forEach(answer -> answer.completeExceptionally(refused));
    }
  }
}
