"""What is found in small sets made by hand: every number is counted here anew."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import lgd_mm
from lgd_mm.cli import cli
from lgd_mm.errors import UserError
from lgd_mm.inspection import image_problems, inspect_folder
from lgd_mm.inspection.facts import Inspection, Problem
from lgd_mm.inspection.facts_in_words import lines_of

HOSTILE = '<script>alert(1)<\u2215script>'


def picture(path: Path, seed: int, size: tuple[int, int] = (64, 48), **options: object) -> Path:
    """An image of noise: no two are the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def found(folder: Path, what: str) -> Problem:
    """The one problem of a kind."""
    inspection = lgd_mm.inspect(folder)
    [problem] = [problem for problem in inspection.problems if what in problem.what]
    return problem


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Three images to train with, two to measure by; a class without objects in val, and a tiny object."""
    root = tmp_path / 'set'
    boxes = dict(train=[(1, 0, 0, 20, 10), (1, 5, 5, 30, 30), (2, 1, 1, 4, 4), (2, 10, 10, 20, 20)],
                 val=[(1, 0, 0, 16, 16)])
    categories = [dict(id=1, name='cat'), dict(id=2, name=HOSTILE)]
    (root / 'annotations').mkdir(parents=True)
    for seed, (part, count) in enumerate(dict(train=3, val=2).items()):
        images = []
        for index in range(count):
            path = picture(root / part / f'{index}.png', 10 * seed + index)
            images.append(dict(id=index, file_name=path.name, width=64, height=48))
        objects = [dict(id=1 + number, image_id=0, category_id=label, bbox=[x, y, w, h], area=w * h, iscrowd=0,
                        segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]])
                   for number, (label, x, y, w, h) in enumerate(boxes[part])]
        (root / 'annotations' / f'{part}.json').write_text(json.dumps(dict(
            images=images, annotations=objects, categories=categories)))
    return root


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Class folders with every fault that files have."""
    root = tmp_path / 'photos'
    for number in range(12):
        picture(root / 'train' / 'cat' / f'{number}.png', number)
        picture(root / 'train' / "dog's \"<b>\"" / f'{number}.png', 100 + number)
    picture(root / 'val' / 'cat' / 'a.png', 200)
    picture(root / 'val' / "dog's \"<b>\"" / 'a.png', 201)
    return root


def test_objects_are_counted_by_class_and_part(coco: Path, tmp_path: Path) -> None:
    inspection = lgd_mm.inspect(coco, tmp_path / 'page.html')
    assert inspection.form == 'coco' and {part: len(images) for part, images in inspection.parts.items()} == dict(
        train=3, val=2)
    assert inspection.classes.of == {'cat': dict(train=2, val=1), HOSTILE: dict(train=2, val=0)}
    assert inspection.classes.sorted() == ['cat', HOSTILE] and inspection.classes.lacking('val') == [HOSTILE]
    told = {problem.what: (problem.count, list(problem.examples)) for problem in inspection.problems}
    assert told['classes have no objects in val'] == (1, [HOSTILE])
    assert told['classes have fewer than 10 objects in train'] == (2, ['cat (2)', f'{HOSTILE} (2)'])
    assert told['objects are below 8 x 8 pixels'] == (1, ['train/0.png'])
    assert told['images have no object and are kept'][0] == 3
    page = (tmp_path / 'page.html').read_text()
    assert page.count('<img src="data:image/webp;base64,') == 2  # those with objects are drawn
    assert '<script' not in page and '&lt;script&gt;alert(1)' in page


def test_faults_of_files_are_found(folders: Path, tmp_path: Path) -> None:
    cat = folders / 'train' / 'cat'
    shutil.copy(cat / '0.png', folders / 'val' / 'cat' / 'other name.png')
    shutil.copy(cat / '1.png', cat / 'copy.png')
    shutil.copy(cat / '2.png', folders / 'train' / "dog's \"<b>\"" / 'cat.png')
    (cat / 'empty.png').touch()
    whole = picture(cat / 'cut.jpg', 300, (640, 480)).read_bytes()
    (cat / 'cut.jpg').write_bytes(whole[:len(whole) // 2])
    picture(cat / 'thin.png', 301, (5, 90))
    inspection = lgd_mm.inspect(folders, tmp_path / 'page.html')
    told = {problem.what: (problem.count, list(problem.examples)) for problem in inspection.problems}
    assert told['images are in two parts of the set with the same content'] == (
        1, ['train/cat/0.png = val/cat/other name.png'])
    assert told['images have the same content and different classes'] == (
        1, ['train/cat/2.png = train/dog\'s "<b>"/cat.png'])
    assert told['images are there more than once'][0] == 2
    assert told['images cannot be read'] == (1, ['train/cat/empty.png'])
    assert told['images have a side below 32 pixels'] == (1, ['train/cat/thin.png (5 x 90)'])
    [(_, [cut])] = [value for what, value in told.items() if 'the head can be read' in what]
    assert cut.startswith('train/cat/cut.jpg (')
    page = (tmp_path / 'page.html').read_text()
    assert '<b>"' not in page and 'dog&#39;s &#34;&lt;b&gt;&#34;' in page


def test_turned_images_are_told_where_labels_have_a_place(coco: Path, folders: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    for path in (coco / 'train' / '0.png', folders / 'train' / 'cat' / '0.png'):
        picture(path.with_suffix('.jpg'), 7, exif=exif).rename(path)
    assert found(coco, 'turned by their EXIF').examples == ['train/0.png']
    assert not any('EXIF' in problem.what for problem in lgd_mm.inspect(folders).problems)


def test_masks_are_counted_by_the_images_that_have_a_class(tmp_path: Path) -> None:
    root = tmp_path / 'masks'
    labels = dict(train=[[0, 1], [0, 2], [0, 0]], val=[[0, 1]])
    for part, values in labels.items():
        (root / 'masks' / part).mkdir(parents=True)
        for index, (left, right) in enumerate(values):
            picture(root / 'images' / part / f'{index}.png', 7 * index + len(part))
            mask = np.full((48, 64), left, np.uint8)
            mask[:, 32:] = right
            Image.fromarray(mask).save(root / 'masks' / part / f'{index}.png')
    (root / 'classes.txt').write_text('road\ncar\nsky\n')
    inspection = lgd_mm.inspect(root, tmp_path / 'page.html')
    assert inspection.classes.of == {'road': dict(train=3, val=1), 'car': dict(train=1, val=1),
                                     'sky': dict(train=1, val=0)}
    assert inspection.classes.looked_at is None and 'Images with each class.' in (tmp_path / 'page.html').read_text()


def test_images_without_labels(tmp_path: Path) -> None:
    """Nested folders are no classes of their own if there is one alone; one is a copy."""
    for number in range(4):
        picture(tmp_path / 'photos' / 'a' / f'{number}.png', number)
    shutil.copy(tmp_path / 'photos' / 'a' / '0.png', tmp_path / 'photos' / 'b.png')
    inspection = lgd_mm.inspect(tmp_path / 'photos', tmp_path / 'page.html')
    assert (inspection.form, inspection.images, inspection.labelled) == ('images', 5, None)
    assert [str(problem) for problem in inspection.problems] == [
        '1 image is there more than once: they count more than others: remove the copies if that is not meant']
    assert (tmp_path / 'page.html').read_text().count('<img') == 5


def test_labels_that_cannot_be_read_are_a_problem(coco: Path) -> None:
    (coco / 'annotations' / 'val.json').write_text('{"images": [')
    inspection = lgd_mm.inspect(coco)
    assert inspection.labelled is None and inspection.form == 'coco' and inspection.images == 5
    assert 'The labels cannot be read. ' in inspection.problems[0].what and 'val.json' in inspection.problems[0].what


def test_many_images_are_looked_at_at_even_distances(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_folder, 'HEADS', 7)
    monkeypatch.setattr(image_problems, 'DECODED', 3)
    inspection = lgd_mm.inspect(folders)
    assert (inspection.heads, inspection.images, len(inspection.sizes)) == (7, 26, 7)


def test_as_it_is_typed(coco: Path, tmp_path: Path) -> None:
    page = tmp_path / 'page.html'
    for words in ([], ['--json']):  # an earlier page is replaced
        done = CliRunner().invoke(cli, ['inspect', str(coco), '--out', str(page), *words], catch_exceptions=False)
        assert done.exit_code == 0
    facts = json.loads(done.stdout)
    assert facts['classes']['cat'] == dict(train=2, val=1) and facts['images'] == dict(train=3, val=2)
    assert facts['task'] == 'detection' and facts['problems'][0]['count'] == 1
    other = tmp_path / 'other.html'
    other.write_text('<html>mine</html>')
    with pytest.raises(UserError, match='exists and is no page of lgd-mm inspect'):
        lgd_mm.inspect(coco, other)
    assert other.read_text() == '<html>mine</html>'


def test_lines_of_one_and_of_many(coco: Path) -> None:
    lines = list(lines_of(lgd_mm.inspect(coco)))
    assert lines[0].startswith('folder:') and any(re.match(r'images: +3 train, 2 val$', line) for line in lines)
    assert str(Problem('objects lie outside their image and are dropped', 1)) == (
        '1 object lies outside its image and is dropped')
    for many, one in (('images are not there, and their labels are dropped',
                       'image is not there, and its labels are dropped'),
                      ('shapes are of the kind x, which stands for no area, and are dropped',
                       'shape is of the kind x, which stands for no area, and is dropped'),
                      ('images are turned by their EXIF when read, and labels must lie as shown',
                       'image is turned by its EXIF when read, and labels must lie as shown')):
        assert str(Problem(many, 1)) == f'1 {one}' and str(Problem(many, 2)) == f'2 {many}'
    assert str(Problem('classes have no images', 3, (), 'add some')) == '3 classes have no images: add some'
    assert Inspection(Path('a'), None, 'images', {}, {}, lgd_mm.inspect(coco).classes, (), 0).images == 0
