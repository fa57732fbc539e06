package throughline.peer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Compact binary form of what the stores hold: integers of variable length, texts with their length. */
final class Buffer {
    private byte[] bytes;
    private int at;

    Buffer() {
        this(new byte[256]);
    }

    Buffer(byte[] bytes) {
        this.bytes = bytes;
    }

    /** What was written, and ready to write again. */
    byte[] take() {
        byte[] taken = Arrays.copyOf(bytes, at);
        at = 0;
        return taken;
    }

    private void room(int more) {
        if (at + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, at + more));
        }
    }

    void number(long value) {
        room(10);
        long rest = value << 1 ^ value >> 63;
        while ((rest & ~0x7fL) != 0) {
            bytes[at++] = (byte) (rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        bytes[at++] = (byte) rest;
    }

    long number() {
        long value = 0;
        int shift = 0;
        byte next;
        do {
            next = bytes[at++];
            value |= (next & 0x7fL) << shift;
            shift += 7;
        } while (next < 0);
        return value >>> 1 ^ -(value & 1);
    }

    void flag(boolean value) {
        room(1);
        bytes[at++] = (byte) (value ? 1 : 0);
    }

    boolean flag() {
        return bytes[at++] != 0;
    }

    void maybe(Long value) {
        flag(value != null);
        if (value != null) {
            number(value);
        }
    }

    Long maybe() {
        return flag() ? number() : null;
    }

    void maybeFlag(Boolean value) {
        number(value == null ? 0 : value ? 2 : 1);
    }

    Boolean maybeFlag() {
        long value = number();
        return value == 0 ? null : Boolean.valueOf(value == 2);
    }

    void text(String value) {
        if (value == null) {
            number(-1);
            return;
        }
        byte[] encoded = value.getBytes(StandardCharsets.UTF_8);
        number(encoded.length);
        room(encoded.length);
        System.arraycopy(encoded, 0, bytes, at, encoded.length);
        at += encoded.length;
    }

    String text() {
        int length = (int) number();
        if (length < 0) {
            return null;
        }
        String value = new String(bytes, at, length, StandardCharsets.UTF_8);
        at += length;
        return value;
    }

    void texts(List<String> values) {
        number(values == null ? -1 : values.size());
        if (values != null) {
            values.forEach(this::text);
        }
    }

    List<String> texts() {
        int size = (int) number();
        if (size < 0) {
            return null;
        }
        List<String> values = new ArrayList<>(size);
        for (int n = 0; n < size; n++) {
            values.add(text());
        }
        return values;
    }
}
