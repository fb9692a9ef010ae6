"""``lgd-mm list students``: which students suit a purpose."""

import pytest

from lgd_mm.api.methods import LGD
from lgd_mm.cli import list_students
from lgd_mm.errors import UserError
from lgd_mm.student_table import read_table
from tests.test_cli.test_commands import typed

ROWS = {row.name: row for row in read_table()[1]}


def listed(*words: object) -> dict[str, str]:
    """Name -> what is said of the student; without the title, and without the line that counts them."""
    title, *lines, empty, count = typed('list', 'students', *words).splitlines()
    assert title.split() == ['student', 'parameters', 'images', 'strides', 'heads'] and not empty
    assert count.startswith(f'{len(lines):,} of {len(ROWS):,} students; fewer with parts of the name, --max-params ')
    return dict(line.split(maxsplit=1) for line in lines)


def test_a_line_says_what_a_student_is_like():
    assert listed('mobilenetv2')['mobilenetv2'].split('  ')[0].strip() == '2.2 M'
    assert listed('vit_tiny_patch16_224')['timm/vit_tiny_patch16_224'].split() == [
        *'5.5 M 224 16 16 16 classification, fpn by a simple pyramid, rtmdet by a simple pyramid, dense'.split()]
    assert listed('timm/resnet18')['timm/resnet18'].split() == [
        '11.2', 'M', '224', '2', '4', '8', '16', '32', 'classification,', 'fpn,', 'rtmdet,', 'dense']


def test_columns_stand_below_each_other():
    title, first, *_ = typed('list', 'students', '--max-params', 3).splitlines()
    assert title.index('images') == first.index('224') and title.index('heads') == first.index('classification')


def test_all_of_them_with_those_of_ready_configs_first():
    names = list(listed())
    assert set(names) == set(ROWS) and set(names[:len(LGD.students)]) == set(LGD.students)


def test_small_ones_come_first():
    names = list(listed('--max-params', '6'))
    counts = [ROWS[name].parameters for name in names]
    ours = sum(name in LGD.students for name in names)
    assert 0 < max(counts) <= 6e6 and {name for name, row in ROWS.items() if row.parameters <= 6e6} == set(names)
    assert ours and counts[:ours] == sorted(counts[:ours]) and counts[ours:] == sorted(counts[ours:])


def test_by_the_head_that_they_serve():
    fpn, rtmdet = listed('--head', 'FPN'), listed('--head', 'rtmdet')
    assert {'resnet18', 'timm/vit_tiny_patch16_224'} <= set(fpn) and 'timm/levit_128' not in fpn
    assert 'timm/levit_128' not in rtmdet and set(rtmdet) < set(listed('--head', 'dense'))
    assert 'timm/efficientformerv2_s0' not in fpn  # images of one size
    assert set(listed('--head', 'classification')) == set(ROWS)


def test_by_the_side_of_images_that_they_take():
    names = set(listed('--size', 384))
    assert {'resnet18', 'timm/resnet18', 'timm/vit_tiny_patch16_384'} <= names
    assert 'timm/efficientformerv2_s0' not in names


def test_by_parts_and_patterns_of_the_name():
    """A pattern may leave out timm/; several parts must all be there; in any case."""
    assert set(listed('MobileNetV2')) == {name for name in ROWS if 'mobilenetv2' in name}
    assert set(listed('resnet1*')) == {name for name in ROWS if name.removeprefix('timm/').startswith('resnet1')}
    assert set(listed('vit', 'dinov3')) == {name for name in ROWS if 'vit' in name and 'dinov3' in name}
    assert list(listed('timm/resnet*', '--max-params', 12, '--head', 'fpn'))[:1] == ['timm/resnet10t']


@pytest.mark.parametrize(('words', 'said'), [
    (['resnet_26'], r"none of the students is called 'resnet_26': did you mean .*'timm/resnet26'"),
    (['--max-params', '0.01'], r'none of [\d,]+ students fits --max-params 0.01: the smallest has 0\.\d million'),
    (['vit_large', '--max-params', '10', '--head', 'rtmdet'], r'fits --max-params 10 --head rtmdet: the smallest has'),
    (['--max-params', 'nan'], 'fits --max-params nan')])
def test_what_does_not_exist_is_told(words, said):
    with pytest.raises(UserError, match=said):
        typed('list', 'students', *words)


@pytest.mark.parametrize('what', ['teachers', 'classes', 'configs', 'models'])
@pytest.mark.parametrize('option', [['--max-params', '10'], ['--head', 'fpn'], ['--size', '224']])
def test_other_lists_have_no_such_options(what, option):
    with pytest.raises(UserError, match=f'{option[0]} is for `lgd-mm list students`: leave it out for {what}'):
        typed('list', what, *option)


def test_values_that_mean_nothing_are_told():
    unknown = typed('list', 'students', '--head', 'yolo', code=2)
    assert all(head in unknown for head in ('classification', 'fpn', 'rtmdet', 'dense'))
    assert '--max-params' in typed('list', 'students', '--max-params', '0', code=2)
    assert '--max-params' in typed('list', 'students', '--max-params', '10M', code=2)
    assert '--size' in typed('list', 'students', '--size', '0', code=2)


def test_another_timm_is_told(monkeypatch):
    """What it has in addition, and what it lacks."""
    theirs = [name.removeprefix('timm/') for name in ROWS if name.startswith('timm/')]
    monkeypatch.setattr(list_students, 'models_of_timm', lambda: [*theirs[1:], 'newnet_b', 'newnet_a'])
    *_, more, less = typed('list', 'students', 'resnet18').splitlines()
    assert more == 'the installed timm also has newnet_a, newnet_b'
    assert less == f'the installed timm lacks {theirs[0]}'
