"""What a skipped step was made of, for inspection."""

import json
from collections.abc import Mapping
from pathlib import Path

from mmengine.runner import Runner
from safetensors.torch import save
from torch import Tensor

from lgd_mm.datasets.view_sampler import ViewKey
from lgd_mm.engine.loops import LaterBatches
from lgd_mm.files import replacing, write_text

#: Below the work dir.
FOLDER = 'skipped_steps'
#: Steps whose batches are kept as the model got them: of later ones there are only the names.
KEPT = 10


def save_step(runner: Runner, iterations: range, losses: Mapping[str, Tensor]) -> None:
    """Write losses and pictures of a step to ``iter_N.json``, and its batches to ``iter_N.safetensors``.

    Nothing was kept for it while training: the views are made again, each from its own seed. Each process writes what
    it had, those after the first as ``iter_N_rankR``.

    Args:
        runner (Runner): In the epoch of the step.
        iterations (range): Whose batches made the step, from 0.
        losses (Mapping[str, Tensor]): Of the last one.
    """
    name = f'iter_{iterations[-1] + 1}' + (f'_rank{runner.rank}' if runner.rank else '')
    folder = Path(runner.work_dir, FOLDER)
    dataset, batches = runner.train_dataloader.dataset, _batches(runner, iterations)
    write_text(folder / f'{name}.json', json.dumps(dict(
        iteration=iterations[-1] + 1, seed=runner.seed, losses={key: float(value) for key, value in losses.items()},
        pictures=[[dataset.get_data_info(getattr(key, 'picture', key))['img_path'] for key in batch]
                  for batch in batches]), indent=1))
    if all(isinstance(key, ViewKey) for batch in batches for key in batch) and (
            len(list(folder.glob('*.safetensors'))) < KEPT):
        tensors = {f'{number}.{key}': value.contiguous() for number, batch in enumerate(batches)
                   for key, value in runner.train_dataloader.collate_fn([dataset[key] for key in batch]).items()
                   if isinstance(value, Tensor)}
        with replacing(folder / f'{name}.safetensors') as part:
            part.write_bytes(save(tensors))


def _batches(runner: Runner, iterations: range) -> list[list[ViewKey]]:
    """Keys of the batches, as far as they are of this epoch; loops that count no epochs cannot tell."""
    sampler = runner.train_dataloader.batch_sampler
    if not isinstance(sampler, LaterBatches):
        return []
    begin = runner.epoch * len(runner.train_dataloader)
    return [sampler.of_epoch(iteration - begin) for iteration in iterations if iteration >= begin]
