"""A table of predictions is opened with spreadsheets, too."""

import csv
import os

import pytest
import torch

from lgd_mm.api import Predictions
from lgd_mm.cli.early import check_zero_shot
from lgd_mm.errors import UserError


@pytest.mark.parametrize('start', ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
def test_no_cell_begins_a_formula(tmp_path, start):
    names, paths = [f'{start}cmd|calc', 'a-b', "'quoted"], [f'{start}a.jpg', '/photos/=b.jpg', 'c.jpg']
    values = torch.tensor([[.5, .3, .2]] * 3)
    found = Predictions(paths, names, -values, values, [])
    with found.write(tmp_path / 'a.csv').open(newline='') as file:
        head, *rows = csv.reader(file)
    assert head == ['picture', 'rank', 'name', 'score', 'similarity']
    assert [row[0] for row in rows[::3]] == [f'./{start}a.jpg', '/photos/=b.jpg', 'c.jpg']
    assert [row[2] for row in rows[:3]] == [f"'{start}cmd|calc", 'a-b', "'quoted"]
    assert rows[0][3:] == ['0.5000', '-0.5000']  # numbers stay numbers


def test_many_names(tmp_path):
    """The place of each was looked for among all."""
    count = 20_000
    scores = torch.arange(count).float()[None]
    found = Predictions(['a.jpg'], [f'name {index}' for index in range(count)], scores, scores, [])
    assert len(found.write(tmp_path / 'a.csv', k=count).read_text().splitlines()) == 1 + count


ONE = Predictions(['a.jpg'], ['a'], torch.ones(1, 1), torch.ones(1, 1), [])


@pytest.mark.parametrize('content', [b'picture', b'picture,rank\n', b'\xff\xd8\xff\xe0', b'cat\ndog\n', b'PK\x03\x04',
                                     b'\0'])
def test_no_other_file_is_replaced(tmp_path, content):
    """Such as an image that is classified, the student, its settings, or the names."""
    file = tmp_path / 'other'
    file.write_bytes(content)
    for write in (lambda: ONE.write(file), lambda: check_zero_shot({}, str(file))):  # before it computes
        with pytest.raises(UserError, match='other exists and is no table of predictions: give another file'):
            write()
    assert file.read_bytes() == content


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    with pytest.raises(UserError, match=r'pipe cannot be written \(it is a pipe'):
        ONE.write(tmp_path / 'pipe')


def test_a_table_and_an_empty_file_are_replaced(tmp_path):
    (tmp_path / 'a.csv').touch()
    first = ONE.write(tmp_path / 'a.csv').read_text()
    assert ONE.write(tmp_path / 'a.csv').read_text() == first != ''
