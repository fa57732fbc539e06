package throughline.peer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.Decoder;
import org.apache.avro.io.DecoderFactory;

/** The schemas of {@code schemas/avro} with their ids. */
final class Schemas {
    /** The topics of events. */
    static final List<String> EVENTS =
            List.of("ci.events", "approval.events", "incident.events", "review.events", "control");
    /** A zero byte and the id of the schema stand before a record. */
    static final int HEADER = 5;

    private final List<Schema> byId = new ArrayList<>();
    private final Map<String, Integer> latest = new HashMap<>();

    static Schemas read(Path folder) {
        Schemas schemas = new Schemas();
        schemas.byId.add(null);
        try {
            for (JsonNode line : new ObjectMapper().readTree(folder.resolve("index.json").toFile())) {
                String text = Files.readString(folder.resolve(line.get("file").asText()));
                schemas.byId.add(new Schema.Parser().parse(text));
                schemas.latest.put(line.get("subject").asText(), line.get("id").asInt());
            }
        } catch (IOException error) {
            throw new UncheckedIOException("the schemas cannot be read from " + folder, error);
        }
        return schemas;
    }

    int latestId(String subject) {
        return latest.get(subject);
    }

    Schema get(int id) {
        return byId.get(id);
    }

    /** Reads records; for one thread. */
    final class Reader {
        private final Map<Integer, GenericDatumReader<GenericRecord>> readers = new HashMap<>();
        private BinaryDecoder decoder;

        GenericRecord read(byte[] bytes) {
            int id = ByteBuffer.wrap(bytes, 1, 4).getInt();
            decoder = DecoderFactory.get().binaryDecoder(bytes, HEADER, bytes.length - HEADER, decoder);
            try {
                return readers.computeIfAbsent(id, known -> new Texts(get(known))).read(null, decoder);
            } catch (IOException error) {
                throw new UncheckedIOException("a record does not fit schema " + id, error);
            }
        }
    }

    /** Gives texts as strings. */
    private static final class Texts extends GenericDatumReader<GenericRecord> {
        Texts(Schema schema) {
            super(schema);
        }

        @Override
        protected Object readString(Object old, Schema expected, Decoder in) throws IOException {
            return in.readString();
        }
    }
}
