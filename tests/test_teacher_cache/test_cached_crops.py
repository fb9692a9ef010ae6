"""What a cache knows of parts of its views."""

import json
import shutil

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from torch.utils.data import DataLoader

from lgd_mm.datasets import ViewSampler
from lgd_mm.datasets.views import View
from lgd_mm.engine.checks.cached_crops import check_cached_crops
from lgd_mm.engine.fill_teacher_cache import CacheFiller
from lgd_mm.errors import UserError
from lgd_mm.teacher_cache import CachedImages, store
from lgd_mm.teacher_cache.store import TeacherCache, write_about
from tests.tiny import write_images, write_lgd_config

IMAGES, VIEWS, CROPS, SIZE = 6, 3, 5, 32
PIPELINE = [dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=SIZE), dict(type='lgd_mm.PackView')]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(store, 'PART', 4)


@pytest.fixture(scope='module')
def filled(tmp_path_factory):
    """A config and its cache; the fourth image cannot be read, and the fifth stands for it."""
    root = tmp_path_factory.mktemp('crops')
    paths = write_images(root / 'pictures', IMAGES, size=96)
    sorted(paths)[3].write_text('not an image')
    config = write_lgd_config(root, root / 'pictures', train_dataloader=dict(dataset=dict(pipeline=PIPELINE)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, 'PART', 4)
        CacheFiller(str(config), str(root / 'cache'), VIEWS, crops=CROPS).fill()
    return config, root / 'cache'


@pytest.fixture
def config(filled):
    return filled[0]


@pytest.fixture
def folder(filled, tmp_path):
    """A copy to damage."""
    return shutil.copytree(filled[1], tmp_path / 'cache')


def dataset(config, folder, crops, **changes):
    cfg = Config.fromfile(config).train_dataloader.dataset.to_dict()
    cfg.pop('type')
    return CachedImages(**{**cfg, **changes}, cache=str(folder), crops=crops)


def items(data, numbers=range(VIEWS)):
    return {(image, number): data[image, 0, number] for image in range(IMAGES) for number in numbers}


def expected(cache, image, number):
    """Boxes in pixels of the view, and embeddings, of all that fit, by rectangles."""
    entry, found = cache.entry(number, image), []
    view = View.of(entry['view'])
    for cut in range(VIEWS + CROPS):
        other = TeacherCache(cache.folder).entry(cut, image)
        crop = View.of(other['view'])
        low = max(view.left, crop.left), max(view.top, crop.top)
        high = min(view.left + view.width, crop.left + crop.width), min(view.top + view.height, crop.top + crop.height)
        area = max(0, high[0] - low[0]) * max(0, high[1] - low[1])
        if area < .8 * crop.width * crop.height or area > .6 * view.width * view.height:
            continue
        left, right = ((side - view.left) / view.width for side in (low[0], high[0]))
        if view.flip:
            left, right = 1 - right, 1 - left
        top, bottom = ((side - view.top) / view.height for side in (low[1], high[1]))
        found.append((np.float32([left, top, right, bottom]) * SIZE, other['embedding']))
    return found


def test_views_bring_what_lies_inside_them(config, folder):
    cache, total = TeacherCache(folder), 0
    plain = items(dataset(config, folder, 0))
    for (image, number), item in items(dataset(config, folder, VIEWS + CROPS)).items():
        for key in ('inputs', 'view', 'teacher'):
            assert torch.equal(item[key], plain[image, number][key]), 'the view stays what it is'
        assert 'crops' not in plain[image, number]
        boxes, embeddings, valid = item['crops']
        wanted = expected(cache, image, number)
        assert valid.tolist() == [place < len(wanted) for place in range(VIEWS + CROPS)]
        for box, embedding, (their_box, theirs) in zip(boxes, embeddings, wanted):
            np.testing.assert_allclose(box, their_box, atol=1e-4)
            assert np.array_equal(embedding.numpy(), theirs)
        assert not boxes[~valid].any() and not embeddings[~valid].any()
        total += len(wanted)
    assert total > 20, 'or the test says nothing'


def test_a_choice_that_can_be_made_again(config, folder):
    """Of more than there is place for; in any order, by workers, after a pickle, and again after the last view."""
    every, few = (items(dataset(config, folder, crops)) for crops in (VIEWS + CROPS, 1))
    data = dataset(config, folder, 1)
    chosen = {}
    for key in reversed(few):
        crop, again = few[key]['crops'], data[key[0], 7, key[1]]['crops']
        assert all(torch.equal(*pair) for pair in zip(crop, again)), 'the seed of the key is not the cache\'s'
        valid = every[key]['crops'].valid
        assert bool(crop.valid) == bool(valid.any())
        boxes = every[key]['crops'].boxes[valid].tolist()
        assert not valid.any() or crop.boxes[0].tolist() in boxes
        if valid.sum() > 1:
            chosen[key] = boxes.index(crop.boxes[0].tolist())
    assert len(set(chosen.values())) > 1, 'not always the first'
    rounds = items(data, range(VIEWS, 9 * VIEWS))
    later = [(few[image, number], rounds[image, number + turn * VIEWS])
             for image, number in chosen for turn in range(1, 9)]
    assert any(not torch.equal(first['crops'].boxes, other['crops'].boxes) for first, other in later)

    sampler = ViewSampler(data, seed=0)
    loader = DataLoader(data, 3, sampler=sampler, num_workers=2, collate_fn=default_collate,
                        multiprocessing_context='fork')
    batches = [batch['crops'] for batch in loader]
    for image, boxes in zip((key.picture for key in sampler), torch.cat([crops.boxes for crops in batches])):
        assert torch.equal(boxes, few[image, 0]['crops'].boxes)


@pytest.mark.parametrize(('views', 'found', 'crops', 'rounds'), [
    (50, 5, 4, 5), (50, 5, 4, 2), (3, 3, 1, 3), (4, 8, 6, 2), (50, 7, 3, 3)])
def test_every_crop_comes_in_the_rounds_of_a_view(config, folder, monkeypatch, views, found, crops, rounds):
    """Also where the number of views is a multiple of that of the crops that fit."""
    data = dataset(config, folder, crops)
    monkeypatch.setattr(data.cache, 'views', views)
    monkeypatch.setattr(data.cache, 'embedding', lambda cut, image: 0)
    monkeypatch.setattr('lgd_mm.teacher_cache.images.crops_inside',
                        lambda view, cuts: [(cut, (cut, 0, cut + 1, 1)) for cut in range(found)])
    for number in range(VIEWS):
        taken = [data[0, 0, number + views * turn]['crops'].boxes for turn in range(rounds)]
        assert all(len(set(boxes[:, 0].tolist())) == crops for boxes in taken), 'none twice'
        assert len(set(torch.cat(taken)[:, 0].tolist())) == found, 'all of them'


def test_an_image_that_stands_for_another(config, folder, monkeypatch):
    """Crops are of the image that the view is of, whatever was readable when."""
    data = dataset(config, folder, VIEWS + CROPS)
    cache = TeacherCache(folder)
    assert set(cache.boxes(3)['picture']) == {4}, 'the fourth image was not readable'
    before = data.view(3, 0, 0)['crops'].valid.sum()
    assert before > 0
    boxes = cache.boxes(3).copy()
    boxes['picture'][1:] = 3  # it was, later
    monkeypatch.setattr(data.cache, 'boxes', lambda image: boxes)
    assert not data.view(3, 0, 0)['crops'].valid.any()


def test_crops_are_plain_and_do_not_depend_on_how_many_there_are(config, folder, tmp_path):
    cache = TeacherCache(folder)
    other = tmp_path / 'other'
    CacheFiller(str(config), str(other), 1, crops=2).fill()
    for crop in range(2):
        for part in range(2):
            assert TeacherCache(other).file(1 + crop, part).read_bytes() == cache.file(VIEWS + crop, part).read_bytes()
    shares = []
    for crop in range(CROPS):
        for image in range(IMAGES):
            entry = cache.entry(VIEWS + crop, image)
            view = View.of(entry['view'])
            assert view[4:9] == (0, 1, 1, 1, 0) and view.grey == view.sigma == 0, 'not mirrored, no colours'
            shares.append(view.height * view.width / 96**2)
    assert 0.018 < min(shares) < max(shares) < 0.21
    assert len(set(shares)) > 20


def test_what_the_teacher_says_of_a_crop(config, folder):
    filler = CacheFiller(str(config), str(folder), VIEWS)
    entry = TeacherCache(folder).entry(VIEWS + 1, 2)
    batch = default_collate([filler.images.pipeline(
        {**filler.images.get_data_info(2), 'view': View.of(entry['view'])})])
    np.testing.assert_allclose(entry['embedding'], filler._embed(batch)[0], atol=2e-3, rtol=2e-3)


def test_a_cache_of_today(config, folder, tmp_path):
    """Without crops and boxes it serves as before; the same command adds what is missing, and crops to its views."""
    old = tmp_path / 'old'
    CacheFiller(str(config), str(old), VIEWS).fill()
    assert 'crops' not in json.loads((old / 'cache.json').read_text())
    shutil.rmtree(old / 'boxes')
    assert len(items(dataset(config, old, 0))) == IMAGES * VIEWS
    with pytest.raises(UserError, match=r'lacks .*boxes/00000.npy.*call tools/cache_teacher.py again, it adds'):
        dataset(config, old, 2)
    stamp = (old / 'view0000/00000.npy').stat().st_mtime_ns
    CacheFiller(str(config), str(old), VIEWS).fill()
    dataset(config, old, 2)
    CacheFiller(str(config), str(old), VIEWS, crops=CROPS).fill()
    assert (old / 'view0000/00000.npy').stat().st_mtime_ns == stamp
    files = [file.relative_to(folder) for file in sorted(folder.rglob('*')) if file.is_file()]
    assert len(files) == 1 + 2 * (VIEWS + CROPS + 1)
    for file in files:
        one, other = ((root / file).read_bytes() for root in (old, folder))
        assert (json.loads(one) == json.loads(other)) if file.suffix == '.json' else one == other, file
    CacheFiller(str(config), str(old), VIEWS).fill()  # without --crops it goes on as it was begun
    with pytest.raises(UserError, match='is a cache of another crops: give another --out'):
        CacheFiller(str(config), str(old), VIEWS, crops=CROPS - 1).fill()
    with pytest.raises(UserError, match='is a cache of another crops'):
        CacheFiller(str(config), str(old), VIEWS, crops=CROPS, crop_scale=(0.1, 0.2)).fill()


@pytest.mark.parametrize('name', ['crops0001/00001.npy', 'boxes/00000.npy'])
def test_a_damaged_file_is_refused_and_made_anew(config, folder, name):
    file = folder / name
    whole = file.read_bytes()
    for damaged in (b'', bytes(len(whole)), whole[:-1], whole[:150] + bytes(len(whole) - 150), whole + b'0'):
        file.write_bytes(damaged)
        with pytest.raises(UserError, match='lacks .*call tools/cache_teacher.py again'):
            dataset(config, folder, 2)
    cache = TeacherCache(folder)
    with pytest.raises(UserError, match=f'{name} is no file of this teacher cache: remove it'):
        cache.embedding(VIEWS + 1, 5) if 'crops' in name else cache.boxes(0)
    CacheFiller(str(config), str(folder), VIEWS, crops=CROPS).fill()
    assert file.read_bytes() == whole


def test_boxes_wait_for_every_share(config, tmp_path):
    """Whoever ends last writes them."""
    for share in ((0, 2), (1, 2)):
        CacheFiller(str(config), str(tmp_path / 'c'), 2, share, crops=1).fill()
        assert (len(TeacherCache(tmp_path / 'c').missing_boxes()) == 0) == (share == (1, 2))


def test_few_files_stay_open(folder, monkeypatch):
    monkeypatch.setattr(store, 'OPEN', 2)
    cache = TeacherCache(folder)
    wanted = [(cut, image) for image in range(IMAGES) for cut in range(VIEWS + CROPS)] * 2
    for cut, image in wanted:
        assert np.array_equal(cache.embedding(cut, image), TeacherCache(folder).entry(cut, image)['embedding'])
        assert len(cache._open) <= 2
    cache.embedding(0, 0), cache.embedding(1, 0), cache.embedding(0, 0), cache.embedding(2, 0)
    assert list(cache._open) == [(0, 0), (2, 0)], 'the one used longest ago goes'


def test_other_pixels_have_no_common_boxes(config, folder):
    """A step before the views may mirror the image of one and not of the other."""
    mirrored = [PIPELINE[0], dict(type='mmpretrain.RandomFlip', prob=0.5), *PIPELINE[1:]]
    sentence = 'pipeline is LoadImage, RandomFlip, RandomView, PackView: crops need views of the image as it was loaded'
    with pytest.raises(UserError, match=sentence):
        CacheFiller(str(config), str(folder), VIEWS, crops=1,
                    cfg_options={'train_dataloader.dataset.pipeline': mirrored})
    about = json.loads((folder / 'cache.json').read_text())
    write_about(folder / 'cache.json', {**about, 'pipeline': mirrored})
    with pytest.raises(UserError, match=sentence):
        dataset(config, folder, 1, pipeline=mirrored)
    dataset(config, folder, 0, pipeline=mirrored)


@pytest.mark.parametrize('crops', [-1, True, 2.0, '4', None])
def test_numbers_of_crops_that_are_none(config, folder, crops):
    with pytest.raises(UserError, match=f'dataset.crops is {crops!r}: it must be a whole number of at least 0'):
        dataset(config, folder, crops)


@pytest.mark.parametrize('crops', [[], {}, 3, 'many', dict(number=3), dict(number=0, scale=[.1, .2]),
                                   dict(number=True, scale=[.1, .2]), dict(number=2, scale=[.2, .1]),
                                   dict(number=2, scale=[0, .1]), dict(number=2, scale=['a', 'b']),
                                   dict(number=2, scale=[.1]), dict(number=2**31 - 1, scale=[.1, .2])])
def test_crops_that_no_cache_has(folder, crops):
    about = json.loads((folder / 'cache.json').read_text())
    (folder / 'cache.json').write_text(json.dumps({**about, 'crops': crops}))
    with pytest.raises(UserError, match=r'cache.json cannot be read .* is no teacher cache'):
        TeacherCache(folder)


def test_a_model_that_needs_crops_gets_some(config, folder):
    """Before a training starts."""
    def check(crops, **model):
        check_cached_crops(Config(dict(
            model=dict(teacher=dict(type='lgd_mm.CachedTeacher', cache=str(folder)), **model),
            train_dataloader=dict(dataset=dict(type='lgd_mm.CachedImages', cache=str(folder), crops=crops)))))

    dense = dict(dense=dict(type='lgd_mm.DenseGuidance'))
    check(2, **dense)
    check(0)
    for model in (dense, dict(students=dict(a=dict(), b=dense))):
        with pytest.raises(UserError, match='holds none: set train_dataloader.dataset.crops=4 to learn'):
            check(0, **model)
    for part in range(2):
        file = TeacherCache(folder).boxes_file(part)
        boxes = np.load(file)
        boxes['crop'] = (0, 0, 96, 96)
        boxes['check'] = [store.row_checksum(row.tobytes()) for row in boxes]
        np.save(file, boxes)
    with pytest.raises(UserError, match='no maps, and of its first 6 images 0 have a crop inside.*--crops 8'):
        check(2, **dense)
