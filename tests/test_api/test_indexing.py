"""index(): what it writes takes the place of the folder, and the student is the same, bit for bit."""


import pytest
import torch
from click.testing import CliRunner

import lgd_mm
from lgd_mm.api.images import images_in
from lgd_mm.cli.main import cli
from lgd_mm.cli.training import _folders
from lgd_mm.errors import UserError
from lgd_mm.students import read_student
from tests.tiny import write_shards


@pytest.fixture
def shards(photos, tmp_path):
    write_shards(tmp_path / 'shards', photos, 7)
    return tmp_path / 'shards'


def test_a_student_of_shards_is_that_of_the_folder(run, arguments, shards, tmp_path):
    found = lgd_mm.index(shards, tmp_path / 'index', jobs=1)
    assert (len(found), found.kind, found.sources()) == (20, 'shards', ['0.tar', '1.tar', '2.tar'])
    again = lgd_mm.pretrain(**{**arguments, 'images': tmp_path / 'index'}, batch_size=8, out=tmp_path / 'run')
    mine, theirs = read_student(run.student)[0], read_student(again.student)[0]
    assert all(torch.equal(value, theirs[key]) for key, value in mine.items()) and again.losses == run.losses


def test_the_command(photos, shards, tmp_path):
    command = ['index', str(photos), '--out', str(tmp_path / 'index'), '--jobs', '1', '--unchecked']
    result = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert result.output.splitlines()[-1] == f'{tmp_path / "index"}: 20 images in 2 folders'
    with pytest.raises(UserError, match='is there: give another --out'):
        CliRunner().invoke(cli, command, catch_exceptions=False)
    with pytest.raises(UserError, match='does not exist'):
        CliRunner().invoke(cli, ['index', str(tmp_path / 'none'), '--out', 'x'], catch_exceptions=False)
    with pytest.raises(UserError, match='is an index of images, which lgd-mm pretrain takes: give the folder'):
        images_in(tmp_path / 'index')
    assert _folders(tmp_path / 'index') == [photos] and _folders(photos) == [photos]
    lgd_mm.index(shards, tmp_path / 'of_shards', jobs=1)
    assert _folders(tmp_path / 'of_shards') == []
    (shards / '1.tar').unlink()
    with pytest.raises(UserError, match=r'1\.tar is missing, of 1 that should be there'):
        lgd_mm.index(shards, tmp_path / 'other', jobs=1)
    assert not (tmp_path / 'other').exists()
