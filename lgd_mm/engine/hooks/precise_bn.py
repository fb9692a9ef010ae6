"""Batch norms whose statistics are those of the weights that training ends with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.dist import all_reduce, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from lgd_mm.datasets.image_folder import preserved_random_states, seed_all
from lgd_mm.datasets.view_sampler import ViewKey, ViewSampler
from lgd_mm.datasets.view_seeds import view_seed
from lgd_mm.models.many_students import students_of
from lgd_mm.registry import HOOKS
from lgd_mm.students.export import trained_model


@HOOKS.register_module()
class PreciseBNHook(Hook):
    """Computes the statistics of a student's batch norms anew with the last weights, before the last checkpoint and the
    export ("precise batch norm", section 3 of `arXiv:2105.07576 <https://arxiv.org/abs/2105.07576>`_).

    The running averages of training lag behind weights that move fast, as they do in a short run: what the student
    gives in eval mode may then be the same for every image. Training itself never reads them.

    Mean and variance are those over all positions of views of the training images, each batch normalised by itself,
    without dropout or stochastic depth. The views depend on the seed alone, and the processes share them out. Norms
    that training does not move (frozen, or in eval mode) stay.

    Unlike mmpretrain's hook of this name, which does so after every epoch with the batches of the next one.

    Args:
        images (int): How many are looked at, at most. Defaults to 2048.
    """

    priority = 'LOW'  # the logger has printed, and no checkpoint is written yet

    def __init__(self, images: int = 2048) -> None:
        self.images = images

    def before_train(self, runner: Runner) -> None:
        """A run that is resumed at its end has the statistics in its checkpoint."""
        self._pending = False

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Any] | None = None) -> None:
        """After the last iteration of all."""
        self._pending = True
        if self.is_last_train_iter(runner):
            self.after_train(runner)

    def after_train(self, runner: Runner) -> None:
        """Also if another hook has ended the training early."""
        if not self._pending:
            return
        self._pending = False
        count = _update(runner, self.images)
        runner.logger.info(f'the statistics of {count} batch norms are now those of the last weights' if count else
                           'no batch norm is trained: there are no statistics to bring up to date')


@contextmanager
def batch_statistics(model: nn.Module) -> Iterator[list[_BatchNorm]]:
    """Use a model as in eval mode, but for the batch norms that it trains: they normalise each batch by itself, as in
    training, and remember nothing.

    Args:
        model (nn.Module): Left as it was.

    Yields:
        list[_BatchNorm]: Those batch norms.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.train()  # what stays in eval mode is the model's own to say
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.training
             and module.track_running_stats and module.momentum != 0]
    model.eval()
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
    try:
        with torch.compiler.set_stance('force_eager'):  # not worth a compilation, and compiled code passes hooks over
            yield norms
    finally:
        for norm in norms:
            norm.track_running_stats = True
        for module, mode in modes:
            module.training = mode


def embed(student: Any, inputs: Tensor) -> Any:
    """What a batch becomes in the parts of a model that are exported or trained with them.

    Args:
        student (nn.Module): A distiller, or any model with a backbone.
        inputs (Tensor): Normalised images (B, 3, H, W).

    Returns:
        Any: A distiller's embeddings (B, D), else whatever the backbone returns.
    """
    return student.embed(inputs) if hasattr(student, 'embed') else student.backbone(inputs)


@torch.no_grad()
def _update(runner: Runner, count: int) -> int:
    """Set the statistics of the students' batch norms; returns how many there are."""
    model: Any = trained_model(runner)[0]
    students = students_of(model).values()
    with batch_statistics(model) as norms:
        sums = [torch.zeros(1 + 2 * norm.num_features, dtype=torch.float64) for norm in norms]
        for counts, batch in _batches(runner, count) if norms and students else ():
            handles = [norm.register_forward_pre_hook(_Adder(total)) for norm, total in zip(norms, sums) if counts]
            inputs = model.data_preprocessor(batch)['inputs']
            for view in inputs if isinstance(inputs, (list, tuple)) else [inputs]:
                for student in students:
                    embed(student, view)
            for handle in handles:
                handle.remove()
    for total in sums:
        all_reduce(total)
    seen = [(norm, total) for norm, total in zip(norms, sums) if total[0]]  # not of a teacher, nor of a momentum copy
    for norm, total in seen:
        assert norm.running_mean is not None and norm.running_var is not None  # they are tracked
        mean, square = (total[1:] / total[0]).chunk(2)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_((square - mean.square()).clamp(min=0))
    return len(seen)


class _Adder:
    """Adds the number of positions, the sum of values and the sum of squares of a norm's input to a total, in float64:
    of the moments of a batch, which float32 holds well."""

    def __init__(self, total: Tensor) -> None:
        self.total = total

    def __call__(self, norm: nn.Module, inputs: tuple[Tensor]) -> None:
        images = inputs[0].float()
        positions = images.numel() // images.shape[1]
        variance, mean = torch.var_mean(images, dim=[0, *range(2, images.dim())], correction=0)
        variance, mean = variance.cpu().double(), mean.cpu().double()
        self.total += positions * torch.cat([torch.ones(1, dtype=torch.float64), mean, variance + mean.square()])


def _batches(runner: Runner, count: int) -> Iterator[tuple[bool, Any]]:
    """This process's share of the batches, as many as each other has: ``SyncBN`` waits for all of them. The last ones
    may be there for that alone, and do not count."""
    loader = runner.train_loop.dataloader
    dataset, sampler = loader.dataset, getattr(loader.batch_sampler, 'sampler', None)
    seed = getattr(sampler, 'seed', None) or 0
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed))[:count].tolist()
    size = min(getattr(loader.batch_sampler, 'batch_size', None) or len(order), len(order))
    batches = [order[begin:begin + size] for begin in range(0, len(order) - size + 1, size)]  # none is incomplete
    rounds = -(-len(batches) // get_world_size())
    shares = range(get_rank(), rounds * get_world_size(), get_world_size())
    keys: list[Any] = [batches[min(share, len(batches) - 1)] for share in shares]
    if isinstance(sampler, ViewSampler):
        keys = [[ViewKey(index, view_seed(seed, 0, index), 0) for index in batch] for batch in keys]
    views = DataLoader(
        dataset, batch_sampler=keys, num_workers=loader.num_workers, collate_fn=loader.collate_fn,
        worker_init_fn=loader.worker_init_fn, generator=torch.Generator().manual_seed(seed))
    with preserved_random_states():
        seed_all(seed)  # for data sets that draw from these
        for share, batch in zip(shares, views):
            yield share < len(batches), batch
