"""What a comparison may be asked for, and what of it may change."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

import lgd_mm
from lgd_mm.cli.compare import compare
from lgd_mm.comparison.early import check_comparison_folder, going_on
from lgd_mm.comparison.request import RECORD, Request, State, check_same, read_state, seconds, write_state
from lgd_mm.errors import UserError

REQUEST = Request('photos', ['cat', 'dog'], 'boxes', None, None, ['dense', 'random'], ['resnet18'], 'shapes', 2, '2h',
                  None)


@pytest.mark.parametrize(('text', 'value'), [('2h', 7200), ('30m', 1800), ('1h30m', 5400), ('1.5h', 5400), ('45s', 45)])
def test_times(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize('text', ['30', 'h', '2 h', '-1h', '0m', 'soon', '2h!', ''])
def test_no_times(text):
    with pytest.raises(UserError, match='give a time such as 2h, 30m or 1h30m'):
        seconds(text)


@pytest.mark.parametrize(('change', 'sentence'), [
    (dict(detection=None), 'nothing is to be measured: give --detection'),
    (dict(methods=['dens']), "no method is called 'dens'; did you mean 'dense'"),
    (dict(methods=['dense', 'dense']), "methods has 'dense' twice"),
    (dict(students=[]), 'students is empty'),
    (dict(seeds=0), 'seeds is 0: give how many'),
    (dict(budget='2'), "budget is '2'"),
])
def test_mistakes(change, sentence):
    REQUEST.check()
    with pytest.raises(UserError, match=sentence):
        replace(REQUEST, **change).check()


def test_what_is_kept_comes_back(tmp_path):
    """Nothing else is taken for it."""
    assert read_state(tmp_path) is None
    for state in (State(REQUEST), State(replace(REQUEST, classes='coco', budget=None), True, True, 12.5)):
        write_state(tmp_path, state)
        assert read_state(tmp_path) == state
    (tmp_path / RECORD).write_text('{"request": {"images": 3}}')
    with pytest.raises(UserError, match='request.images is 3, and must be a string: delete it to plan'):
        read_state(tmp_path)


def test_what_differs_is_said():
    check_same('out', REQUEST, replace(REQUEST))
    with pytest.raises(UserError, match='out holds .* .here seeds 3, there 2; budget 30m, there 2h.: give another'):
        check_same('out', REQUEST, replace(REQUEST, seeds=3, budget='30m'))
    with pytest.raises(UserError, match='here segmentation masks, there none'):
        check_same('out', REQUEST, replace(REQUEST, segmentation='masks'))


def test_only_an_empty_folder_or_a_comparison(tmp_path):
    check_comparison_folder(tmp_path / 'new', None)
    check_comparison_folder(tmp_path, None)
    (tmp_path / 'thesis.tex').write_text('x')
    check_comparison_folder(tmp_path, State(REQUEST))
    with pytest.raises(UserError, match='is not empty and holds no comparison'):
        check_comparison_folder(tmp_path, None)
    with pytest.raises(UserError, match='is a file'):
        check_comparison_folder(tmp_path / 'thesis.tex', None)
    with pytest.raises(UserError, match='holds no comparison to go on with'):
        going_on(tmp_path, None)
    with pytest.raises(UserError, match='suite.yaml is gone'):
        going_on(tmp_path, State(REQUEST, planned=True))
    with pytest.raises(UserError, match="no method is called 'eval'"):  # as somebody has edited it
        going_on(tmp_path, State(replace(REQUEST, methods=['eval'])))


def test_what_is_written_is_not_among_what_is_read(tmp_path, monkeypatch):
    """The content of the photos and sets decides on what has to be run again."""
    monkeypatch.chdir(tmp_path)
    for folder in ('photos', 'boxes'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / '1.png').touch()
    for out in ('photos/out', 'boxes/out'):
        words = ['--images', 'photos', '--classes', 'a,b', '--detection', 'boxes', '--out', out]
        result = CliRunner().invoke(compare, words)
        assert f'out: {out} lies in {out.split("/")[0]}' in str(result.exception) and not (tmp_path / out).exists()
        with pytest.raises(UserError, match='out lies in'):
            lgd_mm.compare('photos', ['a', 'b'], out=out, detection='boxes')
        assert not (tmp_path / out).exists()


@pytest.mark.parametrize(('words', 'sentence'), [
    (['--images', 'gone', '--classes', 'a,b', '--detection', '.'], 'images: gone does not exist'),
    (['--images', '.', '--detection', '.'], 'give --classes'),
    (['--classes', 'a,b'], '--classes is given, and --images is not'),
    (['--images', '.', '--classes', 'a,b'], 'nothing is to be measured'),
    (['--images', '.', '--classes', 'a,b', '--detection', 'gone'], 'data: gone is no folder'),
    (['--images', '.', '--classes', 'a,b', '--detection', '.', '--methods', 'dense', 'lgdd', '--seeds', '2'],
     "no method is called 'lgdd'"),
    (['--images', '.', '--classes', 'a,b', '--detection', '.', '--students', 'resnet18,resnet19'],
     "no student is called 'resnet19'"),
    (['--images', '.', '--classes', 'a,b', '--detection', '.', '--teacher', 'RN51/openai'], 'no teacher is called'),
])
def test_mistakes_answer_before_anything_is_written(tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(compare, [*words, '--out', 'out'])
    assert isinstance(result.exception, UserError) and sentence in str(result.exception)
    assert not (tmp_path / 'out').exists()
