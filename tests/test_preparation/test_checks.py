"""Faults of a data set, each one sentence that names the file."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lgd_mm.preparation import checks
from lgd_mm.preparation.catalogue import SPECS
from lgd_mm.preparation.checks import check_part
from lgd_mm.preparation.spec import Annotations, Pictures
from lgd_mm.preparation.tree import Tree
from tests.test_preparation import trees


def faults(spec, root):
    tree = Tree(root)
    return [fault for part in spec.parts for fault in check_part(part, tree)]


@pytest.fixture
def ade(tmp_path):
    """A whole ADE20K, its spec and its folder."""
    return trees.ade_tree(tmp_path), tmp_path


def test_whole_trees(tmp_path, ade):
    """Nothing is said of them."""
    assert faults(*ade) == []
    assert faults(trees.coco_tree(tmp_path / 'coco'), tmp_path / 'coco') == []


@pytest.mark.parametrize(('name', 'content', 'told'), [
    ('annotations/training/ADE_train_00000001.png', trees.mask([0, 151]),
     ['annotations/training/ADE_train_00000001.png holds the label 151, and labels are 0 to 150: unpack it again']),
    ('annotations/training/ADE_train_00000001.png', trees.mask([1], size=(8, 8)),
     ['annotations/training/ADE_train_00000001.png is 8 x 8 and its image 12 x 8: unpack both again']),
    ('annotations/training/ADE_train_00000001.png', trees.picture(),
     ['annotations/training/ADE_train_00000001.png has 3 channels instead of one: save it as a grey or palette PNG']),
    ('annotations/training/ADE_train_00000003.png', trees.mask([1]),
     ['annotations/training holds 3 masks *.png instead of 2',
      'annotations/training has 1 masks without an image in images/training (ADE_train_00000003.png)']),
    ('images/training/ADE_train_00000002.jpg', trees.picture()[:300],
     ['images/training/ADE_train_00000002.jpg cannot be decoded (OSError: ']),
    ('images/training/more/7.jpg', trees.picture(),
     ['images/training has 1 images that do not lie in the folder itself as .jpg: move or remove them (more/7.jpg)']),
], ids=['label', 'size', 'channels', 'alone', 'cut off', 'nested'])
def test_masks_and_images(ade, name, content, told):
    """In the middle of a whole tree."""
    spec, root = ade
    trees.write_tree(root, {name: content})
    found = faults(spec, root)
    assert len(found) == len(told) and all(map(str.startswith, found, told))


def test_a_mask_is_missing(ade):
    """Counted, and the image's mask is named."""
    spec, root = ade
    (root / 'annotations/training/ADE_train_00000002.png').unlink()
    assert faults(spec, root) == [
        'annotations/training holds 1 masks *.png instead of 2',
        'annotations/training lacks the masks of 1 images of images/training: unpack them again '
        '(ADE_train_00000002.png)']
    (root / 'annotations/validation/ADE_val_00000001.png').unlink()
    assert 'annotations/validation holds no masks *.png' in faults(spec, root)


def test_palette_masks_are_read_as_labels(ade):
    """Their colours are for the eye."""
    spec, root = ade
    image = Image.fromarray(np.resize(np.uint8([7, 150]), (8, 12))[:8, :12], 'P')
    image.putpalette([value for index in range(256) for value in (255 - index, 0, index)])
    image.save(root / 'annotations/training/ADE_train_00000001.png')
    assert faults(spec, root) == []


@pytest.mark.parametrize(('change', 'told'), [
    (lambda content: content['images'][1].update(file_name='gone.jpg'),
     'names 1 images that are not there: unpack or copy them (train2017/gone.jpg)'),
    (lambda content: content['categories'][1].update(name='dgo'),
     "has 2 categories that are not the 2 the configs expect (lacks 'dog'; has 'dgo'): take the published file"),
    (lambda content: content['categories'].reverse() or [
        category.update(id=index) for index, category in enumerate(content['categories'], 1)],
     'has 2 categories that are not the 2 the configs expect (they are in another order): take the published file'),
    (lambda content: content['annotations'][0].update(category_id=9),
     'has 1 annotations whose category_id is unknown (the first has the id 0 and the category_id 9)'),
    (lambda content: content['annotations'][2].update(image_id=77),
     'has 1 annotations whose image_id is unknown (the first has the id 2 and the image_id 77)'),
    (lambda content: content['annotations'][1].pop('bbox'), "has no valid 'bbox' in annotations[1]: unpack it again"),
    (lambda content: content.pop('categories'), "has no list 'categories': it is not in COCO's format"),
], ids=['picture', 'name', 'order', 'category_id', 'image_id', 'bbox', 'categories'])
def test_annotations(tmp_path, change, told):
    """Each kind of fault is told once, with the first case."""
    spec = trees.coco_tree(tmp_path)
    file = tmp_path / 'annotations/instances_train2017.json'
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    assert faults(spec, tmp_path) == [f'annotations/instances_train2017.json {told}']


@pytest.mark.parametrize('content', ['{"images": [', '[1, 2]', '"\\ud800'])
def test_annotations_that_are_none(tmp_path, content):
    """No JSON, or not an object."""
    spec = trees.coco_tree(tmp_path)
    (tmp_path / 'annotations/instances_val2017.json').write_text(content)
    assert all(fault.startswith('annotations/instances_val2017.json ') for fault in faults(spec, tmp_path))
    assert faults(spec, tmp_path)


@pytest.mark.parametrize(('name', 'fault'), [
    ('/', 'leads outside'), ('/usr/x', 'leads outside'), ('/proc/x.jpg', 'leads outside'),
    ('../x.jpg', 'leads outside'),
    ('a/../../x.jpg', 'leads outside'), ('file://x.jpg', 'leads outside'), ('a\0.jpg', 'leads outside'),
    ('', 'is that of a folder'), ('.', 'is that of a folder'), ('x' * 300, 'is longer'), ('y/' * 3000, 'is longer'),
    ('a/.\0', 'leads outside')], ids=lambda text: text[:20].replace('\0', '0'))
@pytest.mark.parametrize('key', ['file_name', 'coco_url'])
def test_nothing_is_listed_outside_the_data_set(tmp_path, monkeypatch, key, name, fault):
    """However an annotation file names an image."""
    spec = trees.coco_tree(tmp_path)
    content = json.loads((tmp_path / 'annotations/instances_train2017.json').read_text())
    for image in content['images']:
        image[key] = name
    (tmp_path / 'annotations/instances_train2017.json').write_text(json.dumps(content))
    listed = []
    monkeypatch.setattr(Tree, 'files', lambda self, folder: listed.append(folder) or [])
    part = next(part for part in spec.parts if part.path == 'annotations/instances_train2017.json')
    told = list(check_part(part if key == 'file_name' else replace(part, folder=''), Tree(tmp_path)))
    assert len(told) == 1 and len(told[0]) < 600
    if key == 'file_name':
        assert f', which {fault}' in told[0] and not listed
    assert not any('..' in folder or folder.startswith('/') for folder in listed)


@pytest.mark.parametrize('kind', ['pipe', 'hollow'])
def test_annotations_that_are_read_without_end(tmp_path, kind):
    """Nobody writes into the one, and the other is of no memory's size."""
    spec = trees.coco_tree(tmp_path)
    path = tmp_path / 'annotations/instances_val2017.json'
    path.unlink()
    if kind == 'pipe':
        os.mkfifo(path)
    else:
        with path.open('wb') as file:
            file.truncate(20 * 2**30)
    part = next(part for part in spec.parts if part.path == 'annotations/instances_val2017.json')
    [told] = check_part(part, Tree(tmp_path))
    assert told.startswith('annotations/instances_val2017.json cannot be read (it ')


def test_classes(tmp_path):
    """Missing, unknown and empty folders; images outside them."""
    part = Pictures('train', None, ('.jpeg', ), nested=True, class_pattern=r'n\d{8}', classes=lambda: trees.WNIDS)
    for folder in (trees.WNIDS[0], 'cats'):
        trees.write_tree(tmp_path, {f'train/{folder}/a.JPEG': trees.picture()})
    (tmp_path / 'train' / trees.WNIDS[1]).mkdir()
    assert list(check_part(part, Tree(tmp_path))) == [
        f'train lacks 1 folders of classes: copy or unpack them ({trees.WNIDS[2]})',
        'train has 1 folders that are no class, and would shift the labels: move them elsewhere (cats)',
        f'train has 1 folders without an image: fill or remove them ({trees.WNIDS[1]})']


def test_only_a_sample_is_decoded(tmp_path, monkeypatch):
    """The same files every time, and as many as set."""
    trees.write_tree(tmp_path, {f'p/{index}.jpg': b'' for index in range(30)})
    monkeypatch.setattr(checks, 'SAMPLE', 10)
    part = Pictures('p')
    told = list(check_part(part, Tree(tmp_path)))
    assert len(told) == 10 and told == list(check_part(part, Tree(tmp_path)))
    assert 'cannot be decoded (UnidentifiedImageError: ' in told[0]


def test_hidden_files_do_not_count(tmp_path):
    """Such as those other systems leave, and the unfinished ones of unpacking."""
    spec = trees.coco_tree(tmp_path)
    trees.write_tree(tmp_path, {'train2017/.DS_Store': b'', 'train2017/._000000000009.jpg': b'', '.old/x.jpg': b''})
    assert faults(spec, tmp_path) == []


def test_names_of_the_published_sets():
    """What the configs' data sets declare, and ImageNet's folders in their order."""
    parts = {name: SPECS[name].parts for name in SPECS}
    wnids = parts['imagenet'][0].classes()
    assert len(wnids) == 1000 and wnids == sorted(wnids) and wnids[0] == 'n01440764'
    for name, count, first in (('coco', 80, 'person'), ('lvis', 1203, 'aerosol_can')):
        categories = next(part for part in parts[name] if isinstance(part, Annotations)).categories()
        assert len(categories) == count and categories[0] == first


@pytest.mark.real_data
@pytest.mark.parametrize(('name', 'folder', 'count'), [
    ('coco', 'coco', 80), ('ade20k', 'ade/ADEChallengeData2016', 3), ('imagenet', 'imagenet', 1000)])
def test_real_samples(data_dir, name, folder, count):
    """Nothing but the numbers differs from the published sets: names, categories, labels and files are right."""
    parts = [replace(part, count=count) for part in SPECS[name].parts if part.path != 'val']
    assert faults(replace(SPECS[name], parts=parts), data_dir / folder) == []
