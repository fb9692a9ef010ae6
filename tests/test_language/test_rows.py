"""Names that a text tower cannot tell apart are named, whatever makes them the same."""

from unittest.mock import patch

import open_clip
import pytest
import torch
import torch.nn.functional as F

from lgd_mm.errors import UserError
from lgd_mm.language import Vocabulary, category_names, textual_bank
from lgd_mm.language.rows import check_rows, same_rows
from lgd_mm.models.teachers import open_clip as teacher_module

LONG = 'a small brown spotted animal of the forest ' * 12


class Tower:
    """A text tower that tells all token ids apart, with a context as long as CLIP's or SigLIP's."""

    def __init__(self, context=77):
        self.tokenize, self.calls = open_clip.SimpleTokenizer(context_length=context), 0

    def __call__(self, texts):
        self.calls += 1
        tokens = self.tokenize(texts).double()
        mix = torch.randn(tokens.shape[1], 32, generator=torch.Generator().manual_seed(0))
        return torch.sin(tokens @ mix.double()).float()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path))


def bank_of(names, templates=('a photo of a {}.', 'a {}'), context=77):
    return textual_bank(Tower(context), Vocabulary(tuple(names), tuple(templates)), f'tower {context}')


@pytest.mark.parametrize(('names', 'told'), [
    ([LONG + 'with a tail', 'cat', LONG + 'without a tail'], r"'a small .* with a tail', 'a small .* without a tail';"),
    (['salt & pepper', 'cat', 'salt &amp; pepper'], "'salt & pepper', 'salt &amp; pepper'"),
    (['\uff43at', 'cat', 'dog'], "'\uff43at', 'cat'"),  # of full width
    (['cat', 'dog', 'caf\u00c3\u00a9', 'caf\u00e9'], "'caf\u00c3\u00a9', 'caf\u00e9'"),  # read in another encoding once
])
@pytest.mark.parametrize('context', [77, 64])
def test_names_that_become_the_same_row(names, told, context):
    """Behind the context, or after what the tokenizer makes of them; the others are not told."""
    with pytest.raises(UserError, match=f'the same to the text tower of the teacher: {told}.* rename them'):
        bank_of(category_names(names), context=context)


def test_names_that_some_templates_tell_apart():
    """A row of one's own is enough, and a cached bank is taken."""
    names = [' '.join(LONG.split()[:45]) + ' with a tail', ' '.join(LONG.split()[:45]) + ' without one']
    bank = bank_of(names, ('{}', 'the quick brown fox jumps over the lazy dog and then over all the other dogs {}',
                           ' '.join(['many'] * 20) + ' {}'))
    assert same_rows(bank) == []


@pytest.mark.parametrize('templates', [[LONG * 2 + '{}'], ['a {}.', LONG * 2 + '{}']])
def test_a_template_whose_place_lies_behind_the_context(templates):
    """It is named, also beside others that work."""
    with pytest.raises(UserError, match=r"templates: 'a small .*\{\}' gives all names the same embedding"):
        bank_of(['cat', 'dog', 'owl'], templates)


def test_a_cached_bank_of_a_version_that_did_not_look():
    """It is made again, so that the reason is told."""
    with patch('lgd_mm.language.bank.check_rows'), patch('lgd_mm.language.bank.same_rows', return_value=[]):
        bank_of(['salt & pepper', 'salt &amp; pepper'])
    with pytest.raises(UserError, match='the same to the text tower'):
        bank_of(['salt & pepper', 'salt &amp; pepper'])


def test_groups_among_many_rows():
    """Each with all its members; noise of another kernel does not hide them, and near names are no group."""
    rows = F.normalize(torch.randn(2000, 64, generator=torch.Generator().manual_seed(0)), dim=1)
    assert same_rows(rows) == []
    rows[1500] = rows[3] + 1e-6
    rows[[7, 900, 1999]] = rows[40].clone()
    rows[50] = F.normalize(rows[51] + 2e-3, dim=0)
    assert sorted(same_rows(rows)) == [[3, 1500], [7, 40, 900, 1999]]
    assert same_rows(torch.ones(3000, 4) / 2) == [list(range(3000))]


@pytest.mark.parametrize('value', [0.0, float('nan')])
def test_a_row_without_an_embedding(value):
    rows = torch.eye(3)
    rows[1] = value
    with pytest.raises(UserError, match="no embedding of 'dog': its weights are damaged"):
        check_rows(rows, ['cat', 'dog', 'owl'])


def test_cut_prompts_are_counted():
    """Those that are longer than the context, and no others, in a warning."""
    tokenize = open_clip.SimpleTokenizer()
    full = ' '.join(['cat'] * 75)  # with begin and end exactly 77
    with patch.object(teacher_module, 'print_log') as log:
        teacher_module._tell_cut(tokenize, ['cat', full, '\U0001f408' * 10])
        log.assert_not_called()
        teacher_module._tell_cut(tokenize, ['cat', full, full + ' cat', LONG])
    assert log.call_args.args[0].startswith('2 of 4 prompts are longer than the 77 tokens')


@pytest.mark.parametrize(('raw', 'clean'), [
    ('guinea\u200b pig', 'guinea pig'), ('\ufeffcat', 'cat'), ('cat\u200d', 'cat'), ('c\xadat', 'cat'),
    ('\u202ecat\u202c', 'cat'), ('cat\x00', 'cat'), ('\u3000cat\xa0', 'cat'),
    ('\U0001f468\u200d\U0001f33e', '\U0001f468\u200d\U0001f33e'),  # an emoji of two
    ('\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645', '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'),  # Persian
])
def test_invisible_characters(raw, clean):
    """They are taken out where they mean nothing."""
    assert category_names([raw, 'dog']) == [clean, 'dog']


def test_invisible_characters_are_told():
    """With the names; without anything to see, a name is empty, and two that look the same are the same."""
    with patch('lgd_mm.language.cleaning.print_log') as log:
        category_names(['cat\u200b', 'dog'])
    assert 'invisible characters are taken out of 1 names' in log.call_args.args[0]
    for names, told in ((['\u200b', 'dog'], 'number 1 is empty'), (['cat', 'cat\u200b'], 'the same after cleaning'),
                        (['  ', 'dog'], 'number 1 is empty'), (['caf\u00e9', 'cafe\u0301'], 'the same after cleaning')):
        with pytest.raises(UserError, match=told):
            category_names(names)
