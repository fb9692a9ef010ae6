"""KEY=VALUE: a text stays as it was written, and what mmengine read is still read so."""

import argparse
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.config import Config, DictAction

from lgd_mm.api.classes import parse_classes
from lgd_mm.errors import UserError
from lgd_mm.io.options import OptionsAction, parse_options, read_value, written


@pytest.mark.parametrize(('text', 'value'), [
    ("['cat', 'guinea pig', 'kite, bird of prey']", ['cat', 'guinea pig', 'kite, bird of prey']),
    ('[cat, guinea pig, kite (bird, of prey)]', ['cat', 'guinea pig', 'kite (bird, of prey)']),
    ('cat,guinea pig', ['cat', 'guinea pig']),
    ('"cat", \'guinea pig\'', ['cat', 'guinea pig']),
    ("['a satellite image of a {}.', {} from above]", ['a satellite image of a {}.', '{} from above']),
    ("'kite, bird of prey'", 'kite, bird of prey'),
    ('kite (bird of prey)', 'kite (bird of prey)'),
    ("['', ' ', '1', 'None', 'True']", ['', ' ', '1', 'None', 'True']),
    (r"""['it\'s', "it's", 'a "b"', cat's]""", ["it's", "it's", 'a "b"', "cat's"]),
    ("it's a dog", "it's a dog"),
    ("['a=b=c', '[x', 'y)', '{']", ['a=b=c', '[x', 'y)', '{']),
    (r'C:\new\table', r'C:\new\table'),
    (r"'C:\new\table'", r'C:\new\table'),
    (r"['C:\\new']", r'C:\new'.split(',')),
    ('[日本 語, 🐈]', ['日本 語', '🐈']),
    ("[dict(type='EMAHook')]", [dict(type='EMAHook')]),
    ("dict(type=A, b=[dict(c=1e-3, d=(1, -2))], e={'f': None, 2: True})",
     dict(type='A', b=[dict(c=1e-3, d=(1, -2))], e={'f': None, 2: True})),
    ("{'a b': ['c, d']}", {'a b': ['c, d']}),
    ('{}', {}),
    ('dict()', {}),
    ("['cat', 'dog', ]", ['cat', 'dog']),
    ("[[1, 'a, b'], [dict(x=[1, 2])]]", [[1, 'a, b'], [dict(x=[1, 2])]]),
    ('[a-z]+', '[a-z]+'),
    ("'tis", "'tis"),
])
def test_texts_stay_as_they_were_written(text, value):
    """Spaces, quoted commas, brackets and backslashes too; dicts as Python writes them."""
    read = read_value(text)
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize('text', [
    '3', '-2', '1e-3', '.5', 'True', 'false', 'None', 'none', '', 'a=b=c', '[1,2.5]', '1,2', '(1,2)', '(1)',
    '[(1,2),(3,4)]', '[a, b, c]', '[(1, 2, 3), [a, b], c]', '[]', '()', '[1,,2]', 'a,', 'coco+ade20k', 'a]', 'a(b',
    '0x10', '1_000', 'inf', '/a/b.txt', '(?P<x>a|b)',
])
def test_what_mmengine_read_is_read_so(text):
    """Lists without quotes, tuples, numbers and texts without spaces."""
    theirs, ours = DictAction._parse_iterable(text), read_value(text)
    assert ours == theirs and type(ours) is type(theirs)


@pytest.mark.parametrize(('text', 'reason'), [
    ('[1,(2]', 'a [)] is missing'),
    ('[cat, dog', 'a ] is missing'),
    ("['cat, dog]", "the quote before 'cat, dog]' is not closed"),
    ("['cat' 'dog']", "a comma is missing behind 'cat'"),
    ("['it''s']", r"a comma is missing behind 'it' \(a quote within a text is written as \\'"),
    ('{cat, dog}', "'cat' has no :"),
    ("dict('a')", 'is no name'),
    ('dict(a)', "'a' has no ="),
    ('dict(a=)', "'a' has no value"),
    ('dict(a=1, a=2)', "'a' comes twice"),
    ('[' * 10000, 'too many brackets'),
])
def test_what_cannot_be_read_is_told(text, reason):
    """In one sentence, not as a text that was not meant."""
    with pytest.raises(UserError, match=f'is no KEY=VALUE .*{reason}'):
        parse_options([f'key={text}'])


@settings(max_examples=60, deadline=None)
@given(st.recursive(
    st.one_of(st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False),
              st.text(st.characters(categories=('L', 'N', 'P', 'S', 'Zs'), exclude_characters='\xa0'))),
    lambda inner: st.one_of(st.lists(inner), st.lists(inner).map(tuple),
                            st.dictionaries(st.text('ab c,:', max_size=3), inner)), max_leaves=8))
def test_any_value_as_python_prints_it(value):
    """What a person copies out of Python comes back."""
    text = repr(value)
    if '\\u' not in text and '\\x' not in text and '\\U' not in text:
        assert read_value(text) == value


def test_a_dict_reaches_the_config():
    """As a whole hook, and merged into a part; the tools take the same words, also twice."""
    cfg = Config(dict(model=dict(backbone=dict(type='ResNet', depth=50))))
    cfg.merge_from_dict(parse_options(["custom_hooks=[dict(type='EMAHook')]", 'model.backbone=dict(depth=18)']))
    assert cfg.custom_hooks[0].type == 'EMAHook' and cfg.model.backbone == dict(type='ResNet', depth=18)


def test_spaces_around_a_key():
    """They are no part of it; as one, it would be a key that nobody reads."""
    assert parse_options([' a.b =1', 'a.b = 2']) == {'a.b': 2}


def test_the_tools_read_the_same():
    """None has mmengine's own reader; an option that is given twice is gathered."""
    tools = [path for path in (Path(__file__).parents[2] / 'tools').glob('*.py') if '--cfg-options' in path.read_text()]
    assert len(tools) >= 6 and not any('DictAction' in path.read_text() for path in tools)
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction)
    words = ['--cfg-options', 'a.b=guinea pig', 'c=1', '--cfg-options', "c=['x, y']"]
    assert parser.parse_args(words).cfg_options == {'a.b': 'guinea pig', 'c': ['x, y']}


def test_names_with_quotes_around_them():
    """Of --classes: their commas are their own, and no bracket becomes a part of a name."""
    names = ['cat', 'kite, bird of prey', "dog's"]
    assert parse_classes(str(names)) == parse_classes('"cat", "kite, bird of prey", "dog\'s"') == names
    with pytest.raises(UserError, match=r"classes: \['cat', dog is no list of names \(a ] is missing"):
        parse_classes("['cat', dog")


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from('ab ,()[]{}\'"\\=:1'), min_size=1))
def test_any_text_is_written_so_that_it_is_read(text):
    """As the file of another entry's student is, in a folder of any name."""
    assert read_value(written(text)) == text


def test_options_of_a_parser_without_defaults():
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction)
    assert vars(parser.parse_args([])) == {}
    assert parser.parse_args(['--cfg-options', 'a=1', '--cfg-options', 'b=2']).cfg_options == dict(a=1, b=2)
