"""Small real stand-ins that several tests share."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
import open_clip
import torch
from safetensors.torch import save_file

from tests.processes import LIMIT, run_group, run_program, run_torchrun

ROOT = Path(__file__).resolve().parents[1]
#: Side of a view, in pixels: of the published 224, a run of ten steps computes half its time.
SIDE = 64


def write_tiny_teacher(folder: Path, embed_dim: int = 32, image_size: int = 32) -> str:
    """Write an open_clip model with random weights in its ``local-dir:`` form, and return its name."""
    folder.mkdir(parents=True, exist_ok=True)
    config = dict(
        embed_dim=embed_dim,
        vision_cfg=dict(image_size=image_size, layers=2, width=32, head_width=16, patch_size=8),
        text_cfg=dict(context_length=77, vocab_size=49408, width=16, heads=2, layers=1))
    (folder / 'open_clip_config.json').write_text(
        json.dumps(dict(model_cfg=config, preprocess_cfg=dict(mean=[0.4, 0.5, 0.6], std=[0.2, 0.3, 0.4]))))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = open_clip.CLIP(**config)
    save_file(model.state_dict(), folder / 'open_clip_model.safetensors')
    return f'local-dir:{folder}'


def write_images(folder: Path, count: int, size: int = 48, seed: int = 0) -> list[Path]:
    """Write PNG images of noise into nested folders, and return their paths."""
    rng = np.random.default_rng(seed)
    paths = []
    for index in range(count):
        path = folder / f'part{index % 2}' / f'{index:04}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (size, size, 3), dtype=np.uint8))
        paths.append(path)
    return paths


def write_shards(folder: Path, images: Path, each: int, name: str = '{}.tar') -> None:
    """Write the PNG images below a folder into tars, in the order of their names, so many into each."""
    paths = sorted(images.rglob('*.png'))
    folder.mkdir(parents=True)
    for shard, start in enumerate(range(0, len(paths), each)):
        with tarfile.open(folder / name.format(shard), 'w') as tar:
            for path in paths[start:start + each]:
                tar.add(path, path.relative_to(images))


def lgd_model(teacher: str, **lgka: object) -> dict:
    """A slim LGD on a tiny teacher."""
    names = dict(categories=['cat', 'dog', 'bicycle'], templates=['a photo of a {}.'])
    return dict(
        type='lgd_mm.LGD',
        backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8),
        neck=dict(type='lgd_mm.MLPProjection'),
        teacher=dict(type='lgd_mm.OpenCLIPTeacher', model=teacher),
        lgka={'type': 'lgd_mm.LGKA', **names, **lgka},
        head=dict(type='lgd_mm.LGDHead'))


def write_lgd_config(folder: Path, pictures: Path, **changes: object) -> Path:
    """Write a config that inherits the published run and shrinks it to seconds on a CPU."""
    teacher = write_tiny_teacher(folder / 'teacher')
    settings = dict(
        model=dict(
            backbone=dict(stem_channels=8, base_channels=8),
            teacher=dict(_delete_=True, type='lgd_mm.OpenCLIPTeacher', model=teacher),
            lgka=dict(categories=['cat', 'dog', 'bicycle', 'tree'], templates=['a photo of a {}.'])),
        train_dataloader=dict(
            batch_size=4,
            num_workers=0,
            persistent_workers=False,
            dataset=dict(
                data_root=str(pictures),
                data_prefix=dict(img_path=''),
                pipeline=[dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=SIDE),
                          dict(type='lgd_mm.PackView')])),
        test_dataloader=None,
        test_evaluator=None,
        test_cfg=None,
        optim_wrapper=dict(optimizer=dict(lr=0.05)),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=2),
            dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
        ],
        train_cfg=dict(max_epochs=3),
        # without the report, which takes longer than such a run
        custom_hooks=[dict(type='lgd_mm.IterationSeedHook'), dict(type='lgd_mm.UnreadableImagesHook'),
                      dict(type='lgd_mm.ExportStudentHook')],
        default_hooks=dict(logger=dict(interval=1), checkpoint=dict(max_keep_ckpts=-1)))
    settings = _merged(settings, changes)
    base = ROOT / 'configs' / 'lgd' / 'r18_pretrain.py'
    lines = [f'_base_ = {str(base)!r}', *(f'{key} = {value!r}' for key, value in settings.items())]
    path = folder / 'tiny_pretrain.py'
    path.write_text('\n'.join(lines) + '\n')
    return path


def run_tool(*arguments: object, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess:
    """Run one of ``tools/`` as a user does, in a process of its own; shell scripts through bash."""
    command = [str(ROOT / str(arguments[0])), *map(str, arguments[1:])]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable, **env}
    if command[0].endswith('.sh'):
        return subprocess.run(['bash', *command], cwd=cwd, env=environment, capture_output=True, text=True,
                              timeout=LIMIT)
    return run_program(command, cwd, environment)


def train_in_two(*arguments: object, **env: str) -> subprocess.CompletedProcess:
    """Run ``tools/train.py`` in two processes without the launcher, which would start three more."""
    return train_in_group(2, *arguments, **env)


def train_in_group(processes: int, *arguments: object, **env: str) -> subprocess.CompletedProcess:
    """Run ``tools/train.py`` in several processes without the launcher."""
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': '', **env}
    command = [str(ROOT / 'tools/train.py'), *map(str, arguments), '--launcher', 'pytorch']
    return run_group(command, processes, ROOT, environment)


def train_by_torchrun(*arguments: object, restarts: int = 0, **env: str) -> subprocess.CompletedProcess:
    """Run ``tools/train.py`` in two processes as ``tools/dist_train.sh`` does, without the imports of five programs."""
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': '', **env}
    command = [str(ROOT / 'tools/train.py'), *map(str, arguments), '--launcher', 'pytorch']
    return run_torchrun(command, 2, restarts, ROOT, environment)


def _merged(base: dict, changes: dict) -> dict:
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
