package io.margay.linux.nft;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One step of a transaction. Steps of a batch see what earlier ones did; packets see all or none.
public sealed interface NftOp {

  NftTableName table();

  /// What the step is about, for errors.
  String subject();

  /// Creates the table, or takes it over if it exists.
  ///
  /// @param tenure [NftTenure#OPEN] leaves an existing table's as it is
  record AddTable(NftTableName table, NftTenure tenure) implements NftOp {
    @Override
    public String subject() {
      return "creation of table " + table;
    }
  }

  /// Removes the table and all it holds.
  record DeleteTable(NftTableName table) implements NftOp {
    @Override
    public String subject() {
      return "deletion of table " + table;
    }
  }

  /// @param hook null = a regular chain
  record AddChain(NftTableName table, String chain, @Nullable NftHook hook) implements NftOp {
    @Override
    public String subject() {
      return "creation of chain " + chain + " of table " + table;
    }
  }

  /// Removes the chain's rules. The chain must exist, or have come earlier in the batch.
  record FlushChain(NftTableName table, String chain) implements NftOp {
    @Override
    public String subject() {
      return "flush of chain " + chain + " of table " + table;
    }
  }

  /// Removes an empty chain that nothing refers to.
  record DeleteChain(NftTableName table, String chain) implements NftOp {
    @Override
    public String subject() {
      return "deletion of chain " + chain + " of table " + table;
    }
  }

  /// Appends a rule.
  ///
  /// @param tag what [NftRuleTag] makes of it
  record AddRule(NftTableName table, String chain, NftRule rule, NftData tag) implements NftOp {
    AddRule(NftTableName table, String chain, NftRule rule) {
      this(table, chain, rule, NftRuleTag.of(rule));
    }

    @Override
    public String subject() {
      return "rule \"" + rule.id() + "\" in chain " + chain + " of table " + table;
    }
  }

  record AddSet(NftTableName table, NftSet set) implements NftOp {
    @Override
    public String subject() {
      return "creation of set " + set.name() + " of table " + table;
    }
  }

  /// Removes a set that no rule refers to, with its elements.
  record DeleteSet(NftTableName table, String set) implements NftOp {
    @Override
    public String subject() {
      return "deletion of set " + set + " of table " + table;
    }
  }

  /// Removes an object that no rule refers to.
  record DeleteObject(NftTableName table, NftObject object) implements NftOp {
    @Override
    public String subject() {
      return "deletion of object " + object.name() + " of table " + table;
    }
  }

  /// Adds elements; those that are there already stay.
  record AddElements(NftTableName table, NftSet set, List<NftElement> elements) implements NftOp {
    @Override
    public String subject() {
      return "addition of "
          + elements.size()
          + " elements to set "
          + set.name()
          + " of table "
          + table;
    }
  }

  /// Removes elements; one that is not there fails the batch.
  record DeleteElements(NftTableName table, NftSet set, List<NftElement> elements)
      implements NftOp {
    @Override
    public String subject() {
      return "removal of "
          + elements.size()
          + " elements from set "
          + set.name()
          + " of table "
          + table;
    }
  }
}
