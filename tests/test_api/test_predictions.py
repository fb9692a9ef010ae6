"""A table of predictions is opened with spreadsheets, too."""

import csv

import pytest
import torch

from lgd_mm.api import Predictions


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
