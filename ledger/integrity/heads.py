"""The heads tree: the last event of every account, by account. What proves that nothing was cut off an account's end.

Its leaves are kept in pages of 256 neighbours, so that a seal reads the pages of the accounts that changed, and a proof
reads one. The pages are a convenience: whoever verifies makes the tree anew from the events.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from ledger.integrity import tree
from ledger.integrity.leaves import head_entry
from ledger.store.log import StoreError
from ledger.store.seal_rows import PAGE, Head, HeadPage, SealRows


class Damaged(StoreError):
    """A page does not hold what its root is over."""


class Place(NamedTuple):
    """An account's leaf in the heads tree, and what proves that it stands there."""

    account: str
    version: int
    hash: bytes
    leaf: int
    proof: list[bytes]


class Merged:
    """The pages of a heads tree after some accounts moved on; `roots` and `accounts` are whole once they were read.

    Reading them raises Damaged where an old page that has to be read is.
    """

    def __init__(self, old: Iterable[HeadPage], changes: Iterable[Head]) -> None:
        self._old = iter(old)
        self._changes = iter(changes)
        self._change = next(self._changes, None)
        self._waiting: list[Head] = []
        self.roots: list[bytes] = []
        self.accounts = 0

    def altered(self) -> Iterator[HeadPage]:
        """The pages that are new or may differ from the old ones of the same number."""
        page = next(self._old, None)
        while page is not None:
            following = next(self._old, None)
            untouched = self._change is None or self._change.account > page.last
            if untouched and not self._waiting and following is not None:
                self.roots.append(page.root)
                self.accounts += PAGE
            else:
                self._merge(page)
                yield from self._filled()
            page = following
        while self._change is not None:
            self._take()
            yield from self._filled()
        if self._waiting:
            yield self._page(self._waiting)

    def _merge(self, page: HeadPage) -> None:
        for head in heads_on(page):
            while self._change is not None and self._change.account < head.account:
                self._take()
            if self._change is not None and self._change.account == head.account:
                self._take()
            else:
                self._waiting.append(head)

    def _take(self) -> None:
        assert self._change is not None
        self._waiting.append(self._change)
        self._change = next(self._changes, None)

    def _filled(self) -> Iterator[HeadPage]:
        while len(self._waiting) >= PAGE:
            yield self._page(self._waiting[:PAGE])
            del self._waiting[:PAGE]

    def _page(self, heads: list[Head]) -> HeadPage:
        root = tree.root(leaf_hashes(heads))
        page = HeadPage(len(self.roots), heads[0].account, heads[-1].account, root, packed(heads))
        self.roots.append(root)
        self.accounts += len(heads)
        return page


def leaf_hashes(heads: Iterable[Head]) -> list[bytes]:
    """The hashes of the leaves of the heads tree."""
    return [tree.leaf_hash(head_entry(*head)) for head in heads]


def packed(heads: Iterable[Head]) -> bytes:
    """Heads as a page keeps them."""
    parts = []
    for account, version, hash in heads:
        who = account.encode()
        parts += [len(who).to_bytes(2, "big"), who, version.to_bytes(8, "big"), hash]
    return b"".join(parts)


def unpacked(entries: bytes) -> Iterator[Head]:
    """The heads on a page."""
    at, end = 0, len(entries)
    while at < end:
        middle = at + 2 + int.from_bytes(entries[at : at + 2], "big")
        yield Head(
            entries[at + 2 : middle].decode(),
            int.from_bytes(entries[middle : middle + 8], "big"),
            entries[middle + 8 : middle + 40],
        )
        at = middle + 40


def heads_on(page: HeadPage) -> list[Head]:
    """The heads on a page; raises Damaged."""
    with suppress(UnicodeDecodeError):
        heads = list(unpacked(page.entries))
        if tree.root(leaf_hashes(heads)) == page.root:
            return heads
    raise Damaged(f"page {page.number} of the heads tree does not hold what its root is over")


class Places:
    """Where accounts stand in the heads tree of the last seal; raises StoreError where its pages are not kept."""

    def __init__(self, rows: SealRows) -> None:
        self._rows = rows
        last = rows.last()
        self._roots = rows.page_roots()
        if last is None or rows.heads_of() != last.number or tree.root(self._roots) != last.heads_root:
            raise self._not_kept()
        self._accounts = last.accounts
        self.root = last.heads_root

    def of(self, account: str) -> Place | None:
        """The place of an account; None where the last seal holds none of its events."""
        page = self._rows.page_of(account)
        heads = self._heads(page) if page else []
        for number, head in enumerate(heads):
            if head.account == account and page is not None:
                return self._place(page, heads, number)
        return None

    def around(self, account: str) -> tuple[Place | None, Place | None]:
        """The neighbours between which an account that is not there would stand; None at an end."""
        page = self._rows.page_of(account)
        if page is None:
            return None, self._at(self._rows.page(0), 0)
        heads = self._heads(page)
        after = bisect_right([head.account for head in heads], account)
        left = self._place(page, heads, after - 1)
        right = self._place(page, heads, after) if after < len(heads) else self._at(self._rows.page(page.number + 1), 0)
        return left, right

    def _at(self, page: HeadPage | None, number: int) -> Place | None:
        return self._place(page, self._heads(page), number) if page else None

    def _heads(self, page: HeadPage) -> list[Head]:
        """The heads on a page as it was at the last seal; another may have been taken since."""
        if self._roots[page.number : page.number + 1] != [page.root]:
            raise self._not_kept()
        try:
            return heads_on(page)
        except Damaged:
            raise self._not_kept() from None

    def _not_kept(self) -> StoreError:
        return StoreError(
            f"the heads of the last seal of {self._rows.place} are not at hand (run 'water-ledger audit seal')"
        )

    def _place(self, page: HeadPage, heads: list[Head], number: int) -> Place:
        leaves, first = leaf_hashes(heads), page.number * PAGE

        def get(level: int, index: int) -> bytes:
            if level >= 8:
                return tree.root(self._roots[index << level - 8 : (index + 1) << level - 8])
            low = (index << level) - first
            if not 0 <= low < len(leaves):
                # Only the last page can be cut, and it is asked for bit by bit where a proof goes past it.
                return self._elsewhere(level, index)
            return tree.root(leaves[low : low + (1 << level)])

        index = first + number
        return Place(*heads[number], index, tree.inclusion(self._accounts, index, get))

    def _elsewhere(self, level: int, index: int) -> bytes:
        page = self._rows.page((index << level) // PAGE)
        assert page is not None, "the last page is kept"
        leaves, low = leaf_hashes(self._heads(page)), (index << level) % PAGE
        return tree.root(leaves[low : low + (1 << level)])
