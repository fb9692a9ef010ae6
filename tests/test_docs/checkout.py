"""A checkout at a size for tests: small views and short runs in the configs, a few images where data sets lie."""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image

from lgd_mm.api.finetuning import TASKS
from lgd_mm.api.students import STUDENTS
from lgd_mm.datasets.shapes import SHAPES, write_world
from lgd_mm.language import category_names
from tests.format_samples import sample
from tests.own_sets import write_coco_set, write_image, write_masks, write_voc_set
from tests.test_docs.blocks import read_blocks
from tests.tiny import ROOT

TEACHER = f'local-dir:{ROOT}/lgd_mm/datasets/shapes/teacher'
#: Files that are linked instead of copied: of many bytes, and images.
LINKED, IMAGES = 1 << 20, ('.JPEG', '.jpg', '.png')
#: Side of a view.
SIDE = 64
#: Images of each split, and of a batch: for classification and pre-training, and for detection and segmentation.
#: A page asks for batches of 64.
MANY, FEW = (64, 32), (4, 2)


def write_checkout(folder: Path, pages: list[Path]) -> None:
    """Everything the pages take for granted.

    Args:
        folder (Path): New.
        pages (list[Path]): Only configs that they name become small.
    """
    folder.mkdir()
    for name in ('tools', 'lgd_mm', 'benchmarks', 'docs'):
        (folder / name).symlink_to(ROOT / name)
    (folder / '.venv').symlink_to(sys.prefix)
    shutil.copytree(ROOT / 'configs', folder / 'configs', ignore=shutil.ignore_patterns('__pycache__'))
    code = ''.join(block.text for page in pages for block in read_blocks(page))
    ready = [*TASKS.values(), STUDENTS['resnet18']]
    named = {*re.findall(r'configs/[\w./-]+\.py', code), *(f'configs/{name}' for name in ready)}
    for name in sorted(named):
        cfg = Config.fromfile(ROOT / name)
        if 'model' in cfg:  # suites have none
            shrink(cfg)
            # as text that nobody reads: formatting it takes longer than the run
            (folder / name).write_text('\n'.join(f'{key} = {value!r}' for key, value in cfg.to_dict().items()))
    write_data(folder)


def copy_checkout(source: Path, folder: Path) -> Path:
    """A copy for one page. Large files and images are linked: nothing writes into them, and they are many."""
    def copy(one: str, other: str) -> None:
        (os.link if one.endswith(IMAGES) or os.path.getsize(one) > LINKED else shutil.copy2)(one, other)

    return Path(shutil.copytree(source, folder, symlinks=True, copy_function=copy))


def write_data(folder: Path) -> None:
    """The data sets, one's own and the known ones."""
    world = write_world(
        folder / 'world', unlabelled=64, zero_shot=16, labelled=64, detection=(4, 2), segmentation=(4, 2))
    (world / 'pretrain').rename(folder / 'images')
    (folder / 'images/captions.json').unlink(missing_ok=True)
    (folder / 'names.txt').write_text('\n'.join(SHAPES) + '\n')
    for split, name in (('train', 'labelled'), ('val', 'zero_shot')):
        (folder / 'data/folder').mkdir(parents=True, exist_ok=True)
        (world / name).rename(folder / 'data/folder' / split)
    shutil.copytree(folder / 'data/folder', folder / 'data/birds')
    shutil.copytree(folder / 'data/folder/val', folder / 'held_out')
    shutil.rmtree(world)

    picture = write_image(folder / 'one.jpg', 0)
    for name, classes in (('imagenet/{}/n{:08}', 1000), ('caltech256/{}/{:03}.thing', 256)):
        for split in ('train', 'val'):
            for number in range(classes):
                path = folder / 'data' / name.format(split, number)
                path.mkdir(parents=True)
                for file in ('one.JPEG', 'two.JPEG'):  # the sweep of the probe holds one of them out
                    shutil.copyfile(picture, path / file)  # tar would keep but one of several links
    write_coco_set(folder / 'my_set', masks=True)
    write_masks(folder / 'my_set', 'images/{split}', 'masks/{split}')
    write_voc_set(folder / 'VOCdevkit/VOC2012')
    sample('yolo_seg', folder / 'data/cups')
    sample('camvid', folder / 'camvid')
    (folder / 'camvid/class_dict.csv').write_text(
        'name,r,g,b\nbackground,0,0,0\nnut,128,0,0\nbolt,0,128,0\nwasher,128,128,0\nVoid,9,9,9\n')
    _write_coco(folder / 'data/coco')
    _write_ade(folder / 'data/ade/ADEChallengeData2016')


def _write_coco(root: Path) -> None:
    write_coco_set(root, masks=True)
    for split in ('train', 'val'):
        (root / split).rename(root / f'{split}2017')
        file = root / f'annotations/{split}.json'
        content = json.loads(file.read_text())
        names = enumerate(category_names('coco'), 1)
        content['categories'] = [dict(id=10 * number, name=name) for number, name in names]
        file.with_name(f'instances_{split}2017.json').write_text(json.dumps(content))
        file.unlink()


def _write_ade(root: Path) -> None:
    rng = np.random.default_rng(0)
    for split, count in (('training', FEW[0]), ('validation', 2)):
        for index in range(count):
            write_image(root / f'images/{split}/{index:03}.jpg', index)
            mask = rng.integers(0, len(category_names('ade20k')) + 1, (SIDE, SIDE)).astype(np.uint8)
            path = root / f'annotations/{split}/{index:03}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(path)


def shrink(cfg: Config) -> None:
    """The tiny teacher, few small images, a step or two; the student stays what it is."""
    images, batch = MANY if cfg.default_scope == 'mmpretrain' else FEW
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader:
            loader.update(batch_size=batch, num_workers=0, persistent_workers=False)
            _shrink_dataset(loader.dataset, images)
    if cfg.get('train_cfg'):
        by_epoch = 'max_epochs' in cfg.train_cfg
        cfg.train_cfg.update({'max_epochs' if by_epoch else 'max_iters': 1, 'val_interval': 1})
        cfg.param_scheduler = None
        for hook in ('checkpoint', 'logger'):
            if cfg.default_hooks.get(hook):
                cfg.default_hooks[hook].interval = 1
    # A report of each of the runs would take longer than they do; tools/pretrain_report.py writes one on its page.
    cfg.custom_hooks = [hook for hook in cfg.get('custom_hooks') or () if hook.type != 'lgd_mm.ReportHook']
    _shrink_model(cfg)


def _shrink_dataset(dataset: Any, images: int) -> None:
    if 'dataset' in dataset:
        return _shrink_dataset(dataset.dataset, images)
    dataset.indices = images
    for step in dataset.get('pipeline') or ():
        for key in ('size', 'scale', 'crop_size'):
            if isinstance(step.get(key), int):
                step[key] = SIDE
            elif isinstance(step.get(key), (tuple, list)):
                step[key] = (SIDE, SIDE)


def _shrink_model(cfg: Config) -> None:
    model = cfg.model
    if model.get('teacher', {}).get('type') == 'lgd_mm.OpenCLIPTeacher':
        model.teacher = dict(type='lgd_mm.OpenCLIPTeacher', model=TEACHER)
    for part in (model, model.get('lgka'), *(one.get('lgka') for one in model.get('students', {}).values())):
        if part and 'categories' in part:
            part.templates = ['a photo of a {}.']
    if 'roi_head' in model:  # its heads cost most of a CPU's time, and fill most of a checkpoint
        model.train_cfg.rpn_proposal.max_per_img = 20
        model.test_cfg.rpn.max_per_img = 20
        model.roi_head.bbox_head.fc_out_channels = 64
        if 'mask_head' in model.roi_head:
            model.roi_head.mask_head.conv_out_channels = 32
    for head in ('decode_head', 'auxiliary_head'):
        if (model.get(head) or {}).get('type') in ('UPerHead', 'FCNHead', 'PSPHead'):
            model[head].channels = 32
    if cfg.default_scope == 'mmseg' and 'data_preprocessor' in model:  # those that are tested alone have no size
        model.data_preprocessor.size = (SIDE, SIDE)


def write_student(folder: Path) -> None:
    """``student.safetensors``, and what a pre-training leaves under ``work_dirs/r18_pretrain``."""
    from lgd_mm.engine.launch import train
    run = folder / 'work_dirs/r18_pretrain'
    train('configs/lgd/r18_pretrain.py', work_dir=str(run))
    (run / 'epoch_1.pth').rename(run / 'epoch_200.pth')
    (run / 'last_checkpoint').write_text('epoch_200.pth')
    os.link(run / 'student.safetensors', folder / 'student.safetensors')
    torch.save({}, folder / 'resnet18.pth')
