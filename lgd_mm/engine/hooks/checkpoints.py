"""Checkpoints of which a whole one always exists."""

import logging
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size, is_main_process
from mmengine.hooks import CheckpointHook as MMEngineCheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor, nn

from lgd_mm.engine.checks.named_checkpoints import best_in, check_kept
from lgd_mm.engine.checks.same_run import follow_schedule, schedule_differs, teacher_of
from lgd_mm.engine.loops import EpochLoop
from lgd_mm.errors import UserError
from lgd_mm.io.files import remove_parts, write_text
from lgd_mm.models.bare_model import bare_model
from lgd_mm.registry import HOOKS
from lgd_mm.runs.checkpoints import BEGUN, STOPPED
from lgd_mm.runs.copies import check_copies, copy_checkpoint, remove_copy
from lgd_mm.storage import is_url
from lgd_mm.storage.objects import TRIES


@HOOKS.register_module()
class CheckpointHook(MMEngineCheckpointHook):
    """mmengine's, which removes the oldest or the best checkpoint before it writes the newest; this one removes it
    afterwards, and none but its own.

    It also keeps the gradients of a step that several batches make together, and what the batches were, so that a run
    that goes on is the same run.

    Args:
        copy_to (str, optional): URL of a folder in an object store, to which each checkpoint is copied, and from which
            ``--resume URL`` goes on. A store that cannot be reached is told, and the run goes on; each further
            checkpoint is then tried once, until one arrives. Defaults to None.
        **kwargs (Any): As in :class:`mmengine.hooks.CheckpointHook`.
    """

    out_dir: str
    filename_tmpl: str
    by_epoch: bool
    max_keep_ckpts: int
    save_last: bool
    save_optimizer: bool
    save_param_scheduler: bool
    _gradients: dict[str, list[Tensor]] = {}
    _run = ''
    _follows = False

    def __init__(self, *args: Any, copy_to: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if copy_to is not None and not is_url(copy_to):
            raise UserError(f'--copy-to {copy_to}: give the URL of a folder, such as '
                            's3://bucket/run')
        self.copy_to = copy_to
        self._outdated: set[str] = set()
        self._tries = TRIES

    def before_train(self, runner: Runner) -> None:
        """Remove what a killed run left unfinished, and point no longer to what another run left here: this one, begun
        again after a loss, would go on from there."""
        info, path = runner.message_hub.runtime_info, str(runner._load_from)
        check_kept(info, path)
        super().before_train(runner)
        suffix = Path(self.filename_tmpl).suffix
        self._set_best({indicator: best_in(self.out_dir, suffix, info, key, path)
                        for indicator, key in self._best_keys().items()})
        self._run = self._run or uuid.uuid4().hex
        self._teacher = teacher_of(runner.model)
        if self._follows:
            follow_schedule(runner)
        if is_main_process():
            if self.copy_to:
                check_copies(self.copy_to, self._run)
            remove_parts(self.out_dir, '*.pth')
            pointer = Path(runner.work_dir, 'last_checkpoint')
            if not runner._resume or not pointer.is_file():
                write_text(Path(runner.work_dir, BEGUN), self._run)
            if not runner._resume:
                pointer.unlink(missing_ok=True)

    def after_train(self, runner: Runner) -> None:
        """Save a run that another hook has ended early: its last checkpoint has not the statistics of batch norms that
        belong to its weights, or there is none."""
        if self.save_last and getattr(runner.train_loop, 'stop_training', False):
            self._save_checkpoint_with_step(runner, runner.epoch if self.by_epoch else runner.iter,
                                            dict(epoch=runner.epoch, iter=runner.iter))
        super().after_train(runner)

    def save_now(self, runner: Runner) -> None:
        """Write a checkpoint to go on from after the iteration at hand, apart from those of the schedule."""
        regular = self.filename_tmpl, self.by_epoch, self.save_optimizer, self.save_param_scheduler
        self.filename_tmpl, self.by_epoch, self.save_optimizer, self.save_param_scheduler = STOPPED, False, True, True
        try:
            self._write(runner, 0, dict(epoch=runner.epoch, iter=runner.iter + 1))
        finally:
            self.filename_tmpl, self.by_epoch, self.save_optimizer, self.save_param_scheduler = regular
        self._copy()

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        """As mmengine's, unless there is nothing to choose by: a detector that finds nothing yet has no figures. The
        best one of before is hidden from mmengine, and removed once there is a better one."""
        if not metrics or not self.save_best:
            return
        before = self._best()
        self._set_best(dict.fromkeys(before))
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            after = self._best()
            self._set_best({key: path or before.get(key) for key, path in after.items()})
        if is_main_process():
            for path in filter(None, set(before.values()) - set(self._best().values())):
                Path(path).unlink(missing_ok=True)

    def _best_keys(self) -> dict[str, str]:
        """Figures by which a best checkpoint is chosen, and the keys of these in the message hub."""
        if not self.save_best:
            return {}
        if len(self.key_indicators) == 1:
            return {'': 'best_ckpt'}
        return {name: f'best_ckpt_{name}' for name in self.key_indicators}

    def _best(self) -> dict[str, str | None]:
        """The best checkpoints so far; with one figure, that of ``''``."""
        return {'': self.best_ckpt_path} if len(self.key_indicators) == 1 else dict(self.best_ckpt_path_dict)

    def _set_best(self, paths: dict[str, str | None]) -> None:
        if list(paths) == ['']:
            self.best_ckpt_path = paths['']
        elif paths:
            self.best_ckpt_path_dict = dict(paths)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        outdated = [Path(self.out_dir, STOPPED)]
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated.append(Path(self.out_dir, self.filename_tmpl.format(self.keep_ckpt_ids[0])))
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        self._write(runner, step, meta)
        if is_main_process():
            for path in outdated:
                path.unlink(missing_ok=True)
        self._copy(*(path.name for path in outdated))

    def _write(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        """Write as mmengine's own method, remove nothing, and write no file through a link."""
        waiting = {name: parameter.grad.cpu() for name, parameter in _parameters(runner) if parameter.grad is not None}
        everyones = all_gather_object(waiting)  # together: a process may lack some that another one has
        self._gradients = {name: [own.get(name, torch.zeros_like(gradient)) for own in everyones]
                           for all_of_one in everyones for name, gradient in all_of_one.items()}
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        try:
            runner.save_checkpoint(
                self.out_dir, name, self.file_client_args, save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler, meta=meta, by_epoch=self.by_epoch,
                backend_args=self.backend_args, **self.args)
        finally:
            self._gradients = {}
        if is_main_process():
            write_text(Path(runner.work_dir, 'last_checkpoint'), self.last_ckpt)
            Path(runner.work_dir, BEGUN).unlink(missing_ok=True)

    def _copy(self, *outdated: str) -> None:
        """Copy the last checkpoint, and then remove the outdated copies, also those of before: until it is there, a run
        that is lost goes on from one of them. No run ends because that fails."""
        if self.copy_to is None or not is_main_process():
            return
        last = Path(self.last_ckpt)
        self._outdated = {*self._outdated, *outdated} - {last.name}
        tries, self._tries = self._tries, 1
        try:
            copy_checkpoint(last, self.copy_to, self._run, tries)
            self._tries = TRIES
            for name in sorted(self._outdated):
                remove_copy(name, self.copy_to)
                self._outdated.discard(name)
        except UserError as error:
            print_log(f'no copy of this checkpoint: {error}', logger='current', level=logging.WARNING)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add what mmengine leaves out: what a batch is, of which run and teacher this is, and gradients that wait for
        the others of a step."""
        checkpoint['meta'].update(batch=_batch(runner), run=self._run, teacher=self._teacher)
        checkpoint['gradients'] = self._gradients

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Bring back gradients that wait, if the run goes on."""
        if runner._resume:
            self._run = checkpoint['meta'].get('run') or ''
            self._follows = schedule_differs(runner.cfg, checkpoint['meta'])
        gradients = checkpoint.get('gradients') or {} if runner._resume else {}
        for name, parameter in _parameters(runner):
            if name in gradients:
                every = gradients[name]
                own = every[get_rank()] if len(every) == get_world_size() else torch.stack(every).mean(dim=0)
                parameter.grad = own.to(parameter)


def check_same_batches(runner: Runner, meta: dict[str, Any], path: str) -> None:
    """See that a run goes on with the batches it was begun with: its banks, schedule and order of images are theirs.

    Args:
        runner (Runner): About to go on.
        meta (dict[str, Any]): Of the checkpoint.
        path (str): Of the checkpoint; named in the error.

    Raises:
        UserError: If a batch of all processes has another number of images, an epoch another number of batches, or
            the images of a pre-training have other names.
    """
    then, now = meta.get('batch') or {}, _batch(runner)
    if then.get('pictures') and now['pictures'] and then['pictures'] != now['pictures']:
        size, left = divmod(then['pictures'], get_world_size())
        cure = f'--cfg-options train_dataloader.batch_size={size}' if not left else 'another number of processes'
        raise UserError(f'{path} is of a run with {then["pictures"]} images in a batch of all processes, and here '
                        f'are {now["pictures"]}: give {cure}, or begin a new run from its student')
    if then.get('in_epoch') == now['in_epoch'] and (then.get('names') or now['names']) != now['names']:
        raise UserError(f'{path} is of a run with other images than train_dataloader.dataset has here: put back '
                        'those it was begun with (an empty file stands for a lost one), or begin a new run from its '
                        'student')
    if not isinstance(runner.train_loop, EpochLoop):
        return
    length = now['in_epoch']
    done = meta['iter'] - meta['epoch'] * length
    if then.get('in_epoch', length) != length or not 0 <= done <= length:
        raise UserError(f'{path} is of a run whose epochs had {then.get("in_epoch", "other")} batches, and here they '
                        f'have {length}: put back the images of train_dataloader.dataset, or begin a new run from '
                        'its student')


def _batch(runner: Runner) -> dict[str, Any]:
    """Images of a batch in all processes, None if batches are not of one size; batches of an epoch; names of the
    images, None if the data set does not tell."""
    loader = runner.train_loop.dataloader
    size = getattr(loader.batch_sampler, 'batch_size', None)
    return dict(pictures=size and size * get_world_size(), in_epoch=len(loader),
                names=getattr(loader.dataset, 'names', None))


def _parameters(runner: Runner) -> Iterator[tuple[str, nn.Parameter]]:
    yield from bare_model(runner.model).named_parameters()
