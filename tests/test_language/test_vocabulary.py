"""Names and templates as one value."""

import dataclasses

import pytest
import torch

from lgd_mm.language import Vocabulary

CATS = Vocabulary(('cat', 'dog', 'Köttbulle'), ('a {}.', 'the {}'))


def test_digest_is_stable():
    # Stored in checkpoints: it must never change between versions.
    assert CATS.digest == '00bed2a756f17a98194276946c2e78a7dee61819833e13db080cf6f2eed2d074'


@pytest.mark.parametrize('other', [
    Vocabulary(('dog', 'cat', 'Köttbulle'), CATS.templates),
    Vocabulary(('cat', 'dog'), CATS.templates),
    Vocabulary(('cat', 'dog', 'Kottbulle'), CATS.templates),
    Vocabulary(CATS.categories, ('the {}', 'a {}.')),
    Vocabulary(CATS.categories, ('a {}.', )),
])
def test_digest_changes_with_names_order_and_templates(other):
    assert other.digest != CATS.digest


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CATS.categories = ()


def test_tensor_round_trip():
    tensor = CATS.to_tensor()
    assert tensor.dtype == torch.uint8 and tensor.dim() == 1
    assert Vocabulary.from_tensor(tensor) == CATS
    assert bytes(tensor.tolist()).decode() == '{"categories":["cat","dog","Köttbulle"],"templates":["a {}.","the {}"]}'


def test_no_difference():
    assert CATS.difference(Vocabulary(CATS.categories, CATS.templates)) == 'no difference'


@pytest.mark.parametrize('other, sentence', [
    (Vocabulary(('cat', 'emu'), CATS.templates),
     "2 names instead of 3 ('dog', 'Köttbulle' only here, 'emu' only there)"),
    (Vocabulary(('cat', 'emu', 'Köttbulle'), CATS.templates), "other names ('dog' only here, 'emu' only there)"),
    (Vocabulary(('dog', 'cat', 'Köttbulle'), CATS.templates),
     "the same 3 names in another order (number 1 is 'dog', not 'cat')"),
    (Vocabulary(CATS.categories, ('a {}.', 'the {}', 'my {}')),
     "3 templates instead of 2 (none only here, 'my {}' only there)"),
    (Vocabulary(CATS.categories, ('a {}.', 'the {}', 'the {}')),
     '3 templates instead of 2 (none only here, none only there)'),
    (Vocabulary(('cat', 'dog'), ('the {}', 'a {}.')),
     "2 names instead of 3 ('Köttbulle' only here, none only there) and "
     "the same 2 templates in another order (number 1 is 'the {}', not 'a {}.')"),
])
def test_difference(other, sentence):
    assert CATS.difference(other) == sentence


def test_difference_of_many_names_is_cut():
    many = Vocabulary((*CATS.categories, *map(str, range(12))), CATS.templates)
    assert CATS.difference(many) == ("15 names instead of 3 (none only here, '0', '1', '2', '3', '4' and 7 more "
                                     'only there)')
