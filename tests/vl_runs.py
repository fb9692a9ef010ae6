"""Small runs of configs/distillvlm, on regions that are written or extracted."""

import json
from pathlib import Path

import numpy as np

from lgd_mm.datasets.regions import Regions, RegionStore
from lgd_mm.language.wordpiece import WordPieces
from tests.configs import read_config

#: Numbers of a feature of the two detectors.
WIDTHS = dict(student=24, teacher=32)
TAGS = ['cat', 'dog', 'traffic light']


def write_files(root: Path, train: int, val: int) -> Path:
    """Captions of images that are nowhere, and regions of drawn features: up to three, of some images none.

    Args:
        root (Path): Folder to write ``coco``, ``vocab.txt`` and ``regions`` into, as configs/distillvlm read them.
        train (int): Images with a caption each.
        val (int): Images with two captions.
    """
    (root / 'coco/annotations').mkdir(parents=True)
    for seed, (split, count) in enumerate(dict(train=train, val=val).items()):
        draws = np.random.default_rng(seed)
        names = [f'{split}2014/{number}.jpg' for number in range(count)]
        texts = [f'a {TAGS[number % 3]} left of {number % 4} ' + 'dogs ' * (number % 3) for number in range(count)]
        (root / f'coco/annotations/coco_karpathy_{split}.json').write_text(json.dumps([
            dict(image=name, caption=text if split == 'train' else [text, 'a dog'])
            for name, text in zip(names, texts)]))
        boxes = None
        for who, width in WIDTHS.items():
            store = RegionStore.create(root / f'regions/{who}_{split}', dict(
                detector=dict(config=who, weights=who), width=width, most=4, tags=TAGS, grid=None, boxes=boxes), names)
            boxes = store.about['fingerprint']
            store.write(0, [_regions(number % 4, width, np.random.default_rng((seed, number)), draws)
                            for number in range(count)])
    vocabulary = WordPieces.learnt(['a cat left of 1 dogs', 'traffic light', '0 2 3'] * 2, 60)
    (root / 'vocab.txt').write_text('\n'.join(vocabulary.words))
    return root


def _regions(count: int, width: int, places: np.random.Generator, draws: np.random.Generator) -> Regions:
    corners = np.concatenate([places.uniform(0, 20, (count, 2)), places.uniform(20, 40, (count, 2))], axis=1)
    return Regions(corners.astype(np.float32), np.linspace(1, 0.5, count).astype(np.float16),
                   places.integers(0, len(TAGS), count).astype(np.int16),
                   draws.standard_normal((count, width)).astype(np.float16), (40, 40))


def write_config(file: Path, config: str, options: dict) -> Path:
    """A config of configs/distillvlm with other settings, as a file."""
    cfg = read_config(f'distillvlm/{config}')
    cfg.merge_from_dict(options)
    cfg.dump(file)
    return file


def options_of(root: Path, task: str, epochs: int, distilled: bool, teacher: str | None = None) -> dict:
    """Options that make a config of configs/distillvlm small, and let it read these files.

    Args:
        root (Path): Of :func:`write_language`.
        task (str): ``'caption'``, ``'vqa'`` or ``'pretrain'``.
        epochs (int): To train.
        distilled (bool): Whether there is a teacher; else it is the teacher that is trained.
        teacher (str, optional): Its weights. Defaults to None: random.
    """
    kinds = dict(caption=dict(type='lgd_mm.VLCaptioning', longest=16),
                 vqa=dict(type='lgd_mm.VLAnswering', answers=str(root / 'vqav2/answers.txt')),
                 pretrain=dict(type='lgd_mm.VLPretraining', seq2seq=True))

    def model(who: str, width: int, **more) -> dict:
        return dict(type='lgd_mm.VisionLanguageModel', vocabulary=str(root / 'vocab.txt'), task=kinds[task],
                    transformer=dict(width=width, depth=2, heads=4, positions=40, dropout=0.,
                                     region_width=WIDTHS[who] + 6), **more)

    source = dict(data_root=f'{root}/coco/') if task != 'vqa' else dict(data_root=f'{root}/')
    lengths = (24, 0, 20) if task == 'vqa' else (20, 12, 20)
    options = {
        'model': dict(_delete_=True, type='lgd_mm.DistillVLM', student=model('student', 32), teacher=model(
            'teacher', 48, weights=teacher), labels=float(task != 'pretrain'), queue_length=256) if distilled else dict(
            model('teacher', 48), _delete_=True),
        'optim_wrapper.optimizer.lr': 3e-3, 'train_cfg.max_epochs': epochs, 'param_scheduler': None,
        'default_hooks.logger.interval': 1, 'default_hooks.checkpoint.max_keep_ckpts': -1}
    for split in ('train', 'val', 'test')[:1 if task == 'pretrain' else 3]:
        part, key = 'train' if split == 'train' else 'val', f'{split}_dataloader'
        options |= {f'{key}.num_workers': 0, f'{key}.persistent_workers': False, f'{key}.batch_size': 16,
                    f'{key}.dataset.vocabulary': str(root / 'vocab.txt'), f'{key}.dataset.lengths': lengths,
                    f'{key}.dataset.regions': f'{root}/regions/{"student" if distilled else "teacher"}_{part}',
                    **{f'{key}.dataset.source.{name}': value for name, value in source.items()}}
        if task == 'vqa':
            options[f'{key}.dataset.answers'] = str(root / 'vqav2/answers.txt')
        elif split == 'test':
            options[f'{key}.dataset.source.ann_file'] = 'annotations/coco_karpathy_val.json'
    options['train_dataloader.dataset.teacher_regions'] = f'{root}/regions/teacher_train' if distilled else None
    if task != 'pretrain':
        options['train_cfg.val_interval'] = epochs
    return options
