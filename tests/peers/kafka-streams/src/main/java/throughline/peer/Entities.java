package throughline.peer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What is known of each thing, and what was last written of it. */
final class Entities {
    private Entities() {}

    interface Entity {
        void write(Buffer out);

        void read(Buffer in);
    }

    /** Place of a deployment among those to its environment. */
    record Order(long finishedAt, String version, String deployment) implements Comparable<Order> {
        private static final Comparator<Order> COMPARATOR = Comparator.comparingLong(Order::finishedAt)
                .thenComparing(Order::version)
                .thenComparing(Order::deployment);

        @Override
        public int compareTo(Order other) {
            return COMPARATOR.compare(this, other);
        }

        static void write(Buffer out, Order order) {
            out.flag(order != null);
            if (order != null) {
                out.number(order.finishedAt);
                out.text(order.version);
                out.text(order.deployment);
            }
        }

        static Order read(Buffer in) {
            return in.flag() ? new Order(in.number(), in.text(), in.text()) : null;
        }
    }

    /** The row written last: the time in its identity, and a digest of its columns. */
    record Emitted(long at, int digest) {
        static void write(Buffer out, Emitted emitted) {
            out.flag(emitted != null);
            if (emitted != null) {
                out.number(emitted.at);
                out.number(emitted.digest);
            }
        }

        static Emitted read(Buffer in) {
            return in.flag() ? new Emitted(in.number(), (int) in.number()) : null;
        }
    }

    /** The deployment that was the first to bring a commit to an environment of a component. */
    static final class Label {
        String component;
        String environment;
        Order order;
        Emitted emitted;
    }

    static final class Commit implements Entity {
        List<String> parents;
        Long authoredAt;
        Long committedAt;
        Long landedAt;
        /** Keys of the merged changes that hold it. */
        List<String> changes = new ArrayList<>(1);
        List<Label> labels = new ArrayList<>(0);

        /** Something is known of it beyond its name. */
        boolean isKnown() {
            return authoredAt != null || committedAt != null || parents != null;
        }

        Long writtenAt() {
            return authoredAt != null ? authoredAt : committedAt;
        }

        Label label(String component, String environment) {
            for (Label label : labels) {
                if (label.environment.equals(environment) && label.component.equals(component)) {
                    return label;
                }
            }
            return null;
        }

        @Override
        public void write(Buffer out) {
            out.texts(parents);
            out.maybe(authoredAt);
            out.maybe(committedAt);
            out.maybe(landedAt);
            out.texts(changes);
            out.number(labels.size());
            for (Label label : labels) {
                out.text(label.component);
                out.text(label.environment);
                Order.write(out, label.order);
                Emitted.write(out, label.emitted);
            }
        }

        @Override
        public void read(Buffer in) {
            parents = in.texts();
            authoredAt = in.maybe();
            committedAt = in.maybe();
            landedAt = in.maybe();
            changes = in.texts();
            int size = (int) in.number();
            for (int n = 0; n < size; n++) {
                Label label = new Label();
                label.component = in.text();
                label.environment = in.text();
                label.order = Order.read(in);
                label.emitted = Emitted.read(in);
                labels.add(label);
            }
        }
    }

    static final class Change implements Entity {
        String number;
        long headToldAt = Long.MIN_VALUE;
        String head;
        long mergeToldAt = Long.MIN_VALUE;
        Long mergedAt;
        String mergeCommit;
        /** Its commits, the one that merged it included. */
        List<String> members = new ArrayList<>();

        @Override
        public void write(Buffer out) {
            out.text(number);
            out.number(headToldAt);
            out.text(head);
            out.number(mergeToldAt);
            out.maybe(mergedAt);
            out.text(mergeCommit);
            out.texts(members);
        }

        @Override
        public void read(Buffer in) {
            number = in.text();
            headToldAt = in.number();
            head = in.text();
            mergeToldAt = in.number();
            mergedAt = in.maybe();
            mergeCommit = in.text();
            members = in.texts();
        }
    }

    /** A state of a deployment that was observed; phase and outcome by their places in the schema. */
    record Seen(long at, int phase, int outcome) implements Comparable<Seen> {
        private static final Comparator<Seen> COMPARATOR =
                Comparator.comparingLong(Seen::at).thenComparingInt(Seen::phase).thenComparingInt(Seen::outcome);

        @Override
        public int compareTo(Seen other) {
            return COMPARATOR.compare(this, other);
        }
    }

    static final class Deployment implements Entity {
        String component;
        String environment;
        String tier;
        String repository;
        String version;
        String commit;
        boolean counts = true;
        Long createdAt;
        TreeSet<Seen> states = new TreeSet<>();
        /** Where it stands, once it has succeeded. */
        Order order;

        @Override
        public void write(Buffer out) {
            out.text(component);
            out.text(environment);
            out.text(tier);
            out.text(repository);
            out.text(version);
            out.text(commit);
            out.flag(counts);
            out.maybe(createdAt);
            out.number(states.size());
            for (Seen seen : states) {
                out.number(seen.at);
                out.number(seen.phase);
                out.number(seen.outcome);
            }
            Order.write(out, order);
        }

        @Override
        public void read(Buffer in) {
            component = in.text();
            environment = in.text();
            tier = in.text();
            repository = in.text();
            version = in.text();
            commit = in.text();
            counts = in.flag();
            createdAt = in.maybe();
            int size = (int) in.number();
            for (int n = 0; n < size; n++) {
                states.add(new Seen(in.number(), (int) in.number(), (int) in.number()));
            }
            order = Order.read(in);
        }
    }

    /** The line of deployments of a component to an environment. */
    static final class Track implements Entity {
        String tier;
        /** The first one: the baseline. */
        Order first;

        @Override
        public void write(Buffer out) {
            out.text(tier);
            Order.write(out, first);
        }

        @Override
        public void read(Buffer in) {
            tier = in.text();
            first = Order.read(in);
        }
    }

    /** Commits that a deployment was the first to bring. */
    static final class Shipment implements Entity {
        List<String> commits = new ArrayList<>();

        @Override
        public void write(Buffer out) {
            out.texts(commits);
        }

        @Override
        public void read(Buffer in) {
            commits = in.texts();
        }
    }

    static final class Release implements Entity {
        String repository;
        String commit;
        long seenAt = Long.MAX_VALUE;
        /** Its first success in production, and the environment that it was in. */
        Order reached;
        String environment;
        Emitted emitted;

        @Override
        public void write(Buffer out) {
            out.text(repository);
            out.text(commit);
            out.number(seenAt);
            Order.write(out, reached);
            out.text(environment);
            Emitted.write(out, emitted);
        }

        @Override
        public void read(Buffer in) {
            repository = in.text();
            commit = in.text();
            seenAt = in.number();
            reached = Order.read(in);
            environment = in.text();
            emitted = Emitted.read(in);
        }
    }

    /** What happened at a gate; of one instant, the later kind comes later. */
    record Act(long at, Kind kind, String by, Boolean last) implements Comparable<Act> {
        enum Kind { REQUESTED, REQUESTED_AGAIN, APPROVED, REJECTED, EXPIRED, CANCELLED, BYPASSED }

        private static final Comparator<Act> COMPARATOR = Comparator.comparingLong(Act::at)
                .thenComparing(Act::kind)
                .thenComparing(Act::by, Comparator.nullsFirst(Comparator.naturalOrder()))
                .thenComparing(Act::last, Comparator.nullsFirst(Comparator.naturalOrder()));

        @Override
        public int compareTo(Act other) {
            return COMPARATOR.compare(this, other);
        }
    }

    static final class Gate implements Entity {
        String component;
        String name;
        String kind;
        String environment;
        String commit;
        String run;
        long attempt = 1;
        Long required;
        TreeSet<Act> acts = new TreeSet<>();
        Emitted emitted;

        @Override
        public void write(Buffer out) {
            out.text(component);
            out.text(name);
            out.text(kind);
            out.text(environment);
            out.text(commit);
            out.text(run);
            out.number(attempt);
            out.maybe(required);
            out.number(acts.size());
            for (Act act : acts) {
                out.number(act.at);
                out.number(act.kind.ordinal());
                out.text(act.by);
                out.maybeFlag(act.last);
            }
            Emitted.write(out, emitted);
        }

        @Override
        public void read(Buffer in) {
            component = in.text();
            name = in.text();
            kind = in.text();
            environment = in.text();
            commit = in.text();
            run = in.text();
            attempt = in.number();
            required = in.maybe();
            int size = (int) in.number();
            for (int n = 0; n < size; n++) {
                acts.add(new Act(in.number(), Act.Kind.values()[(int) in.number()], in.text(), in.maybeFlag()));
            }
            emitted = Emitted.read(in);
        }
    }

    /** One attempt of a task: when it started, and how far it has come by the latest word. */
    static final class Attempt {
        Long startedAt;
        long toldAt = Long.MIN_VALUE;
        int phase = -1;
        Long finishedAt;
    }

    /** A pipeline run: its tasks, and the gates that held it back. */
    static final class Run implements Entity {
        List<String> gates = new ArrayList<>(0);
        /** By attempt, then by task. */
        TreeMap<Long, Map<String, Attempt>> attempts = new TreeMap<>();

        @Override
        public void write(Buffer out) {
            out.texts(gates);
            out.number(attempts.size());
            attempts.forEach((number, tasks) -> {
                out.number(number);
                out.number(tasks.size());
                tasks.forEach((task, attempt) -> {
                    out.text(task);
                    out.maybe(attempt.startedAt);
                    out.number(attempt.toldAt);
                    out.number(attempt.phase);
                    out.maybe(attempt.finishedAt);
                });
            });
        }

        @Override
        public void read(Buffer in) {
            gates = in.texts();
            int size = (int) in.number();
            for (int n = 0; n < size; n++) {
                Map<String, Attempt> tasks = new TreeMap<>();
                attempts.put(in.number(), tasks);
                int count = (int) in.number();
                for (int m = 0; m < count; m++) {
                    Attempt attempt = new Attempt();
                    tasks.put(in.text(), attempt);
                    attempt.startedAt = in.maybe();
                    attempt.toldAt = in.number();
                    attempt.phase = (int) in.number();
                    attempt.finishedAt = in.maybe();
                }
            }
        }
    }

    /** Counts what a realm has written: the revision of its facts. */
    static final class Revision implements Entity {
        long last;

        @Override
        public void write(Buffer out) {
            out.number(last);
        }

        @Override
        public void read(Buffer in) {
            last = in.number();
        }
    }
}
