"""A cache gives the views and embeddings of a live run, and is refused where it does not fit."""

import errno
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from torch.utils.data import DataLoader

from lgd_mm.datasets import UnlabelledImages, ViewSampler
from lgd_mm.engine.fill_teacher_cache import CacheFiller
from lgd_mm.engine.launch import train
from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS
from lgd_mm.students.file import write_student
from lgd_mm.teacher_cache import CachedImages, CachedTeacher
from lgd_mm.teacher_cache import store as teacher_cache
from lgd_mm.teacher_cache.store import TeacherCache, write_about
from tests.tiny import run_tool, write_images, write_lgd_config

PICTURES, VIEWS = 10, 3


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(teacher_cache, 'PART', 4)


@pytest.fixture
def config(tmp_path):
    paths = write_images(tmp_path / 'pictures', PICTURES)
    paths[3].write_text('not an image')
    # A random step before the view is cut out must come out the same as well.
    pipeline = [dict(type='lgd_mm.LoadImage'), dict(type='mmpretrain.RandomFlip', prob=0.5, direction='vertical'),
                dict(type='lgd_mm.RandomView', size=32), dict(type='lgd_mm.PackView')]
    return write_lgd_config(tmp_path, tmp_path / 'pictures', train_dataloader=dict(dataset=dict(pipeline=pipeline)))


@pytest.fixture
def folder(config, tmp_path):
    CacheFiller(str(config), str(tmp_path / 'cache'), VIEWS).fill()
    return tmp_path / 'cache'


def dataset(config, **changes):
    cfg = Config.fromfile(config).train_dataloader.dataset.to_dict()
    cfg.pop('type')
    return CachedImages(**{**cfg, **changes}) if 'cache' in changes else UnlabelledImages(**cfg)


def epoch(data, number, workers=0):
    sampler = ViewSampler(data, views=VIEWS, seed=0)
    sampler.set_epoch(number)
    loader = DataLoader(data, 5, sampler=sampler, num_workers=workers, collate_fn=default_collate)
    batches = list(loader)
    return {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}


def test_views_and_embeddings_are_those_of_a_live_run(config, folder):
    live, cached = dataset(config), dataset(config, cache=str(folder))
    filler = CacheFiller(str(config), str(folder), VIEWS)
    for number in (0, 2, 4):  # the fifth epoch sees the second view again
        ours, theirs = epoch(cached, number, workers=2 * (number == 2)), epoch(live, number)
        for key in theirs:
            assert torch.equal(ours[key], theirs[key]), key
        embedding = filler.teacher(filler.preprocessor(theirs)['inputs'])
        torch.testing.assert_close(ours['teacher'].float(), embedding, atol=2e-3, rtol=2e-3)
    assert not torch.equal(epoch(cached, 0)['inputs'], epoch(cached, 1)['inputs'])


def test_another_run_seed_shuffles_the_same_views(config, folder):
    cached = dataset(config, cache=str(folder))
    views = {seed: {tuple(view.tolist()) for view in epoch_of_seed(cached, seed)['view']} for seed in (0, 1)}
    assert views[0] == views[1]


def epoch_of_seed(data, seed):
    loader = DataLoader(data, 5, sampler=ViewSampler(data, seed=seed), collate_fn=default_collate)
    batches = list(loader)
    return {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}


def test_stopped_and_shared_out_ends_with_the_same_bytes(config, folder, tmp_path):
    again = tmp_path / 'again'
    for share in ((1, 2), (0, 2)):
        CacheFiller(str(config), str(again), VIEWS, share).fill()
    files = sorted(path.relative_to(folder) for path in folder.rglob('*') if path.is_file())
    assert len(files) == 1 + (VIEWS + 1) * 3  # of three parts, each view and the boxes
    assert files == sorted(path.relative_to(again) for path in again.rglob('*') if path.is_file())
    for file in files:
        assert (folder / file).read_bytes() == (again / file).read_bytes(), file

    kept = again / 'view0001' / '00001.npy'
    (again / 'view0002' / '00002.npy').unlink()
    stamp = kept.stat().st_mtime_ns
    CacheFiller(str(config), str(again), VIEWS).fill()
    assert not TeacherCache(again).missing() and kept.stat().st_mtime_ns == stamp


def test_a_full_disk_leaves_nothing_half_written(folder, config, monkeypatch):
    (folder / 'view0001' / '00000.npy').unlink()
    before = sorted(folder.rglob('*'))

    def full(descriptor):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(UserError, match=r'view0001/00000.npy cannot be written \(No space left on device\): free'):
        CacheFiller(str(config), str(folder), VIEWS).fill()
    assert sorted(folder.rglob('*')) == before


@pytest.mark.parametrize('options, named', [
    ({'randomness.seed': 1}, 'seed'),
    ({'train_dataloader.dataset.pipeline': [dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=16),
                                            dict(type='lgd_mm.PackView')]}, 'pipeline'),
])
def test_another_cache_is_not_written_into(config, folder, options, named):
    with pytest.raises(UserError, match=f'is a cache of another {named}: give another --out'):
        CacheFiller(str(config), str(folder), VIEWS, cfg_options=options).fill()


def test_unfit_caches_are_refused(config, folder, tmp_path):
    with pytest.raises(UserError, match='is no teacher cache; make one with python tools/cache_teacher.py'):
        dataset(config, cache=str(tmp_path / 'nowhere'))
    with pytest.raises(UserError, match='of other views: set train_dataloader.dataset.pipeline'):
        dataset(config, cache=str(folder), pipeline=[dict(type='lgd_mm.LoadImage')])
    write_images(tmp_path / 'pictures' / 'more', 1)
    with pytest.raises(UserError, match='is of 10 other images than the 11'):
        dataset(config, cache=str(folder))
    (folder / 'view0000' / '00001.npy').unlink()
    cut_off = folder / 'view0001' / '00002.npy'
    cut_off.write_bytes(cut_off.read_bytes()[:-1])
    with pytest.raises(UserError, match='lacks 2 of its 9 files'):
        dataset(config, cache=str(folder))


@pytest.mark.parametrize('version', [{}, {'format': 1}, {'format': 5}])
def test_a_cache_of_other_views_is_made_anew(config, folder, version):
    """Views were once cut out without a filter: the same numbers, but other images and embeddings."""
    about = json.loads((folder / 'cache.json').read_text())
    about.pop('format')
    (folder / 'cache.json').write_text(json.dumps({**about, **version}))
    for use in (lambda: dataset(config, cache=str(folder)), lambda: CachedTeacher(str(folder)),
                lambda: CacheFiller(str(config), str(folder), VIEWS).fill()):
        with pytest.raises(UserError, match=f'{folder} is a teacher cache of another version of lgd_mm.*make it anew'):
            use()


def test_other_configs_cannot_be_cached(config, tmp_path):
    with pytest.raises(UserError, match='ends with lgd_mm.RandomView and lgd_mm.PackView'):
        CacheFiller(str(config), str(tmp_path / 'c'), 1, cfg_options={'train_dataloader.dataset.pipeline': []})
    assert not (tmp_path / 'c').exists()


def test_other_images_cannot_be_cached(config, tmp_path):
    for kind in ('lgd_mm.LabelledImages', 'lgd_mm.CachedImages'):
        with pytest.raises(UserError, match=f'train_dataloader.dataset is {kind}, and a teacher cache needs'):
            CacheFiller(str(config), str(tmp_path / 'c'), 1, cfg_options={'train_dataloader.dataset.type': kind})


def test_a_teacher_without_text(config, tmp_path):
    backbone = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)
    write_student(MODELS.build(backbone).state_dict(), {}, tmp_path / 'student')
    teacher = dict(_delete_=True, type='lgd_mm.BackboneTeacher', backbone=backbone,
                   checkpoint=str(tmp_path / 'student.safetensors'))
    CacheFiller(str(config), str(tmp_path / 'c'), 1, cfg_options={'model.teacher': teacher}).fill()
    cached = CachedTeacher(str(tmp_path / 'c'))
    assert cached.embed_dim == dataset(config, cache=str(tmp_path / 'c'))[0, 0, 0]['teacher'].numel() == 64
    with pytest.raises(UserError, match='lgd_mm.BackboneTeacher, knows no text'):
        cached.encode_text(['a cat'])


def test_embeddings_of_another_teacher_are_refused(config, folder, tmp_path):
    other = tmp_path / 'other'
    other.mkdir()
    about = json.loads((folder / 'cache.json').read_text())
    write_about(other / 'cache.json', {**about, 'fingerprint': 'another'})
    images = {'train_dataloader.dataset.type': 'lgd_mm.CachedImages', 'train_dataloader.dataset.cache': str(folder)}
    with pytest.raises(UserError, match='but model.teacher is lgd_mm.OpenCLIPTeacher: set model.teacher='):
        train(str(config), work_dir=str(tmp_path / 'run'), cfg_options=images)
    teacher = dict(_delete_=True, type='lgd_mm.CachedTeacher', cache=str(other))
    with pytest.raises(UserError, match='other and train_dataloader.dataset.cache .*cache are of different teachers'):
        train(str(config), work_dir=str(tmp_path / 'run'), cfg_options={**images, 'model.teacher': teacher})
    assert not (tmp_path / 'run').exists()


def test_trains_without_the_teacher(config, folder, tmp_path):
    """Through the tools, as a user does: plan, fill (there already), train; the losses are the live run's."""
    plan = run_tool('tools/cache_teacher.py', config, '--views', VIEWS, '--out', folder, '--plan')
    size = PICTURES * VIEWS * (2 * 32 + 12 * 4 + 8) / 1e9
    assert plan.returncode == 0 and f'10 images x 3 views: {size:.2f} GB' in plan.stdout, plan.stderr

    cached = tmp_path / 'cached.py'
    cached.write_text(
        f'_base_ = {str(config)!r}\n'
        f"model = dict(teacher=dict(_delete_=True, type='lgd_mm.CachedTeacher', cache={str(folder)!r}))\n"
        f"train_dataloader = dict(dataset=dict(type='lgd_mm.CachedImages', cache={str(folder)!r}))\n")
    # One file for all images of a view: the tool has parts of its own size.
    done = run_tool('tools/cache_teacher.py', config, '--views', VIEWS, '--out', tmp_path / 'whole')
    assert done.returncode == 0 and 'is complete' in done.stdout, done.stderr
    text = cached.read_text().replace(str(folder), str(tmp_path / 'whole'))
    cached.write_text(text)
    losses = {}
    for name, path in (('live', config), ('cached', cached)):
        # Blocks that begin as identities: in others, the rounding to float16 grows fortyfold with each step.
        done = run_tool('tools/train.py', path, '--work-dir', tmp_path / name, '--cfg-options',
                        f'train_dataloader.sampler.views={VIEWS}', 'model.backbone.zero_init_residual=True')
        assert done.returncode == 0, done.stderr[-2000:]
        log = next((tmp_path / name).glob('*/vis_data/scalars.json')).read_text().splitlines()
        losses[name] = [json.loads(line)['loss'] for line in log]
    assert len(losses['live']) == 6
    np.testing.assert_allclose(losses['cached'], losses['live'], atol=2e-3)


def test_a_cached_teacher_has_no_image_tower(folder):
    teacher = CachedTeacher(str(folder))
    assert not list(teacher.parameters()) and teacher.embed_dim == 32
    assert teacher.encode_text(['a cat', 'a dog']).shape == (2, 32)
    with pytest.raises(UserError, match='has no image tower'):
        teacher.encode_image(torch.zeros(1, 3, 8, 8))


def test_the_student_begins_the_same_whether_the_names_were_known(config, folder, tmp_path, monkeypatch):
    """Names that are new take the text tower, whose weights are drawn before they are loaded."""
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'names'))
    cfg = Config.fromfile(config).model
    cfg.teacher = dict(type='lgd_mm.CachedTeacher', cache=str(folder))
    states = []
    for _ in range(2):
        torch.manual_seed(0)
        states.append(MODELS.build(cfg).state_dict())
    for key, value in states[0].items():
        assert torch.equal(value, states[1][key]), key


@pytest.mark.parametrize(('sizes', 'sentence'), [
    (dict(views=2**31 - 1), 'views of 10 images are more than 1,000,000 files'),
    (dict(pictures=2**31 - 1), 'views of 2147483647 images are more than'),
    (dict(embed_dim=2**31 - 1), 'embed_dim is 2147483647, and 65536 is the most'),
    (dict(views=True), 'views is True'), (dict(views=0), 'views is 0'), (dict(views=-1), 'views is -1'),
    (dict(views=3.0), 'views is 3.0'), (dict(pictures='10'), "pictures is '10'"), (dict(embed_dim=None), 'is None')])
def test_numbers_that_no_cache_has(tmp_path, sizes, sentence):
    about = dict(embed_dim=2, pictures=10, views=1)
    (tmp_path / 'cache.json').write_text(json.dumps({**about, **sizes}))
    with pytest.raises(UserError, match=f'cache.json cannot be read .*{sentence}.* is no teacher cache'):
        TeacherCache(tmp_path)


def test_a_cache_of_another_making(folder, config, tmp_path):
    about = json.loads((folder / 'cache.json').read_text())
    for key, sentence in (('data', 'of 10 other images'), ('pipeline', 'of other views'), ('seed', 'of other views')):
        write_about(folder / 'cache.json', {**about, key: None})
        with pytest.raises(UserError, match=sentence):
            dataset(config, cache=str(folder))
    (folder / 'cache.json').write_text(json.dumps(about))
    spoilt = folder / 'view0001' / '00000.npy'
    for content in (np.zeros(4000), np.zeros((2**20, 0)), b'\x93NUMPY\x01\x00v\x00' + b'(' * 5000, bytes(9999)):
        if isinstance(content, bytes):
            spoilt.write_bytes(content)
        else:
            np.save(spoilt, content)
        with pytest.raises(UserError, match='view0001/00000.npy is no file of this teacher cache'):
            TeacherCache(folder).entry(1, 0)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_embeddings_that_are_no_numbers_are_not_kept(config, tmp_path, monkeypatch, value):
    """As those of a tower whose weights are lost."""
    embed, seen = CacheFiller._embed, []

    def lose(self, batch):
        seen.append(batch)
        found = embed(self, batch)
        found[-1, -1] = value if len(seen) == 2 else 0
        return found

    monkeypatch.setattr(CacheFiller, '_embed', lose)
    filler = CacheFiller(str(config), str(tmp_path / 'cache'), VIEWS)
    with pytest.raises(UserError, match=r'model.teacher gives .*\.(png|jpg) an embedding that is NaN or beyond'):
        filler.fill()
    cache = TeacherCache(tmp_path / 'cache')
    assert [part[:2] for part in cache.missing()] == [part[:2] for part in cache.parts()][1:]


def test_a_copy_that_left_zeros_is_made_anew(config, folder):
    cache = TeacherCache(folder)
    for view, damage in enumerate((lambda whole: bytes(len(whole)), lambda whole: whole[:200] + bytes(len(whole) - 200),
                                   lambda whole: whole[:-1])):
        file = cache.file(view, 0)
        before = file.read_bytes()
        file.write_bytes(damage(before))
        assert [part[:2] for part in cache.missing()] == [(view, 0)]
        CacheFiller(str(config), str(folder), VIEWS).fill()
        assert file.read_bytes() == before and not cache.missing()


def test_a_cache_writes_into_no_other_folder(config, folder, tmp_path):
    (tmp_path / 'elsewhere').mkdir()
    (folder / 'view0000').rename(folder / '.view0000')
    (folder / 'view0000').symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(UserError, match='view0000 is a link, and a cache writes into no other folder: remove it'):
        CacheFiller(str(config), str(folder), VIEWS).fill()
    assert not list((tmp_path / 'elsewhere').iterdir())


def test_a_folder_of_other_files_becomes_no_cache(config, tmp_path):
    """Such as that of the images."""
    before = sorted((tmp_path / 'pictures').rglob('*'))
    with pytest.raises(UserError, match=r'pictures holds .* but no cache\.json, so it is no teacher cache'):
        CacheFiller(str(config), str(tmp_path / 'pictures'), VIEWS).fill()
    assert sorted((tmp_path / 'pictures').rglob('*')) == before
