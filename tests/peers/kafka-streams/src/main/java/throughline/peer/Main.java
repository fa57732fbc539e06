package throughline.peer;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The correlation on Kafka Streams: one sub-topology that reads the event topics, which are co-partitioned and keyed by
 * realm, keeps a store for each kind of entity, and writes facts.
 */
public final class Main {
    /** Size of the record cache of the whole process: nothing is evicted between two commits. */
    private static final long CACHE_BYTES = 256L << 20;

    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
        Map<String, String> options = options(arguments);
        String input = options.get("input");
        String output = options.get("output");
        Schemas schemas = Schemas.read(Path.of(options.get("schemas")));
        Topology topology = topology(schemas, input, output, options.getOrDefault("store", "memory"));
        KafkaStreams streams = new KafkaStreams(topology, config(options));
        CountDownLatch ended = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.NOT_RUNNING || now == KafkaStreams.State.ERROR) {
                ended.countDown();
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        ended.await();
    }

    private static Map<String, String> options(String[] arguments) {
        Map<String, String> options = new HashMap<>();
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            options.put(arguments[at].substring(2), arguments[at + 1]);
        }
        for (String wanted : List.of("brokers", "input", "output", "schemas", "state", "commit-interval")) {
            if (!options.containsKey(wanted)) {
                throw new IllegalArgumentException("--" + wanted + " is missing");
            }
        }
        return options;
    }

    private static Properties config(Map<String, String> options) {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, options.get("output") + "correlator");
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.get("brokers"));
        config.put(StreamsConfig.STATE_DIR_CONFIG, options.get("state"));
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, options.get("commit-interval"));
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, CACHE_BYTES);
        config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
        // As ours writes.
        config.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "zstd");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 1 << 20);
        return config;
    }

    private static Topology topology(Schemas schemas, String input, String output, String kind) {
        Topology topology = new Topology();
        var bytes = Serdes.ByteArray();
        String[] events = Schemas.EVENTS.stream().map(name -> input + name).toArray(String[]::new);
        topology.addSource("events", bytes.deserializer(), bytes.deserializer(), events);
        topology.addProcessor("correlate", () -> new Correlator(schemas, input), "events");
        for (Facts.Table table : Facts.Table.values()) {
            topology.addSink(
                    table.topic, output + table.topic, Serdes.String().serializer(), bytes.serializer(), "correlate");
        }
        topology.addStateStore(store("commits", kind, new Stored<>(Entities.Commit::new)), "correlate");
        topology.addStateStore(store("changes", kind, new Stored<>(Entities.Change::new)), "correlate");
        topology.addStateStore(store("deployments", kind, new Stored<>(Entities.Deployment::new)), "correlate");
        topology.addStateStore(store("tracks", kind, new Stored<>(Entities.Track::new)), "correlate");
        topology.addStateStore(store("shipments", kind, new Stored<>(Entities.Shipment::new)), "correlate");
        topology.addStateStore(store("releases", kind, new Stored<>(Entities.Release::new)), "correlate");
        topology.addStateStore(store("gates", kind, new Stored<>(Entities.Gate::new)), "correlate");
        topology.addStateStore(store("runs", kind, new Stored<>(Entities.Run::new)), "correlate");
        topology.addStateStore(store("revisions", kind, new Stored<>(Entities.Revision::new)), "correlate");
        return topology;
    }

    private static <V extends Entities.Entity> StoreBuilder<KeyValueStore<String, V>> store(
            String name, String kind, Stored<V> values) {
        KeyValueBytesStoreSupplier supplier =
                kind.equals("rocksdb") ? Stores.persistentKeyValueStore(name) : Stores.inMemoryKeyValueStore(name);
        return Stores.keyValueStoreBuilder(supplier, Serdes.String(), values)
                .withCachingEnabled()
                .withLoggingEnabled(Map.of());
    }
}
