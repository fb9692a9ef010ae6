"""``lgd-mm pretrain --images s3://...``: an index in a bucket, of shards beside it."""

import json
import re

import pytest
from click.testing import CliRunner

from lgd_mm.cli.main import cli
from lgd_mm.errors import UserError
from tests.object_store import client
from tests.test_storage.test_stored_images import bucket, folder  # noqa: F401

OPTIONS = ['--classes', 'circle, square, star', '--teacher', 'shapes', '--student', 'resnet18', '--epochs', '1',
           '--image-size', '32', '--batch-size', '10', '--workers', '0']


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.slow
def test_from_a_bucket(bucket, store, server, tmp_path, monkeypatch):  # noqa: F811
    run('index', f'{bucket}/shards', '--out', str(tmp_path / 'index'), '--jobs', '1')
    for file in (tmp_path / 'index').iterdir():
        client(server).put_object(Bucket=bucket[5:], Key=f'photos.index/{file.name}', Body=file.read_bytes())
    store.share = 0.1
    told = run('pretrain', '--images', f'{bucket}/photos.index', *OPTIONS, '--out', str(tmp_path / 'run'))
    assert 'LGD_STORAGE_GB' not in told
    assert (tmp_path / 'run' / 'student.safetensors').is_file()
    config = (tmp_path / 'run' / 'pretrain.py').read_text() if (tmp_path / 'run' / 'pretrain.py').exists() else ''.join(
        path.read_text() for path in (tmp_path / 'run').glob('*.py'))
    assert 'sequential=True' in config and f"index='{bucket}/photos.index'" in config
    # The same shards by an index here are read from where the user says.
    with pytest.raises(UserError, match='asked for nothing unless you say so'):
        run('pretrain', '--images', str(tmp_path / 'index'), *OPTIONS, '--out', str(tmp_path / 'other'))
    monkeypatch.setenv('LGD_STORAGE_GB', '1e-5')
    told = run('pretrain', '--images', str(tmp_path / 'index'), *OPTIONS, '--out', str(tmp_path / 'other'),
               '--overwrite', f'train_dataloader.dataset.data_root={bucket}/shards')
    assert re.search(r'warning: the images come from about \S+ GB of shards at a time, and their copies on a machine '
                     r'may take 1e-05 GB, .* set LGD_STORAGE_GB=', ' '.join(told.split()))
    losses = [[json.loads(line).get('loss') for line in (tmp_path / name).glob('*/vis_data/scalars.json').__next__()
               .read_text().splitlines()] for name in ('run', 'other')]
    assert losses[0] == losses[1]
