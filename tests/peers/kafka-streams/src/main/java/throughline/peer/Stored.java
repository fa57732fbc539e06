package throughline.peer;

import java.util.function.Supplier;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** How an entity is kept in its store. */
final class Stored<V extends Entities.Entity> implements Serde<V> {
    private final Supplier<V> fresh;

    Stored(Supplier<V> fresh) {
        this.fresh = fresh;
    }

    @Override
    public Serializer<V> serializer() {
        return (topic, entity) -> {
            if (entity == null) {
                return null;
            }
            Buffer buffer = new Buffer();
            entity.write(buffer);
            return buffer.take();
        };
    }

    @Override
    public Deserializer<V> deserializer() {
        return (topic, bytes) -> {
            if (bytes == null) {
                return null;
            }
            V entity = fresh.get();
            entity.read(new Buffer(bytes));
            return entity;
        };
    }
}
