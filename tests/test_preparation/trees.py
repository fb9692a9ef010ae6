"""Tiny data sets in the owners' archives, and their specs with counts to match."""

import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from lgd_mm.preparation.catalogue import SPECS
from lgd_mm.preparation.spec import DatasetSpec

WNIDS = ['n01440764', 'n01443537', 'n01484850']


def picture(size: tuple[int, int] = (12, 8), seed: int = 0) -> bytes:
    """A JPEG of noise, width x height."""
    return _encoded(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8), 'jpeg')


def mask(values: list[int], size: tuple[int, int] = (12, 8)) -> bytes:
    """A grey PNG with these values."""
    return _encoded(np.resize(np.uint8(values), (size[1], size[0])), 'png')


def _encoded(pixels: np.ndarray, form: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    """A zip with these files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tar_bytes(members: dict[str, bytes], form: str = 'w') -> bytes:
    """A tar with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def write_tree(root: Path, members: dict[str, bytes]) -> Path:
    """These files in a folder."""
    for name, content in members.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def spec_for(name: str, folder: Path, counts: dict[str, int], **changes: object) -> DatasetSpec:
    """A spec with other counts, and the sums of the archives in a folder."""
    spec = SPECS[name]
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.glob('*') if path.is_file()}
    parts = [replace(part, **_known(part, {'count': counts[part.path], **changes})) for part in spec.parts]
    archives = [replace(archive, md5=sums.get(archive.name, archive.md5)) for archive in spec.archives]
    return replace(spec, parts=parts, archives=archives)


def _known(part: object, changes: dict) -> dict:
    return {key: value for key, value in changes.items() if hasattr(part, key)}


def coco_json(names: list[str], categories: list[str] = ('cat', 'dog'), **image: object) -> dict:
    """One object on each image."""
    return dict(
        images=[dict(id=index, file_name=name, width=12, height=8,
                     coco_url=f'http://images.cocodataset.org/train2017/{name}', **image)
                for index, name in enumerate(names)],
        annotations=[dict(id=index, image_id=index, category_id=1, bbox=[0, 0, 4, 4], area=16, iscrowd=0)
                     for index in range(len(names))],
        categories=[dict(id=index, name=name) for index, name in enumerate(categories, start=1)])


def coco_members() -> dict[str, dict[str, bytes]]:
    """COCO's three archives: three training images, two for validation."""
    names = {'train2017': [f'{index:012}.jpg' for index in (9, 25, 30)],
             'val2017': [f'{index:012}.jpg' for index in (139, 285)]}
    pictures = {
        f'{split}.zip': {f'{split}/': b'', **{f'{split}/{name}': picture(seed=int(name[:12])) for name in files}}
        for split, files in names.items()
    }
    annotations = {f'annotations/instances_{split}.json': json.dumps(coco_json(files)).encode()
                   for split, files in names.items()}
    return {**pictures, 'annotations_trainval2017.zip': annotations}


def coco_archives(folder: Path) -> DatasetSpec:
    """Writes them, and gives the spec."""
    for name, members in coco_members().items():
        write_zip(folder / name, members)
    return coco_spec(folder)


def coco_spec(folder: Path) -> DatasetSpec:
    """The spec of those archives."""
    counts = {part.path: 3 if 'train' in part.path else 2 for part in SPECS['coco'].parts}
    return spec_for('coco', folder, counts, categories=lambda: ['cat', 'dog'])


def coco_tree(root: Path) -> DatasetSpec:
    """The same, unpacked."""
    for members in coco_members().values():
        write_tree(root, {name: content for name, content in members.items() if content})
    return coco_spec(root)


def ade_tree(root: Path) -> DatasetSpec:
    """Two training and one validation image with masks of 0, 3 and 150."""
    names = {'training': ['ADE_train_00000001', 'ADE_train_00000002'], 'validation': ['ADE_val_00000001']}
    for split, stems in names.items():
        write_tree(root, {f'images/{split}/{stem}.jpg': picture() for stem in stems})
        write_tree(root, {f'annotations/{split}/{stem}.png': mask([0, 3, 150]) for stem in stems})
    return spec_for('ade20k', root, {part.path: len(names[part.path.split('/')[1]]) for part in SPECS['ade20k'].parts})


def cityscapes_archives(folder: Path) -> DatasetSpec:
    """One training and one validation image, with masks of label ids as published: 7 is road, 33 bicycle."""
    stems = {'train': 'aachen/aachen_000000_000019', 'val': 'frankfurt/frankfurt_000000_000294'}
    write_zip(folder / 'leftImg8bit_trainvaltest.zip', {
        'README': b'of the images',
        **{f'leftImg8bit/{split}/{stem}_leftImg8bit.png': mask([9]) for split, stem in stems.items()}})
    write_zip(folder / 'gtFine_trainvaltest.zip', {
        'README': b'of the labels',
        **{f'gtFine/{split}/{stem}_gtFine_labelIds.png': mask([7, 33, 0]) for split, stem in stems.items()},
        **{f'gtFine/{split}/{stem}_gtFine_polygons.json': b'{}' for split, stem in stems.items()}})
    return spec_for('cityscapes', folder, {part.path: 1 for part in SPECS['cityscapes'].parts})


def caltech_archive(folder: Path, each: int = 4) -> DatasetSpec:
    """256 classes, of which three have images, clutter, and a stray file."""
    members = {f'256_ObjectCategories/{name}/{name[:3]}_{index:04}.jpg': picture(seed=index)
               for name in ('001.ak47', '002.american-flag', '257.clutter') for index in range(1, each + 1)}
    members['256_ObjectCategories/198.spider/RENAME2'] = b'#!/bin/sh'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / '256_ObjectCategories.tar').write_bytes(tar_bytes(members))
    return spec_for('caltech256', folder, dict(train=2 * 3, val=2 * (each - 3)), class_count=2)


def imagenet_archives(folder: Path) -> DatasetSpec:
    """Three classes with four training images each, and five for validation of classes 2, 0, 1, 0, 2."""
    folder.mkdir(parents=True, exist_ok=True)
    inner = {f'{wnid}.tar': tar_bytes({f'{wnid}_{index}.JPEG': picture(seed=index) for index in range(4)})
             for wnid in WNIDS}
    (folder / 'ILSVRC2012_img_train.tar').write_bytes(tar_bytes(inner))
    (folder / 'ILSVRC2012_img_val.tar').write_bytes(tar_bytes(
        {f'ILSVRC2012_val_{number:08}.JPEG': picture(seed=number) for number in range(1, 6)}))
    return spec_for('imagenet', folder, dict(train=12, val=5), classes=lambda: WNIDS)


def devkit(path: Path) -> str:
    """ImageNet's development kit for these, which numbers the classes in another order; returns its MD5."""
    number = {WNIDS[0]: 3, WNIDS[1]: 1, WNIDS[2]: 2}
    kind = [('ILSVRC2012_ID', 'O'), ('WNID', 'O'), ('words', 'O'), ('gloss', 'O'), ('num_children', 'O')]
    rows = [(number[wnid], wnid, 'a, b', 'text', 0) for wnid in WNIDS] + [(4, 'n00001740', 'entity', 'text', 2)]
    meta = io.BytesIO()
    savemat(meta, dict(synsets=np.array(rows, dtype=kind)))
    truth = ''.join(f'{number[WNIDS[index]]}\n' for index in (2, 0, 1, 0, 2)).encode()
    data = 'ILSVRC2012_devkit_t12/data'
    path.write_bytes(tar_bytes({f'{data}/meta.mat': meta.getvalue(),
                                f'{data}/ILSVRC2012_validation_ground_truth.txt': truth}, 'w:gz'))
    return hashlib.md5(path.read_bytes()).hexdigest()


def imagenet_meta() -> dict:
    """torchvision's names and sums of ImageNet's archives."""
    from torchvision.datasets import imagenet
    return imagenet.ARCHIVE_META
