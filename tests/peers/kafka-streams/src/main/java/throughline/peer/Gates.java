package throughline.peer;

import static throughline.peer.Correlator.least;
import static throughline.peer.Correlator.text;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.avro.generic.GenericRecord;
import throughline.peer.Entities.Act;

/** Gates, and the tasks of runs, which tell from when a gate was the only obstacle. */
final class Gates {
    private static final int FINISHED = 4;

    private final Facts facts;
    private final Working<Entities.Revision> revisions;
    private final Working<Entities.Gate> gates;
    private final Working<Entities.Run> runs;

    Gates(
            Facts facts,
            Working<Entities.Revision> revisions,
            Working<Entities.Gate> gates,
            Working<Entities.Run> runs) {
        this.facts = facts;
        this.revisions = revisions;
        this.gates = gates;
        this.runs = runs;
    }

    void flush() {
        gates.flush();
        runs.flush();
    }

    void task(String realm, long at, GenericRecord told) {
        String runId = text(told, "run");
        if (runId == null) {
            return;
        }
        String key = realm + "/" + runId;
        Entities.Run run = runs.of(key);
        long number = (int) told.get("attempt");
        Entities.Attempt attempt = run.attempts
                .computeIfAbsent(number, fresh -> new TreeMap<>())
                .computeIfAbsent(text(told, "task"), fresh -> new Entities.Attempt());
        attempt.startedAt = least(attempt.startedAt, (Long) told.get("started_at"));
        int phase = Correlator.rank(told, "phase");
        if (at > attempt.toldAt || at == attempt.toldAt && phase > attempt.phase) {
            attempt.toldAt = at;
            attempt.phase = phase;
            Long finishedAt = (Long) told.get("finished_at");
            attempt.finishedAt = phase == FINISHED && finishedAt == null ? Long.valueOf(at) : finishedAt;
        }
        runs.changed(key);
        for (String gate : run.gates) {
            emit(realm, gate, gates.of(realm + "/" + gate));
        }
    }

    void decided(String realm, long at, GenericRecord told) {
        switch (told.get("decision").toString()) {
            case "approved" -> act(realm, at, told, "decided_at", Act.Kind.APPROVED);
            case "rejected" -> act(realm, at, told, "decided_at", Act.Kind.REJECTED);
            // It stays as closed as it was.
            default -> { }
        }
    }

    void act(String realm, long at, GenericRecord told, String timeField, Act.Kind kind) {
        GenericRecord about = (GenericRecord) told.get("about");
        GenericRecord head = (GenericRecord) told.get("gate");
        String id = text(head, "gate");
        String key = realm + "/" + id;
        Entities.Gate gate = gates.of(key);
        gate.component = Correlator.component(text(about, "repository"), text(about, "service"));
        gate.name = text(head, "name");
        gate.kind = Correlator.symbol(head, "kind");
        gate.environment = text(head, "environment") == null ? text(about, "environment") : text(head, "environment");
        gate.attempt = (int) head.get("attempt");
        gate.commit = text(about, "commit");
        if (kind == Act.Kind.REQUESTED && told.get("required") != null) {
            gate.required = (long) (int) told.get("required");
        }
        Long when = (Long) told.get(timeField);
        boolean approved = kind == Act.Kind.APPROVED;
        String by = approved ? text((GenericRecord) told.get("decided_by"), "key") : null;
        Boolean last = approved ? (Boolean) told.get("final_decision") : null;
        gate.acts.add(new Act(when == null ? at : when, kind, by, last));
        String run = text(about, "run");
        if (run != null && gate.run == null) {
            gate.run = run;
            Entities.Run held = runs.of(realm + "/" + run);
            held.gates.add(id);
            runs.changed(realm + "/" + run);
        }
        gates.changed(key);
        emit(realm, id, gate);
    }

    /** What happened at a gate, taken in the order of the source's clock. */
    private static final class Meeting {
        Long requestedAt;
        Long decidedAt;
        String outcome = "open";
        int approvals;
        int requests;

        Meeting(Entities.Gate gate) {
            Set<String> approvers = new HashSet<>();
            int unnamed = 0;
            for (Act act : gate.acts) {
                String settled = null;
                switch (act.kind()) {
                    case REQUESTED, REQUESTED_AGAIN -> {
                        requests++;
                        requestedAt = requestedAt == null ? Long.valueOf(act.at()) : requestedAt;
                        if (!outcome.equals("open")) {
                            outcome = "open";
                            decidedAt = null;
                            approvers.clear();
                            unnamed = 0;
                        }
                    }
                    case APPROVED -> {
                        if (act.by() == null) {
                            unnamed++;
                        } else {
                            approvers.add(act.by());
                        }
                        approvals = approvers.size() + unnamed;
                        boolean enough = gate.required == null || approvals >= gate.required;
                        settled = (act.last() == null ? enough : act.last()) ? "approved" : null;
                    }
                    case REJECTED -> settled = "rejected";
                    case EXPIRED -> settled = "expired";
                    case CANCELLED -> settled = "cancelled";
                    case BYPASSED -> settled = "bypassed";
                }
                // The first act that settles it counts, until it is asked for again.
                if (settled != null && outcome.equals("open")) {
                    outcome = settled;
                    decidedAt = act.at();
                }
            }
        }
    }

    private void emit(String realm, String id, Entities.Gate gate) {
        if (gate.component == null || gate.acts.isEmpty()) {
            return;
        }
        Meeting meeting = new Meeting(gate);
        Long blockingFrom = onlyObstacleFrom(realm, gate, meeting);
        long at = meeting.requestedAt == null ? gate.acts.first().at() : meeting.requestedAt;
        GenericRecord row = facts.row(Facts.Table.GATE_WAITS, realm, at);
        row.put("component", gate.component);
        row.put("gate", id);
        row.put("name", gate.name);
        Facts.symbol(row, "kind", gate.kind);
        row.put("environment", gate.environment);
        row.put("attempt", (int) gate.attempt);
        row.put("commit", gate.commit);
        row.put("run", gate.run);
        row.put("requested_at", meeting.requestedAt);
        row.put("blocking_from", blockingFrom);
        row.put("decided_at", meeting.decidedAt);
        boolean waited = meeting.decidedAt != null && blockingFrom != null;
        row.put("wait", waited ? (Long) Math.max(0, meeting.decidedAt - blockingFrom) : null);
        Facts.symbol(row, "outcome", meeting.outcome);
        row.put("approvals", meeting.approvals);
        row.put("required", gate.required == null ? null : (Integer) gate.required.intValue());
        row.put("requests", meeting.requests);
        Entities.Revision revision = revisions.of(realm);
        Entities.Emitted now = facts.emit(Facts.Table.GATE_WAITS, realm + "/gate/" + id, row, gate.emitted, revision);
        if (now != gate.emitted) {
            gate.emitted = now;
            gates.changed(realm + "/" + id);
            revisions.changed(realm);
        }
    }

    /** From when the release could have gone on but for the gate: it was asked for, and no task was still to end. */
    private Long onlyObstacleFrom(String realm, Entities.Gate gate, Meeting meeting) {
        if (meeting.requestedAt == null || gate.run == null) {
            return meeting.requestedAt;
        }
        long from = meeting.requestedAt;
        Entities.Run run = runs.of(realm + "/" + gate.run);
        for (Entities.Attempt task : run.attempts.getOrDefault(gate.attempt, Map.of()).values()) {
            Long finishedAt = task.phase == FINISHED ? task.finishedAt : null;
            if (task.startedAt == null || meeting.decidedAt != null && task.startedAt >= meeting.decidedAt) {
                continue;
            }
            if (finishedAt == null && meeting.decidedAt == null) {
                return null;
            }
            long end = finishedAt == null ? meeting.decidedAt : finishedAt;
            from = Math.max(from, meeting.decidedAt == null ? end : Math.min(end, meeting.decidedAt));
        }
        return from;
    }
}
