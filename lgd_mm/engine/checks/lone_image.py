"""Batch norms that would meet an image alone."""

from typing import Any

import torch
from mmengine.dataset import InfiniteSampler
from mmengine.runner import Runner
from torch import Tensor

from lgd_mm.datasets.image_folder import preserved_random_states
from lgd_mm.datasets.view_sampler import ViewKey, ViewSampler
from lgd_mm.engine.hooks.precise_bn import batch_statistics, embed
from lgd_mm.errors import UserError
from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.many_students import students_of

#: torch's words.
REFUSED = 'Expected more than 1 value per channel when training'
ALONE = 'batch normalisation needs two images where a feature map has a single position'


def check_lone_image(runner: Runner) -> None:
    """Try an image alone, if a batch may be of one: whether batch norms can take it depends on their maps.

    Args:
        runner (Runner): About to train; nothing of it changes.

    Raises:
        UserError: If they cannot.
    """
    loader = runner.train_loop.dataloader
    size, drop_last = (getattr(loader.batch_sampler, key, None) for key in ('batch_size', 'drop_last'))
    sampler = getattr(loader.batch_sampler, 'sampler', loader.sampler)
    images = None if isinstance(sampler, InfiniteSampler) else len(sampler)
    lone = not (drop_last or images is None or size is None) and images % size == 1
    if (size != 1 and not lone) or _passes(runner, loader.dataset, sampler, loader.collate_fn):
        return
    if size == 1:
        more = ', and more than one image' if len(loader.dataset) == 1 and images is not None else ''
        raise UserError(f'train_dataloader.batch_size is 1, and {ALONE}: give a batch of 2 or more (--batch-size 2, or '
                        f'--cfg-options train_dataloader.batch_size=2){more}')
    process = ' of a process' if runner.world_size > 1 else ''
    raise UserError(f'of {images} images{process}, the last batch of an epoch has a single one, and {ALONE}: give '
                    f'another batch than {size} (--batch-size N, or --cfg-options train_dataloader.batch_size=N), or '
                    '--cfg-options train_dataloader.drop_last=True')


def _passes(runner: Runner, dataset: Any, sampler: Any, collate: Any) -> bool:
    model = bare_model(runner.model)
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]  # queues of the past
    try:
        with preserved_random_states(), torch.random.fork_rng(), torch.no_grad(), batch_statistics(model) as norms:
            if norms:
                _try(model, collate([dataset[ViewKey(0, 0, 0) if isinstance(sampler, ViewSampler) else 0]]))
    except ValueError as error:
        return REFUSED not in str(error)
    except Exception:  # whatever else is wrong is told by the training itself
        return True
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
    return True


def _try(model: Any, batch: Any) -> None:
    students = [student for student in students_of(model).values() if isinstance(student, Distiller)]
    data = model.data_preprocessor(batch, True)
    for student in students:
        embed(student, data['inputs'])
    if not students:
        model(*data, mode='loss') if isinstance(data, (list, tuple, Tensor)) else model(**data, mode='loss')
