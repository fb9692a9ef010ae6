"""What is written needs a folder here: a URL in its place makes no folder that is called ``s3:``."""

import pytest

from lgd_mm import index, pretrain
from lgd_mm.engine.fill_teacher_cache import CacheFiller
from lgd_mm.engine.launch import train
from lgd_mm.errors import UserError
from lgd_mm.teacher_cache import TeacherCache
from tests.tiny import write_images, write_lgd_config

PLACE = 's3://bucket/out'


@pytest.mark.parametrize('write', [
    lambda images, config: index(images, PLACE, jobs=1),
    lambda images, config: pretrain(images, ['a cat', 'a dog'], out=PLACE, teacher='shapes'),
    lambda images, config: train(config, work_dir=PLACE),
    lambda images, config: CacheFiller(config, PLACE, 1),
    lambda images, config: TeacherCache.create(PLACE, {})], ids=['index', 'pretrain', 'train', 'cache', 'create'])
def test_a_url_is_no_folder(write, tmp_path, monkeypatch):
    write_images(tmp_path / 'images', 2)
    config = write_lgd_config(tmp_path / 'config', tmp_path / 'images')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f'{PLACE} is in an object store.* a folder here.* copy'):
        write(str(tmp_path / 'images'), str(config))
    assert not (tmp_path / 's3:').exists()
