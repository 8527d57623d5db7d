package io.margay.datastore.etcd;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.options.GetOption;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.StoreId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One listing, read page by page: the first page says which revision it is of, all others are
/// asked for at that revision. So an answer is never larger than a page, and the whole is of one
/// moment. If the revision is compacted away meanwhile, everything is read anew.
final class EtcdListing {

  /// How often a listing that compaction overtook is begun anew.
  private static final int MAX_ATTEMPTS = 4;

  private static final byte[] SUCCESSOR = {0};

  private final EtcdCalls calls;
  private final KV kv;
  private final String prefix;
  private int pageKeys;

  /// @param pageKeys the most keys in one answer
  EtcdListing(EtcdCalls calls, KV kv, String prefix, int pageKeys) {
    this.calls = calls;
    this.kv = kv;
    this.prefix = prefix;
    this.pageKeys = pageKeys;
  }

  Listing read() throws DatastoreException {
    List<KeyValue> items = new ArrayList<>();
    for (int attempt = 1; ; attempt++) {
      try {
        items.clear();
        Listing head = readOnce(items::add);
        return new Listing(head.store(), head.revision(), items);
      } catch (DatastoreException failed) {
        if (!EtcdFailures.isCompacted(failed) || attempt == MAX_ATTEMPTS) {
          throw failed;
        }
      }
    }
  }

  /// Hands over what it reads, page by page; without a second attempt.
  ///
  /// @return the listing without its items
  Listing readOnce(Consumer<KeyValue> each) throws DatastoreException {
    GetResponse page = page(EtcdDatastore.bytes(prefix), 0);
    StoreId store = EtcdDatastore.storeOf(page.getHeader());
    long revision = page.getHeader().getRevision();
    take(page, each);
    while (page.isMore()) {
      ByteSequence last = page.getKvs().getLast().getKey();
      page = page(last.concat(ByteSequence.from(SUCCESSOR)), revision);
      take(page, each);
    }
    return new Listing(store, revision, List.of());
  }

  private static void take(GetResponse page, Consumer<KeyValue> each) {
    page.getKvs().forEach(item -> each.accept(EtcdDatastore.toKeyValue(item)));
  }

  /// @param revision 0 = the present
  private GetResponse page(ByteSequence from, long revision) throws DatastoreException {
    while (true) {
      GetOption option =
          GetOption.builder()
              .withRange(endOf(prefix))
              .withRevision(revision)
              .withLimit(pageKeys)
              .build();
      @Nullable DatastoreException tooLarge;
      try {
        return calls.awaitRead(
            () -> kv.get(from, option), EtcdDatastore.PAGE_DEADLINE, "listing " + prefix);
      } catch (DatastoreException failed) {
        tooLarge = failed;
      }
      if (tooLarge.kind() != Kind.INVALID || !EtcdFailures.isTooLarge(tooLarge) || pageKeys == 1) {
        throw tooLarge;
      }
      pageKeys = Math.max(1, pageKeys / 8);
    }
  }

  /// The first key after all that start with `prefix`.
  private static ByteSequence endOf(String prefix) {
    byte[] end = EtcdDatastore.bytes(prefix).getBytes();
    // No octet of UTF-8 is 0xff.
    end[end.length - 1]++;
    return ByteSequence.from(end);
  }
}
