package throughline.peer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/** Rows, and writing those that are new, changed or taken back. */
final class Facts {
    enum Table {
        RELEASES("facts.releases", List.of("component", "version")),
        RELEASE_COMMITS("facts.release_commits", List.of("component", "environment", "commit")),
        GATE_WAITS("facts.gate_waits", List.of("component", "gate"));

        final String topic;
        /** Columns of the identity, beside realm and {@code at}. */
        final List<String> identity;

        Table(String topic, List<String> identity) {
            this.topic = topic;
            this.identity = identity;
        }
    }

    /** Where rows go. */
    interface Out {
        void write(Table table, String key, byte[] row);
    }

    private record Shape(int id, Schema schema, GenericRecord empty, GenericDatumWriter<GenericRecord> writer) {}

    private final Map<Table, Shape> shapes = new EnumMap<>(Table.class);
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    private final Out out;
    private BinaryEncoder encoder;

    Facts(Schemas schemas, Out out) {
        this.out = out;
        for (Table table : Table.values()) {
            int id = schemas.latestId(table.topic);
            Schema schema = schemas.get(id);
            shapes.put(table, new Shape(id, schema, empty(schema), new GenericDatumWriter<>(schema)));
        }
    }

    /** A row with nothing in it: defaults of the schema, else zero, an empty text, the first symbol. */
    private static GenericRecord empty(Schema schema) {
        GenericRecord row = new GenericData.Record(schema);
        for (Schema.Field field : schema.getFields()) {
            boolean given = field.hasDefaultValue();
            row.put(field.pos(), given ? GenericData.get().getDefaultValue(field) : zero(field.schema()));
        }
        return row;
    }

    private static Object zero(Schema schema) {
        return switch (schema.getType()) {
            case STRING -> "";
            case INT -> 0;
            case LONG -> 0L;
            case BOOLEAN -> false;
            case ENUM -> new GenericData.EnumSymbol(schema, schema.getEnumSymbols().get(0));
            case ARRAY -> List.of();
            default -> throw new IllegalStateException("a column of type " + schema + " needs a default");
        };
    }

    GenericRecord row(Table table, String realm, long at) {
        GenericRecord row = new GenericData.Record((GenericData.Record) shapes.get(table).empty, false);
        row.put("realm", realm);
        row.put("at", at);
        return row;
    }

    static void symbol(GenericRecord row, String column, String symbol) {
        row.put(column, new GenericData.EnumSymbol(row.getSchema().getField(column).schema(), symbol));
    }

    /** Writes a row that is news; the one before is taken back where its time, and so its identity, differs. */
    Entities.Emitted emit(
            Table table, String key, GenericRecord row, Entities.Emitted before, Entities.Revision revision) {
        long at = (long) row.get("at");
        // Without a revision yet, so that the digest is that of what the row says.
        Entities.Emitted now = new Entities.Emitted(at, digest(encode(table, row)));
        if (now.equals(before)) {
            return before;
        }
        revision.last++;
        if (before != null && before.at() != at) {
            GenericRecord gone = row(table, (String) row.get("realm"), before.at());
            table.identity.forEach(column -> gone.put(column, row.get(column)));
            gone.put("deleted", true);
            write(table, key, gone, revision);
        }
        write(table, key, row, revision);
        return now;
    }

    private void write(Table table, String key, GenericRecord row, Entities.Revision revision) {
        row.put("revision", revision.last);
        out.write(table, key, encode(table, row));
    }

    private byte[] encode(Table table, GenericRecord row) {
        Shape shape = shapes.get(table);
        bytes.reset();
        bytes.writeBytes(ByteBuffer.allocate(Schemas.HEADER).put((byte) 0).putInt(shape.id).array());
        encoder = EncoderFactory.get().directBinaryEncoder(bytes, encoder);
        try {
            shape.writer.write(row, encoder);
        } catch (IOException error) {
            throw new UncheckedIOException("a row does not fit " + table.topic, error);
        }
        return bytes.toByteArray();
    }

    private static int digest(byte[] encoded) {
        CRC32C digest = new CRC32C();
        digest.update(encoded);
        return (int) digest.getValue();
    }
}
