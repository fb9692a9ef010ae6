"""Embeddings in 8 bits are those in 16 but for half a step."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from lgd_mm.engine.fill_teacher_cache import CacheFiller
from lgd_mm.errors import UserError
from lgd_mm.teacher_cache import TeacherCache
from lgd_mm.teacher_cache.rows import embedding_of, entry_type, set_embeddings
from tests.processes import run_program
from tests.test_teacher_cache.test_of_shards import IMAGES, VIEWS, epoch, fill, sets  # noqa: F401
from tests.tiny import ROOT


def test_no_number_is_off_by_more_than_half_a_step():
    exact = normalize(torch.randn(100, 512, generator=torch.Generator().manual_seed(0))).numpy()
    entries = np.zeros(100, entry_type(512, precision='int8'))
    set_embeddings(entries, exact)
    found = embedding_of(entries).astype(np.float32)
    steps = np.abs(exact).max(axis=1, keepdims=True) / 127
    assert (np.abs(found - exact) <= 0.5 * steps + 1e-4).all()  # and float16's own
    assert (np.abs(entries['embedding']).max(axis=1) == 127).all()
    cosines = (found * exact).sum(axis=1) / np.linalg.norm(found, axis=1)
    assert cosines.min() > 0.9998
    assert np.array_equal(embedding_of(entries[3]), embedding_of(entries)[3])


def test_embeddings_without_numbers_stay_zero():
    entries = np.zeros(2, entry_type(8, precision='int8'))
    set_embeddings(entries, np.zeros((2, 8), np.float32))
    assert not embedding_of(entries).any()


def test_sixteen_bits_are_kept_as_they_are():
    exact = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float16)
    entries = np.zeros(5, entry_type(8))
    set_embeddings(entries, exact)
    assert np.array_equal(embedding_of(entries), exact) and entry_type(8).itemsize == 76
    assert entry_type(512, precision='int8').itemsize == 512 + 64


def test_a_run_sees_the_views_of_sixteen_bits(sets, tmp_path):  # noqa: F811
    config, options = sets
    fill(config, None, tmp_path / 'half', crops=2, crop_scale=(0.1, 0.2))
    fill(config, None, tmp_path / 'quarter', crops=2, crop_scale=(0.1, 0.2), precision='int8')
    half, quarter = (epoch(options['Images'], tmp_path / name, 1, 'Images') for name in ('half', 'quarter'))
    for key in half:
        if key != 'teacher':
            assert torch.equal(half[key], quarter[key])
    assert not torch.equal(half['teacher'], quarter['teacher'])
    assert torch.allclose(half['teacher'].float(), quarter['teacher'].float(), atol=2e-2, rtol=0)
    files = [next((tmp_path / name / 'view0000').iterdir()).stat().st_size for name in ('half', 'quarter')]
    assert files[1] < files[0]
    cache = TeacherCache(tmp_path / 'quarter')
    assert cache.embedding(VIEWS, 0).dtype == np.float16 and not cache.missing()
    assert len(cache.boxes(IMAGES - 1)['crop']) == VIEWS + 2
    for name, other in (('half', 'int8'), ('quarter', 'float16')):
        with pytest.raises(UserError, match=f'{name} is a cache of another precision'):
            fill(config, None, tmp_path / name, crops=2, crop_scale=(0.1, 0.2), precision=other)


def test_what_is_said_of_a_cache_is_not_changed(sets, tmp_path):  # noqa: F811
    """As another seed would draw other views than the embeddings are of."""
    config, _ = sets
    fill(config, None, tmp_path / 'cache')
    file = tmp_path / 'cache' / 'cache.json'
    text = file.read_text()
    for old, new in (('"seed": 0', '"seed": 8'), ('"fingerprint": "', '"fingerprint": "0'),
                     ('"views": 2', '"views": 3')):
        assert old in text
        file.write_text(text.replace(old, new))
        with pytest.raises(UserError, match=r'cache\.json cannot be read \(its checksum is another\)'):
            TeacherCache(tmp_path / 'cache')


def test_a_plan_for_images_that_are_not_here(sets, tmp_path):  # noqa: F811
    config, _ = sets
    filler = CacheFiller(str(config), str(tmp_path / 'none'), 10, precision='int8')
    assert filler.plan_for(10**8, 2500, 8) == (
        '100,000,000 images x 10 views: 116.40 GB in 67,144 files, 13.9 h on 8 devices of 2,500 views/s each')
    with pytest.raises(UserError, match='20 views of 1,000,000,000 images are 1,220,720 files, and 1,000,000'):
        CacheFiller(str(config), str(tmp_path / 'none'), 20).plan_for(10**9, 2500, 8)
    assert not (tmp_path / 'none').exists()


@pytest.mark.parametrize('options', [['--of', '10'], ['--rate', '5', '--plan'], ['--of', '10', '--rate', '5']])
def test_a_plan_needs_both(options):
    command = ['tools/cache_teacher.py', 'configs/lgd/r18_pretrain.py', '--views', '1', '--out', 'x', *options]
    done = run_program(command, ROOT, {})
    assert done.returncode == 2 and '--of and --rate plan for images that are not here: give both, and' in done.stderr
