package throughline.peer;

import static throughline.peer.Correlator.least;
import static throughline.peer.Correlator.text;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.apache.avro.generic.GenericRecord;

/**
 * Commits, changes and deployments: which deployment was the first to bring a commit to an environment, and what that
 * makes of releases.
 *
 * <p>Each commit carries the least deployment that reaches it. A label spreads from a deployment's commit to its
 * parents as far as it makes labels smaller; a rollback or a redeployment, which comes later, so moves nothing.
 *
 * <p>Not expressed are a success that is taken back, a graph told by pushes instead of parents, references other than
 * full commit ids, several environments of the production tier, and catalogs.
 */
final class Shipping {
    private static final int FINISHED = 4;
    private static final int SUCCESS = 0;
    private static final String PRODUCTION = "production";

    private final Facts facts;
    private final Working<Entities.Revision> revisions;
    private final Working<Entities.Commit> commits;
    private final Working<Entities.Change> changes;
    private final Working<Entities.Deployment> deployments;
    private final Working<Entities.Track> tracks;
    private final Working<Entities.Shipment> shipments;
    private final Working<Entities.Release> releases;

    /** What the event at hand touched: commits by their keys, releases by theirs. */
    private final Set<String> touchedCommits = new LinkedHashSet<>();
    private final Set<ReleaseKey> touchedReleases = new LinkedHashSet<>();

    private record ReleaseKey(String component, String version) {}

    Shipping(
            Facts facts,
            Working<Entities.Revision> revisions,
            Working<Entities.Commit> commits,
            Working<Entities.Change> changes,
            Working<Entities.Deployment> deployments,
            Working<Entities.Track> tracks,
            Working<Entities.Shipment> shipments,
            Working<Entities.Release> releases) {
        this.facts = facts;
        this.revisions = revisions;
        this.commits = commits;
        this.changes = changes;
        this.deployments = deployments;
        this.tracks = tracks;
        this.shipments = shipments;
        this.releases = releases;
    }

    void flush() {
        commits.flush();
        changes.flush();
        deployments.flush();
        tracks.flush();
        shipments.flush();
        releases.flush();
    }

    @SuppressWarnings("unchecked")
    void push(String realm, long at, GenericRecord push) {
        String branch = text(push, "default_branch");
        boolean landed = text(push, "ref_name").equals("refs/heads/" + branch);
        for (GenericRecord told : (List<GenericRecord>) push.get("commits")) {
            commit(realm, told, landed ? at : null);
        }
        String after = text(push, "after");
        if (landed && after != null) {
            Entities.Commit tip = commits.of(realm + "/" + after);
            if (!Objects.equals(tip.landedAt, least(tip.landedAt, at))) {
                tip.landedAt = at;
                changedCommit(realm, after, tip);
            }
        }
        emit(realm);
    }

    @SuppressWarnings("unchecked")
    void commits(String realm, GenericRecord told) {
        ((List<GenericRecord>) told.get("commits")).forEach(commit -> commit(realm, commit, null));
        emit(realm);
    }

    @SuppressWarnings("unchecked")
    private void commit(String realm, GenericRecord told, Long landedAt) {
        String id = text(told, "id");
        Entities.Commit commit = commits.of(realm + "/" + id);
        List<String> parents = (List<String>) told.get("parents");
        Long authoredAt = least(commit.authoredAt, (Long) told.get("authored_at"));
        Long committedAt = least(commit.committedAt, (Long) told.get("committed_at"));
        Long landed = least(commit.landedAt, landedAt);
        boolean grown = parents != null && (commit.parents == null || parents.size() > commit.parents.size());
        if (!grown
                && Objects.equals(authoredAt, commit.authoredAt)
                && Objects.equals(committedAt, commit.committedAt)
                && Objects.equals(landed, commit.landedAt)) {
            return;
        }
        commit.authoredAt = authoredAt;
        commit.committedAt = committedAt;
        commit.landedAt = landed;
        if (grown) {
            commit.parents = new ArrayList<>(parents);
            for (Entities.Label label : commit.labels) {
                parents.forEach(parent -> spread(realm, parent, label.component, label.environment, label.order));
            }
        }
        changedCommit(realm, id, commit);
    }

    /** Its rows are to be written anew, and those of what merged it: of a squash, the earliest author time counts. */
    private void changedCommit(String realm, String id, Entities.Commit commit) {
        commits.changed(realm + "/" + id);
        touchedCommits.add(id);
        for (String key : commit.changes) {
            touchedCommits.add(changes.of(key).mergeCommit);
        }
    }

    @SuppressWarnings("unchecked")
    void change(String realm, long at, GenericRecord told) {
        String key = realm + "/" + told.get("repository") + "/" + told.get("change");
        Entities.Change change = changes.of(key);
        change.number = text(told, "change");
        String head = text(told, "head");
        if (head != null && at >= change.headToldAt) {
            change.headToldAt = at;
            change.head = head;
        }
        changes.changed(key);
        if (told.get("state").toString().equals("merged") && at >= change.mergeToldAt) {
            change.mergeToldAt = at;
            Long mergedAt = (Long) told.get("merged_at");
            change.mergedAt = mergedAt == null ? Long.valueOf(at) : mergedAt;
            change.mergeCommit = text(told, "merge_commit");
            Set<String> members = new LinkedHashSet<>(change.members);
            if (told.get("commits") != null) {
                members.addAll((List<String>) told.get("commits"));
            }
            if (change.mergeCommit != null) {
                members.add(change.mergeCommit);
            }
            change.members = new ArrayList<>(members);
            for (String id : members) {
                Entities.Commit commit = commits.of(realm + "/" + id);
                if (!commit.changes.contains(key)) {
                    commit.changes.add(key);
                    changedCommit(realm, id, commit);
                }
            }
        }
        // Which commit was the last of its branch tells a rebase from a squash.
        if (change.mergeCommit != null) {
            touchedCommits.add(change.mergeCommit);
        }
        emit(realm);
    }

    void deployment(String realm, long at, GenericRecord told) {
        String id = text(told, "deployment");
        String key = realm + "/" + id;
        Entities.Deployment deployment = deployments.of(key);
        String repository = text(told, "repository");
        String component = Correlator.component(repository, text(told, "service"));
        if (component == null) {
            return;
        }
        deployment.component = component;
        deployment.repository = repository;
        deployment.environment = text(told, "environment");
        deployment.tier = tier(deployment.environment, Boolean.TRUE.equals(told.get("production")));
        deployment.version = text(told, "version") == null ? deployment.version : text(told, "version");
        deployment.commit = text(told, "commit") == null ? deployment.commit : text(told, "commit");
        deployment.counts &= !(boolean) told.get("transient") && !told.get("action").toString().equals("remove");
        deployment.createdAt = least(deployment.createdAt, (Long) told.get("created_at"));
        int phase = Correlator.rank(told, "phase");
        Long finishedAt = (Long) told.get("finished_at");
        long when = phase == FINISHED && finishedAt != null ? finishedAt : at;
        deployment.states.add(new Entities.Seen(when, phase, Correlator.rank(told, "outcome")));
        deployments.changed(key);
        String version = deployment.version == null ? deployment.commit : deployment.version;
        if (version == null) {
            return;
        }
        see(realm, deployment, version, when);
        Long succeededAt = succeededAt(deployment);
        if (succeededAt != null && deployment.counts && deployment.order == null && deployment.commit != null) {
            deployment.order = new Entities.Order(succeededAt, version, id);
            succeeded(realm, deployment);
        }
        emit(realm);
    }

    /** The release exists from the first sign of it. */
    private void see(String realm, Entities.Deployment deployment, String version, long when) {
        ReleaseKey key = new ReleaseKey(deployment.component, version);
        Entities.Release release = releases.of(releaseKey(realm, key));
        long firstAt = deployment.createdAt == null ? when : Math.min(when, deployment.createdAt);
        long seenAt = Math.min(release.seenAt, firstAt);
        if (seenAt < release.seenAt) {
            release.seenAt = seenAt;
            release.repository = deployment.repository;
            release.commit = deployment.commit;
            releases.changed(releaseKey(realm, key));
            touchedReleases.add(key);
        }
    }

    /** When it succeeded, by its states in the order of the source's clock. */
    private static Long succeededAt(Entities.Deployment deployment) {
        Long finishedAt = null;
        int outcome = -1;
        for (Entities.Seen seen : deployment.states) {
            if (seen.phase() == FINISHED) {
                if (finishedAt == null || outcome != seen.outcome()) {
                    finishedAt = seen.at();
                    outcome = seen.outcome();
                }
            } else if (seen.phase() < FINISHED && outcome != SUCCESS) {
                finishedAt = null;
                outcome = -1;
            }
        }
        return outcome == SUCCESS ? finishedAt : null;
    }

    private void succeeded(String realm, Entities.Deployment deployment) {
        Entities.Order order = deployment.order;
        String trackKey = trackKey(realm, deployment.component, deployment.environment);
        Entities.Track track = tracks.of(trackKey);
        if (track.first == null || order.compareTo(track.first) < 0) {
            // What was the baseline is none any more: its commits have lead times.
            if (track.first != null) {
                touchShipment(trackKey, deployment.component, deployment.tier, track.first);
            }
            track.first = order;
            track.tier = deployment.tier;
            tracks.changed(trackKey);
        }
        spread(realm, deployment.commit, deployment.component, deployment.environment, order);
        if (deployment.tier.equals(PRODUCTION)) {
            ReleaseKey key = new ReleaseKey(deployment.component, order.version());
            Entities.Release release = releases.of(releaseKey(realm, key));
            if (release.reached == null || order.compareTo(release.reached) < 0) {
                release.reached = order;
                release.environment = deployment.environment;
                release.repository = deployment.repository;
                release.commit = deployment.commit;
                releases.changed(releaseKey(realm, key));
                touchedReleases.add(key);
            }
        }
    }

    private void touchShipment(String trackKey, String component, String tier, Entities.Order order) {
        Entities.Shipment shipment = shipments.find(shipmentKey(trackKey, order));
        if (shipment != null) {
            touchedCommits.addAll(shipment.commits);
        }
        if (tier.equals(PRODUCTION)) {
            touchedReleases.add(new ReleaseKey(component, order.version()));
        }
    }

    /** Labels a commit and everything older, as far as that makes labels smaller. */
    private void spread(String realm, String from, String component, String environment, Entities.Order order) {
        String trackKey = trackKey(realm, component, environment);
        Entities.Shipment shipment = shipments.of(shipmentKey(trackKey, order));
        ArrayDeque<String> open = new ArrayDeque<>();
        open.push(from);
        while (!open.isEmpty()) {
            String id = open.pop();
            String key = realm + "/" + id;
            Entities.Commit commit = commits.of(key);
            Entities.Label label = commit.label(component, environment);
            if (label == null) {
                label = new Entities.Label();
                label.component = component;
                label.environment = environment;
                commit.labels.add(label);
            } else if (order.compareTo(label.order) >= 0) {
                continue;
            } else {
                String shipmentBefore = shipmentKey(trackKey, label.order);
                shipments.of(shipmentBefore).commits.remove(id);
                shipments.changed(shipmentBefore);
                touchedReleases.add(new ReleaseKey(component, label.order.version()));
            }
            label.order = order;
            commits.changed(key);
            shipment.commits.add(id);
            shipments.changed(shipmentKey(trackKey, order));
            touchedCommits.add(id);
            if (commit.parents != null) {
                commit.parents.forEach(open::push);
            }
        }
    }

    /** Writes the rows of what the event touched. */
    private void emit(String realm) {
        for (String id : touchedCommits) {
            if (id == null) {
                continue;
            }
            Entities.Commit commit = commits.find(realm + "/" + id);
            if (commit != null && commit.isKnown()) {
                commit.labels.forEach(label -> emitCommit(realm, id, commit, label));
            }
        }
        touchedCommits.clear();
        touchedReleases.forEach(key -> emitRelease(realm, key));
        touchedReleases.clear();
    }

    private void emitCommit(String realm, String id, Entities.Commit commit, Entities.Label label) {
        Entities.Track track = tracks.of(trackKey(realm, label.component, label.environment));
        boolean baseline = label.order.equals(track.first);
        Long authoredAt = authoredAt(realm, id, commit);
        Entities.Change change = broughtBy(commit);
        GenericRecord row = facts.row(Facts.Table.RELEASE_COMMITS, realm, label.order.finishedAt());
        row.put("component", label.component);
        row.put("environment", label.environment);
        row.put("commit", id);
        row.put("version", label.order.version());
        row.put("deployment", label.order.deployment());
        Facts.symbol(row, "tier", track.tier);
        row.put("baseline", baseline);
        row.put("authored_at", authoredAt);
        row.put("committed_at", commit.committedAt);
        row.put("merged_at", change == null ? commit.landedAt : change.mergedAt);
        row.put("lead_time", baseline || authoredAt == null ? null : (Long) (label.order.finishedAt() - authoredAt));
        row.put("change", change == null ? null : change.number);
        String key = realm + "/commit/" + id;
        Entities.Emitted now = facts.emit(Facts.Table.RELEASE_COMMITS, key, row, label.emitted, revision(realm));
        if (now != label.emitted) {
            label.emitted = now;
            commits.changed(realm + "/" + id);
            if (track.tier.equals(PRODUCTION)) {
                touchedReleases.add(new ReleaseKey(label.component, label.order.version()));
            }
        }
    }

    private void emitRelease(String realm, ReleaseKey key) {
        String storeKey = releaseKey(realm, key);
        Entities.Release release = releases.find(storeKey);
        if (release == null) {
            return;
        }
        Entities.Order reached = release.reached;
        long at = reached == null ? release.seenAt : reached.finishedAt();
        GenericRecord row = facts.row(Facts.Table.RELEASES, realm, at);
        row.put("component", key.component);
        row.put("version", key.version);
        row.put("repository", release.repository);
        row.put("commit", release.commit);
        Facts.symbol(row, "kind", "unfinished");
        if (reached != null) {
            tellWay(realm, key, release, row);
        }
        String factKey = realm + "/release/" + key.component + "/" + key.version;
        Entities.Emitted now = facts.emit(Facts.Table.RELEASES, factKey, row, release.emitted, revision(realm));
        if (now != release.emitted) {
            release.emitted = now;
            releases.changed(storeKey);
        }
    }

    /** What a release shipped, and how long that took. */
    private void tellWay(String realm, ReleaseKey key, Entities.Release release, GenericRecord row) {
        record Lead(long time, String commit) {}
        Entities.Order reached = release.reached;
        String trackKey = trackKey(realm, key.component, release.environment);
        Entities.Shipment shipment = shipments.find(shipmentKey(trackKey, reached));
        List<Lead> leads = new ArrayList<>();
        int count = 0;
        for (String id : shipment == null ? List.<String>of() : shipment.commits) {
            Entities.Commit commit = commits.find(realm + "/" + id);
            if (commit == null || !commit.isKnown()) {
                continue;
            }
            count++;
            Long authoredAt = authoredAt(realm, id, commit);
            if (authoredAt != null) {
                leads.add(new Lead(reached.finishedAt() - authoredAt, id));
            }
        }
        row.put("production_at", reached.finishedAt());
        row.put("deployment", reached.deployment());
        row.put("commits", count);
        boolean baseline = reached.equals(tracks.of(trackKey).first);
        Facts.symbol(row, "kind", baseline ? "baseline" : count > 0 ? "regular" : "redeploy");
        if (!baseline && !leads.isEmpty()) {
            leads.sort(Comparator.comparingLong(Lead::time).thenComparing(Lead::commit));
            Lead median = leads.get((leads.size() - 1) / 2);
            row.put("lead_time", median.time);
            row.put("median_commit", median.commit);
            row.put("lead_time_longest", leads.get(leads.size() - 1).time);
        }
    }

    /** Author time, else commit time; of a squash, that of the earliest commit squashed. */
    private Long authoredAt(String realm, String id, Entities.Commit commit) {
        Long written = commit.writtenAt();
        Entities.Change change = broughtBy(commit);
        boolean merges = change != null && id.equals(change.mergeCommit);
        if (!merges || (commit.parents != null && commit.parents.size() > 1)) {
            return written;
        }
        if (change.head != null) {
            Entities.Commit head = commits.find(realm + "/" + change.head);
            boolean rebased = head != null && head.authoredAt != null && head.authoredAt.equals(commit.authoredAt);
            boolean holdsHead = commit.parents != null && commit.parents.contains(change.head);
            if (rebased || holdsHead || change.head.equals(id)) {
                return written;
            }
        }
        Long earliest = written;
        for (String member : change.members) {
            Entities.Commit squashed = commits.find(realm + "/" + member);
            if (squashed != null && broughtBy(squashed) == change) {
                earliest = least(earliest, squashed.writtenAt());
            }
        }
        return earliest;
    }

    /** The change that brought a commit in: of those that hold it, the one merged first. */
    private Entities.Change broughtBy(Entities.Commit commit) {
        Entities.Change first = null;
        for (String key : commit.changes) {
            Entities.Change change = changes.of(key);
            if (first == null || change.mergedAt < first.mergedAt) {
                first = change;
            }
        }
        return first;
    }

    private Entities.Revision revision(String realm) {
        revisions.changed(realm);
        return revisions.of(realm);
    }

    private static String tier(String environment, boolean production) {
        return production
                ? PRODUCTION
                : switch (environment.toLowerCase()) {
                    case "production", "prod", "live" -> PRODUCTION;
                    case "staging", "stage", "preprod", "pre-production", "preproduction", "uat" -> "staging";
                    case "integration", "int", "development", "dev", "test", "testing", "qa" -> "integration";
                    default -> "other";
                };
    }

    private static String trackKey(String realm, String component, String environment) {
        return realm + "/" + component + "/" + environment;
    }

    private static String shipmentKey(String trackKey, Entities.Order order) {
        return trackKey + "/" + order.deployment();
    }

    private static String releaseKey(String realm, ReleaseKey key) {
        return realm + "/" + key.component + "/" + key.version;
    }
}
