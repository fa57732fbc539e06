package throughline.peer;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.streams.state.KeyValueStore;

/** Entities of one store while one event is worked on: each is read once and written once. */
final class Working<V extends Entities.Entity> {
    private final KeyValueStore<String, V> store;
    private final Supplier<V> fresh;
    private final Map<String, V> loaded = new HashMap<>();
    private final Set<String> changed = new HashSet<>();

    Working(KeyValueStore<String, V> store, Supplier<V> fresh) {
        this.store = store;
        this.fresh = fresh;
    }

    /** What is known; nothing where it was never spoken of. */
    V find(String key) {
        V found = loaded.get(key);
        if (found == null) {
            found = store.get(key);
            if (found != null) {
                loaded.put(key, found);
            }
        }
        return found;
    }

    /** What is known, made where it was never spoken of. */
    V of(String key) {
        V found = find(key);
        if (found == null) {
            found = fresh.get();
            loaded.put(key, found);
        }
        return found;
    }

    void changed(String key) {
        changed.add(key);
    }

    void flush() {
        for (String key : changed) {
            store.put(key, loaded.get(key));
        }
        changed.clear();
        loaded.clear();
    }
}
