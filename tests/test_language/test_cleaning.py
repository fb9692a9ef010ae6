"""Names as people write them, all different."""

from unittest.mock import patch

import pytest

from lgd_mm.errors import UserError
from lgd_mm.language import category_names


@pytest.mark.parametrize('raw, clean', [
    ('  cat ', 'cat'),
    ('baseball_bat', 'baseball bat'),
    ('stop \t sign', 'stop sign'),
    ('bat_(animal)', 'bat'),
    ('Indian_(Asian)_elephant', 'Indian elephant'),
    ('Köttbulle', 'Köttbulle'),
])
def test_one_name(raw, clean):
    assert category_names([raw, 'other']) == [clean, 'other']


def test_colliding_names_keep_their_qualifiers_and_this_is_said():
    with patch('lgd_mm.language.cleaning.print_log') as log:
        names = category_names(['bow_(weapon)', 'kite', 'bow_(ribbon)', 'Bow', 'bat_(animal)'])
    assert names == ['bow, weapon', 'kite', 'bow, ribbon', 'Bow', 'bat']
    assert 'bow, weapon; bow, ribbon' in log.call_args.args[0]


def test_nothing_is_said_when_nothing_collides():
    with patch('lgd_mm.language.cleaning.print_log') as log:
        category_names(['bow_(weapon)', 'kite'])
    log.assert_not_called()


@pytest.mark.parametrize('names, told', [
    (['cat', 'dog', 'cat'], "'cat'"),
    (['hot_dog', 'hot dog'], "'hot dog', 'hot_dog'"),
    (['Cat', 'cat'], "'Cat', 'cat'"),
    (['bow_(weapon)', 'bow (weapon)'], r"'bow \(weapon\)', 'bow_\(weapon\)'"),
])
def test_duplicates_after_cleaning_are_named(names, told):
    with pytest.raises(UserError, match=f'the same after cleaning: {told}; rename'):
        category_names(names)


@pytest.mark.parametrize('name', ['', '  ', '_', '(weapon)'])
def test_name_with_nothing_left(name):
    with pytest.raises(UserError, match='name number 2 is empty after cleaning'):
        category_names(['cat', name])


@pytest.mark.parametrize('empty', [[], ()])
def test_no_names(empty):
    with pytest.raises(UserError, match='categories: there are no category names'):
        category_names(empty)


def test_name_that_is_no_text():
    with pytest.raises(UserError, match='name number 2 is 7'):
        category_names(['cat', 7])


@pytest.mark.parametrize('name', [
    'x' + '\u200d' * 100_000 + 'x', 'a' + '\u0301' * 50_000 + '\u0316' * 50_000, 'a' * 1001],
    ids=['joiners', 'accents', 'letters'])
def test_a_name_has_a_length(name):
    """Python takes minutes to bring the accents of some into their order."""
    with pytest.raises(UserError, match='name number 2 has .* characters, and 1,000 are the most') as caught:
        category_names(['cat', name])
    assert len(str(caught.value)) < 3000
    assert category_names(['cat', 'a' * 1000]) == ['cat', 'a' * 1000]


def test_joiners_at_the_ends_and_within():
    family = '\U0001f468\u200d\U0001f469'
    assert category_names(['\u200d\u200cb\u200d', f'\u200b\u200d{family}\u200d\u200b']) == ['b', family]
