"""An epoch through the runner against what its slower half, data or step, needs by itself."""

import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
from harness import Case, main
from mmengine.config import Config
from mmengine.runner import Runner
from models import SIZE, RandomTeacher

from lgd_mm.registry import MODELS

ROOT = Path(__file__).parents[1]


def config(folder: Path, images: int, batch: int) -> Config:
    """The published configuration on some made-up images, with logs and checkpoints as it has them."""
    rng = np.random.default_rng(0)
    (folder / 'images').mkdir()
    for index in range(images):
        noise = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        cv2.imwrite(f'{folder}/images/{index}.jpg', cv2.resize(noise, (500, 375), interpolation=cv2.INTER_CUBIC))
    MODELS.register_module(module=RandomTeacher, force=True)
    cfg = Config.fromfile(ROOT / 'configs/lgd/r18_pretrain.py')
    cfg.merge_from_dict(
        {
            'model.teacher': dict(_delete_=True, type='lgd_mm.RandomTeacher', precision='bf16'),
            'model.lgka.templates': ['{}'],
            'train_dataloader.batch_size': batch,
            'train_dataloader.num_workers': 1,
            'train_dataloader.dataset.data_root': str(folder / 'images'),
            'train_dataloader.dataset.data_prefix.img_path': '',
            'train_cfg.max_epochs': 1,
            'default_hooks.logger.interval': 4,
            'optim_wrapper.type': 'lgd_mm.CPUAmpOptimWrapper',
        },
        allow_list_keys=False)
    cfg.train_dataloader.dataset.pipeline[1].size = SIZE
    for part in ('test_dataloader', 'test_evaluator', 'test_cfg'):
        cfg[part] = None
    cfg.param_scheduler = None
    cfg.launcher, cfg.work_dir = 'none', str(folder / 'run')
    return cfg


def cases(quick: bool) -> list[Case]:
    """One case. The loader's worker is warm in every form, as it is in all epochs but the first."""
    os.environ['LGD_CACHE_DIR'] = tempfile.mkdtemp()
    batch, iterations = (4, 4) if quick else (32, 8)
    cfg = config(Path(tempfile.mkdtemp()), batch * iterations, batch)
    runner = Runner.from_cfg(cfg)
    loop = runner.train_loop
    model, loader = runner.model, loop.dataloader
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.optim_wrapper.initialize_count_status(model, 0, 10**9)
    runner.call_hook('before_run')
    runner.call_hook('before_train')
    held = next(iter(loader))

    def data() -> None:
        for _ in loader:
            pass

    def step() -> None:
        for _ in range(iterations):
            model.train_step(held, runner.optim_wrapper)

    return [Case(f'epoch of {iterations} batches of {batch}', {
        'step alone': step,
        'data alone': data,
        'epoch through the runner': loop.run_epoch,
    }, baseline='step alone')]


if __name__ == '__main__':
    main(cases, __doc__ or '')
