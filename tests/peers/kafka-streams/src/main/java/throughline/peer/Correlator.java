package throughline.peer;

import java.util.function.Supplier;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** Takes events in, keeps the stores, gives facts out. */
final class Correlator implements Processor<byte[], byte[], String, byte[]> {
    private final Schemas schemas;
    private final Schemas.Reader reader;
    private final String inputPrefix;
    private ProcessorContext<String, byte[]> context;
    private Working<Entities.Revision> revisions;
    private Shipping shipping;
    private Gates gates;
    private long timestamp;

    Correlator(Schemas schemas, String inputPrefix) {
        this.schemas = schemas;
        this.reader = schemas.new Reader();
        this.inputPrefix = inputPrefix;
    }

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
        this.context = context;
        Facts facts = new Facts(schemas, this::forward);
        revisions = working("revisions", Entities.Revision::new);
        shipping = new Shipping(
                facts,
                revisions,
                working("commits", Entities.Commit::new),
                working("changes", Entities.Change::new),
                working("deployments", Entities.Deployment::new),
                working("tracks", Entities.Track::new),
                working("shipments", Entities.Shipment::new),
                working("releases", Entities.Release::new));
        gates = new Gates(facts, revisions, working("gates", Entities.Gate::new), working("runs", Entities.Run::new));
    }

    private <V extends Entities.Entity> Working<V> working(String store, Supplier<V> fresh) {
        return new Working<>(context.getStateStore(store), fresh);
    }

    private void forward(Facts.Table table, String key, byte[] row) {
        context.forward(new Record<>(key, row, timestamp), table.topic);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        timestamp = record.timestamp();
        GenericRecord event = reader.read(record.value());
        String realm = (String) event.get("realm");
        long at = (long) event.get("occurred_at");
        GenericRecord body = (GenericRecord) event.get("body");
        switch (body.getSchema().getName()) {
            case "Push" -> shipping.push(realm, at, body);
            case "Commits" -> shipping.commits(realm, body);
            case "Change" -> shipping.change(realm, at, body);
            case "Deployment" -> shipping.deployment(realm, at, body);
            case "TaskRun" -> gates.task(realm, at, body);
            case "GateRequested" -> gates.act(realm, at, body, "requested_at", Entities.Act.Kind.REQUESTED);
            case "GateRequestedAgain" -> gates.act(realm, at, body, "requested_at", Entities.Act.Kind.REQUESTED_AGAIN);
            case "GateDecided" -> gates.decided(realm, at, body);
            case "GateExpired" -> gates.act(realm, at, body, "expired_at", Entities.Act.Kind.EXPIRED);
            case "GateCancelled" -> gates.act(realm, at, body, "cancelled_at", Entities.Act.Kind.CANCELLED);
            case "GateBypassed" -> gates.act(realm, at, body, "bypassed_at", Entities.Act.Kind.BYPASSED);
            // Nothing of the others enters the three tables.
            default -> { }
        }
        shipping.flush();
        gates.flush();
        revisions.flush();
    }

    /** A repository without a catalog is a component: its path without the host. */
    static String component(String repository, String service) {
        return repository == null ? service : repository.substring(repository.indexOf('/') + 1);
    }

    static String text(GenericRecord record, String field) {
        return (String) record.get(field);
    }

    static String symbol(GenericRecord record, String field) {
        Object value = record.get(field);
        return value == null ? null : value.toString();
    }

    /** Place of a symbol in its schema, which is its rank; below all where there is none. */
    static int rank(GenericRecord record, String field) {
        Object value = record.get(field);
        return value instanceof org.apache.avro.generic.GenericData.EnumSymbol symbol
                ? symbol.getSchema().getEnumOrdinal(symbol.toString())
                : -1;
    }

    static Long least(Long known, Long told) {
        return known == null || (told != null && told < known) ? told : known;
    }
}
