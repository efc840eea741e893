"""Is the store what was recorded and sealed? Everything is computed anew from the events; what differs is named."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from operator import lt
from typing import NamedTuple

from ledger.integrity import tree
from ledger.integrity.chains import Finding, Frame, Told, framed
from ledger.integrity.growth import Grown, kept_nodes
from ledger.integrity.leaves import NO_NOTE, note_hash, unpacked_heads
from ledger.integrity.notes import SIGNATURE, BadNote, Checkpoint, Key, Note, read_checkpoint, read_note, verified
from ledger.integrity.readings import Report, Store, Workers, read
from ledger.integrity.seals import microseconds
from ledger.integrity.signing import followed
from ledger.integrity.tiles import HEIGHT, Edge, split
from ledger.store.log import StoreError
from ledger.store.open import open_log, seals_of
from ledger.store.seal_rows import PAGE, Part, SealRow, SealRows


class Audit(NamedTuple):
    """What an audit found, and what it went through."""

    findings: list[Finding]
    events: int
    accounts: int
    seals: int
    unsealed: int


class Evidence(NamedTuple):
    """What an auditor brings: the log's key as she knows it, notes that she kept, the commands that there are."""

    key: Key | None = None
    notes: Sequence[Note] = ()
    titles: frozenset[str] = frozenset()


NOTHING = Evidence()

_NO_HEADS = "the heads of its shards are not all there, so nothing could be looked at (restore a copy)"
_LATEST = microseconds(datetime(9999, 12, 28, tzinfo=UTC))


def verify(
    url: str, evidence: Evidence = NOTHING, processes: int | None = None, report: Report = lambda done, of: None
) -> Audit:
    """Check every chain, every leaf, every seal and every note of the store at `url`."""
    with closing(open_log(url, read_only=True)) as log, closing(seals_of(url, read_only=True)) as rows:
        origin = log.origin
        sealing = rows.exists()
        kept, shards = log.heads(), log.shards if log.shards == 1 else log.shards + 1
        if sorted(kept) != list(range(shards)):
            return Audit([Finding("", 0, _NO_HEADS)], 0, 0, 0, 0)
        heads = [head for _, head in sorted(kept.items())]
        events = rows.count()
        seals, unsound = _sound(rows, shards, events) if sealing else ([], [])
        frame = framed(origin, heads, seals)
        with Workers(sum(heads), processes, report) as workers:
            findings, chains, leaves = read(Store(url, rows, frame, seals, events), evidence.titles, workers)
        findings += [*_counted(rows, frame, chains), *unsound]
        if sealing:
            findings += _Seals(rows, origin, seals, evidence, all_there=not unsound).check(chains, leaves)
        elif evidence.notes:
            findings.append(Finding("", 0, "there are notes of this log, and it has no seals"))
        accounts = sum(sum(each.opened.values()) for each in chains)
        sealed = sum(frame.sealed_heads[-1]) if seals else 0
        return Audit(_told_once(findings), sum(heads), accounts, len(seals), sum(heads) - sealed)


def _sound(rows: SealRows, shards: int, events: int) -> tuple[list[SealRow], list[Finding]]:
    """The seals up to the first one that nobody can have made, and what is said of that."""
    seals = rows.seals()
    most = max(rows.leaves_kept(), events + len(seals))
    for at, seal in enumerate(seals):
        good = {
            "time": 0 <= seal.sealed_at <= _LATEST,
            "size": 0 < seal.size <= most and seal.first_leaf >= 0,
            "count": 0 <= seal.number <= most and min(seal.events, seal.accounts) >= 0,
            "list of heads": len(seal.heads) == 8 * shards,
            "hash": len(seal.heads_root) == len(seal.previous) == len(seal.root) == 32,
        }
        for what in (what for what, right in good.items() if not right):
            reason = f"seal {at + 1} states a {what} that no seal of this log can have; it and the later ones were left"
            return seals[:at], [Finding("", 0, reason)]
    following = seals[-1].number + 1 if seals else 1
    # Another may be sealing: a seal is there before its note.
    if rows.note(following) is not None and not rows.seals(following - 1):
        return seals, [Finding("", 0, f"seal {following} has a signed note, and is missing itself")]
    return seals, []


def _counted(rows: SealRows, frame: Frame, chains: Sequence[Told]) -> Iterator[Finding]:
    for shard, head in enumerate(frame.heads):
        found = sum(each.events[shard] for each in chains)
        if found != head:
            gap = _first_gap(rows, shard, head)
            where = f": none stands from position {gap.start} to {gap.stop - 1}" if gap else ""
            yield Finding("", 0, f"shard {shard} has {found} events, and its head says {head}{where}")


def _first_gap(rows: SealRows, shard: int, head: int) -> range:
    """The first positions of a shard up to its head at which no event stands."""
    due = 1
    for page in rows.hashes(shard, 0, head):
        for position, _ in page:
            if position != due:
                return range(due, position)
            due += 1
    return range(due, head + 1)


def _told_once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by account and version; of a reason that runs on through an account, where it begins and ends."""
    found: list[Finding] = []
    ends: list[int] = []
    begun: dict[tuple[str, str], int] = {}
    for finding in sorted(dict.fromkeys(findings)):
        kind = finding.account, finding.reason.partition(" (leaf")[0]
        at = begun.get(kind)
        if finding.account and at is not None and ends[at] == finding.version - 1:
            ends[at] = finding.version
            continue
        begun[kind] = len(found)
        found.append(finding)
        ends.append(finding.version)
    return [
        each if end == each.version else each._replace(reason=f"{each.reason}, and so on up to version {end}")
        for each, end in zip(found, ends, strict=True)
    ]


class _Seals:
    """Checks the seals and notes against what the events came to."""

    def __init__(
        self, rows: SealRows, origin: str, seals: Sequence[SealRow], evidence: Evidence, *, all_there: bool
    ) -> None:
        self._rows = rows
        self._origin = origin
        self._seals = seals
        self._evidence = evidence
        self._all = all_there
        self._found: list[Finding] = []

    def check(self, chains: Sequence[Told], leaves: Sequence[Grown]) -> list[Finding]:
        """Everything that is wrong with the seals."""
        roots, kept_roots = self._roots(leaves)
        for grown in leaves:
            self._found += grown.findings
        self._compare(roots, kept_roots)
        self._numbers(chains)
        self._notes()
        if self._seals:
            self._heads(b"".join(each.heads for each in chains))
        self._brought()
        return self._found

    def _roots(self, leaves: Sequence[Grown]) -> tuple[dict[int, bytes], dict[int, bytes]]:
        sizes = [seal.size for seal in self._seals]
        ours = _assembled(sizes, [g.tiles for g in leaves], [g.cut for g in leaves], self._inner)
        kept = _assembled(sizes, [g.kept_tiles for g in leaves], [g.kept_cut for g in leaves], lambda parts: None)
        return ours, kept

    def _inner(self, parts: Sequence[Part]) -> None:
        for part in parts:
            level, low = part.level + HEIGHT, part.first
            right = split(part.hashes)
            kept = kept_nodes(self._rows, level, low, low + len(right))
            if kept != right:
                node = next(n for n, (a, b) in enumerate(zip(kept, right, strict=True)) if a != b)
                self._log(f"the log tree keeps another node {low + node} on level {level} than its leaves give")

    def _compare(self, roots: dict[int, bytes], kept_roots: dict[int, bytes]) -> None:
        wrong = [seal for seal in self._seals if roots[seal.size] != seal.root]
        if not wrong:
            return
        more = f", nor those of the {len(wrong) - 1} after it" if len(wrong) > 1 else ""
        if all(kept_roots[seal.size] == seal.root for seal in wrong):
            why = "the events named here were altered since"
        else:
            why = "what was sealed was altered, and the log tree with it"
        self._log(f"seal {wrong[0].number} does not have the root that its events give{more}: {why}")

    def _numbers(self, chains: Sequence[Told]) -> None:
        opened = 0
        before: SealRow | None = None
        for at, seal in enumerate(self._seals):
            opened += sum(each.opened[at] for each in chains)
            heads, low = unpacked_heads(seal.heads), unpacked_heads(before.heads) if before else []
            if seal.number != at + 1:
                self._log(f"seal {at + 1} is missing: the next is numbered {seal.number}")
            first = before.size if before else 0
            if seal.first_leaf != first or seal.size != first + sum(heads) - sum(low) + 1:
                self._log(f"seal {seal.number} does not begin where the one before ended, or counts its leaves wrongly")
            if before and (seal.sealed_at <= before.sealed_at or any(a > b for a, b in zip(low, heads, strict=True))):
                self._log(f"seal {seal.number} is not later than the one before it")
            if seal.events != sum(heads):
                self._log(f"seal {seal.number} states {seal.events} events, and its heads come to {sum(heads)}")
            if seal.accounts != opened:
                self._log(f"seal {seal.number} states {seal.accounts} accounts, and there were {opened}")
            if seal.body != Checkpoint(self._origin, seal.size, seal.root).text:
                self._log(f"the text of the note of seal {seal.number} is not what the seal says")
            before = seal
        if len(self._rows.seals(-(2**63))) != len(self._rows.seals()):
            self._log("there are seals with numbers under 1")
        if self._all:
            self._plan(before)

    def _plan(self, last: SealRow | None) -> None:
        """The latest plan is that of the last seal, or follows it."""
        plan, made = self._rows.plan(), self._rows.plans()
        if plan and plan.number != made:
            of = f", of seal {last.number} or after it," if last else ""
            self._log(f"the latest plan{of} is numbered {plan.number}, and {made} were made")
        sealed_at, size = (last.sealed_at, last.size) if last else (-1, 0)
        if last and (plan is None or plan.first_leaf < size):
            if plan is None or plan[1:] != last[1:4]:
                self._log(f"seal {last.number} is not the one that was planned")
        elif plan:
            heads, shards = unpacked_heads(plan.heads), self._rows.heads()
            if plan.first_leaf != size or plan.sealed_at <= sealed_at:
                after = f"follow seal {last.number}" if last else "begin the log"
                self._log(f"plan {plan.number} does not {after}")
            elif len(heads) != len(shards) or any(map(lt, shards, heads)):
                self._log(f"plan {plan.number} is of events that are not there")

    def _notes(self) -> None:
        keys, wrong = followed(self._origin, self._rows.keys(), self._evidence.key)
        for each in wrong:
            self._log(each)
        previous = NO_NOTE
        for seal in self._seals:
            if seal.previous != previous:
                self._log(f"seal {seal.number} names another note before it than the one that is kept")
            text = self._rows.note(seal.number)
            previous = note_hash(text or "")
            if text is None:
                self._log(f"seal {seal.number} has no signed note (run 'water-ledger audit seal' to sign its text)")
                continue
            due = [key for since, key in keys if since <= seal.number][-1:]
            try:
                note = read_note(text)
                if note.text != seal.body:
                    self._log(f"the note of seal {seal.number} has another text than the one written down before it")
                if not verified(note, due):
                    self._log(f"the note of seal {seal.number} is not signed by the log's key of that time")
            except BadNote as error:
                self._log(f"the note of seal {seal.number}: {error}")

    def _heads(self, hashes: bytes) -> None:
        last = self._seals[-1]
        root = tree.root(split(hashes))
        if root != last.heads_root:
            self._log(f"the heads of all accounts are not those of seal {last.number}")
        try:
            wrong = self._rows.heads_of() == last.number and tree.root(self._rows.page_roots()) != root
        except StoreError as error:
            self._log(f"the pages of the heads tree, which hold nothing of their own, cannot be read: {error}")
        else:
            if wrong:
                what = "the pages of the heads tree are not its leaves"
                self._log(f"{what} (the next 'water-ledger audit seal' mends them)")

    def _brought(self) -> None:
        keys = [key for _, key in followed(self._origin, self._rows.keys(), self._evidence.key)[0]]
        own = {seal.size: seal.root for seal in self._seals}
        for note in self._evidence.notes:
            try:
                point = read_checkpoint(note.text)
                if not any(key.kind == SIGNATURE for key, _ in verified(note, keys)):
                    self._log(f"the note of size {point.size} that was brought is not signed by a key of this log")
            except BadNote as error:
                self._log(f"a note that was brought: {error}")
                continue
            if point.origin != self._origin:
                self._log(f"a note that was brought is of another log, {point.origin}")
            elif own.get(point.size) != point.root:
                self._log(f"the log does not extend the note of size {point.size} that was brought: it was rewritten")

    def _log(self, reason: str) -> None:
        self._found.append(Finding("", 0, reason))


def _assembled(
    sizes: Sequence[int],
    tiles: Sequence[list[bytes]],
    cuts: Sequence[dict[int, bytes]],
    inner: Callable[[Sequence[Part]], None],
) -> dict[int, bytes]:
    """The root of the tree at each size, from the roots of tiles and of cut tiles."""
    units = [tile for each in tiles for tile in each]
    cut = {size: root for each in cuts for size, root in each.items()}
    edge, found = Edge(), {}
    for size in sizes:
        inner(edge.add(units[edge.size : size // PAGE]))
        found[size] = edge.root([cut[size]] if size in cut else [])
    return found
