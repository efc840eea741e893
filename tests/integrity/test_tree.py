"""The log tree against pymerkle, an implementation of RFC 6962 by others, and against every forged proof nearby."""

from itertools import combinations
from random import Random

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.integrity import tree

SIZES = [*range(1, 34), 63, 64, 65, 127, 129, 255, 256, 257, 300]


def leaves(count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(count)]


def hashes(count: int) -> list[bytes]:
    return [tree.leaf_hash(each) for each in leaves(count)]


def getter(kept: list[bytes]) -> tree.Get:
    def get(level: int, index: int) -> bytes:
        part = kept[index << level : (index + 1) << level]
        assert len(part) == 1 << level, f"node {level}/{index} is not complete"
        return tree.root(part)

    return get


def oracle(count: int) -> pymerkle.InmemoryTree:
    made = pymerkle.InmemoryTree(algorithm="sha256")
    for each in leaves(count):
        made.append_entry(each)
    return made


@pytest.mark.parametrize("size", [0, *SIZES])
def test_the_root_is_the_one_that_pymerkle_computes(size):
    assert tree.root(hashes(size)) == oracle(size).get_root()


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_is_proved_as_pymerkle_proves_it(size):
    made, kept = oracle(size), hashes(size)
    get, top = getter(kept), tree.root(kept)
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        proof = tree.inclusion(size, index, get)
        theirs = made.prove_inclusion(index + 1, size)
        assert [kept[index], *proof] == [bytes.fromhex(each) for each in theirs.serialize()["path"]] or size == 1
        assert tree.verify_inclusion(kept[index], index, size, proof, top)


@pytest.mark.parametrize("size", SIZES)
def test_consistency_is_proved_and_pymerkle_agrees(size):
    made, kept = oracle(size), hashes(size)
    get, top = getter(kept), tree.root(kept)
    for old in {1, 2, 3, size // 2, size - 1, size} & set(range(1, size + 1)):
        proof, before = tree.consistency(old, size, get), tree.root(kept[:old])
        assert tree.verify_consistency(old, size, before, top, proof)
        theirs = made.prove_consistency(old, size)
        pymerkle.verify_consistency(before, top, theirs)


def test_the_examples_of_the_rfc():
    """RFC 6962, 2.1.3: seven leaves, their nodes named as there."""
    leaf = hashes(7)
    get = getter(leaf)
    g, h, i = (tree.node_hash(leaf[n], leaf[n + 1]) for n in (0, 2, 4))
    j = leaf[6]
    k, l_ = tree.node_hash(g, h), tree.node_hash(i, j)
    assert tree.inclusion(7, 0, get) == [leaf[1], h, l_]
    assert tree.inclusion(7, 3, get) == [leaf[2], g, l_]
    assert tree.inclusion(7, 4, get) == [leaf[5], j, k]
    assert tree.inclusion(7, 6, get) == [i, k]
    assert tree.consistency(3, 7, get) == [leaf[2], leaf[3], g, l_]
    assert tree.consistency(4, 7, get) == [l_]
    assert tree.consistency(6, 7, get) == [i, j, k]


def mutants(proof: list[bytes], random: Random) -> list[list[bytes]]:
    """Proofs that are nearly right."""
    found = [proof[:-1], proof[1:], [*proof, proof[-1] if proof else bytes(32)], [*proof, tree.EMPTY], proof[::-1]]
    for place, each in enumerate(proof):
        flipped = bytearray(each)
        flipped[random.randrange(32)] ^= 1 << random.randrange(8)
        found.append([*proof[:place], bytes(flipped), *proof[place + 1 :]])
        found.append([*proof[:place], each + b"\0", *proof[place + 1 :]])
        found.append([*proof[:place], *proof[place + 1 :]])
    return [each for each in found if each != proof]


def test_no_forged_inclusion_passes():
    random = Random(4)
    tried = 0
    for size in SIZES:
        kept = hashes(size)
        get, top = getter(kept), tree.root(kept)
        for index in {0, size // 3, size - 1}:
            proof = tree.inclusion(size, index, get)
            wrong = [(kept[index], index, size, each) for each in mutants(proof, random)]
            wrong += [(kept[index], other, size, proof) for other in (index - 1, index + 1, index + size)]
            wrong += [(kept[(index + 1) % size], index, size, proof)] if size > 1 else []
            wrong.append(
                (tree.node_hash(kept[index], proof[0]), index >> 1, size, proof[1:]) if proof else (top, 1, 1, [])
            )
            for forged in wrong:
                assert not tree.verify_inclusion(*forged, top), (size, index)
                tried += 1
    assert tried > 1500


def test_no_forged_consistency_passes():
    random, tried = Random(5), 0
    for size in SIZES:
        kept = hashes(size)
        get, top = getter(kept), tree.root(kept)
        for old in {1, size // 2, size - 1, size} & set(range(1, size + 1)):
            before, proof = tree.root(kept[:old]), tree.consistency(old, size, get)
            other = tree.root([*kept[: old - 1], tree.leaf_hash(b"rewritten")])
            assert not tree.verify_consistency(old, size, other, top, proof)
            assert not tree.verify_consistency(old, size, before, tree.node_hash(before, top), proof)
            assert not tree.verify_consistency(size + 1, size, before, top, proof)
            for forged in mutants(proof, random):
                assert not tree.verify_consistency(old, size, before, top, forged), (old, size)
                tried += 1
    assert tried > 1000


def test_a_proof_from_the_empty_tree_is_empty_and_says_so():
    kept = hashes(5)
    assert tree.consistency(0, 5, getter(kept)) == []
    assert tree.verify_consistency(0, 5, tree.EMPTY, tree.root(kept), [])
    assert not tree.verify_consistency(0, 5, bytes(32), tree.root(kept), [])
    assert not tree.verify_consistency(0, 5, tree.EMPTY, tree.root(kept), [kept[0]])


@pytest.mark.parametrize("size", range(1, 10))
def test_any_leaves_with_the_nodes_named_for_them_give_the_root(size):
    kept = hashes(size)
    get = getter(kept)
    for count in range(size + 1):
        for some in combinations(range(size), count):
            nodes = tree.nodes_for(size, some)
            assert nodes == sorted(set(nodes))
            assert tree.root_from(size, {i: kept[i] for i in some}, [get(*node) for node in nodes]) == tree.root(kept)


@given(st.integers(1, 3000), st.data())
def test_many_leaves_of_a_large_tree_give_its_root_and_an_altered_one_does_not(size, data):
    some = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=20))
    kept = [tree.leaf_hash(number.to_bytes(8, "big")) for number in range(size)]
    get, top = getter(kept), tree.root(kept)
    nodes = [get(*node) for node in tree.nodes_for(size, some)]
    given_leaves = {index: kept[index] for index in some}
    assert tree.root_from(size, given_leaves, nodes) == top
    assert tree.root_from(size, {**given_leaves, min(some): tree.EMPTY}, nodes) != top
    with pytest.raises(ValueError, match="takes"):
        tree.root_from(size, given_leaves, [*nodes, top])


def test_what_is_not_in_the_tree_is_an_error():
    kept = hashes(3)
    with pytest.raises(ValueError, match="leaf 3 is not in a tree of 3 leaves"):
        tree.inclusion(3, 3, getter(kept))
    with pytest.raises(ValueError, match="leaf 3 is not in a tree of 3 leaves"):
        tree.nodes_for(3, [3])
    with pytest.raises(ValueError, match="a tree of 3 leaves does not extend one of 4"):
        tree.consistency(4, 3, getter(kept))
