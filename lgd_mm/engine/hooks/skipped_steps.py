"""What skipped steps were made of, for inspection."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmengine.runner import Runner
from safetensors.torch import save
from torch import Tensor

from lgd_mm.datasets.view_sampler import ViewKey, ViewSampler
from lgd_mm.engine.loops import LaterBatches
from lgd_mm.io.files import replacing, write_text

#: Below the work dir.
FOLDER = 'skipped_steps'
#: Steps whose batches are kept as the model got them: of later ones there are only the names.
KEPT = 10


def save_steps(runner: Runner, steps: Mapping[range, Mapping[str, Tensor]]) -> None:
    """Write losses and images of each step to ``iter_N.json``, and its batches to ``iter_N.safetensors``.

    Nothing was kept for it while training: the views are made again, each from its own seed. Loops over iterations, and
    other samplers than :class:`lgd_mm.datasets.ViewSampler`, leave nothing to make them from: there are only losses.

    Each process writes what it had, those after the first as ``iter_N_rankR``.

    Args:
        runner (Runner): In the epoch of the steps.
        steps (Mapping[range, Mapping[str, Tensor]]): Iterations whose batches made a step, from 0 -> losses of the last
            one.
    """
    folder, dataset = Path(runner.work_dir, FOLDER), runner.train_dataloader.dataset
    keys = _keys(runner, {iteration for iterations in steps for iteration in iterations})
    for iterations, losses in steps.items():
        step = f'iter_{iterations[-1] + 1}'
        name = step + (f'_rank{runner.rank}' if runner.rank else '')
        batches = [keys[iteration] for iteration in iterations if iteration in keys]
        write_text(folder / f'{name}.json', json.dumps(dict(
            iteration=iterations[-1] + 1, seed=runner.seed,
            losses={key: float(value) for key, value in losses.items()},
            pictures=[[dataset.get_data_info(key.picture)['img_path'] for key in batch] for batch in batches]),
            indent=1))
        kept = {path.stem.partition('_rank')[0] for path in folder.glob('*.safetensors')}  # by any of the processes
        if batches and (step in kept or len(kept) < KEPT):
            with replacing(folder / f'{name}.safetensors') as part:
                part.write_bytes(save(_tensors(runner, batches)))


def _keys(runner: Runner, iterations: Iterable[int]) -> dict[int, list[ViewKey]]:
    """What iterations asked the data set for, as far as they are of this epoch."""
    loader = runner.train_dataloader
    batches = loader.batch_sampler
    if not isinstance(batches, LaterBatches) or not isinstance(batches.sampler, ViewSampler):
        return {}
    begin = runner.epoch * len(loader)
    numbers = {iteration - begin for iteration in iterations if iteration >= begin}
    return {begin + number: batch for number, batch in batches.of_epoch(numbers).items()}


def _tensors(runner: Runner, batches: Sequence[Sequence[ViewKey]]) -> dict[str, Tensor]:
    """Of the batches, as the loader hands them over: number of the batch and name, such as ``0.inputs``."""
    loader = runner.train_dataloader
    return {f'{number}.{name}': value.contiguous() for number, batch in enumerate(batches)
            for name, value in loader.collate_fn([loader.dataset[key] for key in batch]).items()
            if isinstance(value, Tensor)}
