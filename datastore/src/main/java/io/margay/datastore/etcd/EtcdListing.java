package io.margay.datastore.etcd;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.options.GetOption;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.StoreId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One listing, read page by page: the first page says which revision it is of, all others are
/// asked for at that revision. So an answer is never larger than a page, and the whole is of one
/// moment. If the revision is compacted away meanwhile, everything is read anew. Each page is asked
/// for in a range that a [ListingWindow] keeps small.
final class EtcdListing {

  /// How often a listing that compaction overtook is begun anew.
  private static final int MAX_ATTEMPTS = 4;

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

  /// Hands over what it reads, page by page; without a second attempt. The store works on the next
  /// page while the present one is handed over.
  ///
  /// @return the listing without its items
  Listing readOnce(Consumer<KeyValue> each) throws DatastoreException {
    ListingWindow window = new ListingWindow(prefix.getBytes(UTF_8));
    GetResponse page = page(window, 0, null);
    StoreId store = EtcdDatastore.storeOf(page.getHeader());
    long revision = page.getHeader().getRevision();
    while (advance(window, page)) {
      CompletableFuture<GetResponse> coming = EtcdCalls.begin(() -> ask(window, revision));
      take(page, each);
      page = page(window, revision, coming);
    }
    take(page, each);
    return new Listing(store, revision, List.of());
  }

  /// @return false behind the last page
  private boolean advance(ListingWindow window, GetResponse page) {
    List<io.etcd.jetcd.KeyValue> keys = page.getKvs();
    return window.advance(
        keys.size(), i -> keys.get(i).getKey().getBytes(), page.getCount(), pageKeys);
  }

  private static void take(GetResponse page, Consumer<KeyValue> each) {
    page.getKvs().forEach(item -> each.accept(EtcdDatastore.toKeyValue(item)));
  }

  /// @param revision 0 = the present
  /// @param coming the answer, if it has been asked for already
  private GetResponse page(
      ListingWindow window, long revision, @Nullable CompletableFuture<GetResponse> coming)
      throws DatastoreException {
    Deque<CompletableFuture<GetResponse>> asked = new ArrayDeque<>();
    if (coming != null) {
      asked.add(coming);
    }
    while (true) {
      @Nullable DatastoreException tooLarge;
      try {
        return calls.awaitRead(
            () -> asked.isEmpty() ? ask(window, revision) : asked.remove(),
            EtcdDatastore.PAGE_DEADLINE,
            "listing " + prefix);
      } catch (DatastoreException failed) {
        tooLarge = failed;
      }
      if (tooLarge.kind() != Kind.INVALID || !EtcdFailures.isTooLarge(tooLarge) || pageKeys == 1) {
        throw tooLarge;
      }
      pageKeys = Math.max(1, pageKeys / 8);
    }
  }

  private CompletableFuture<GetResponse> ask(ListingWindow window, long revision) {
    GetOption option =
        GetOption.builder()
            .withRange(ByteSequence.from(window.to()))
            .withRevision(revision)
            .withLimit(pageKeys)
            .build();
    return kv.get(ByteSequence.from(window.from()), option);
  }
}
