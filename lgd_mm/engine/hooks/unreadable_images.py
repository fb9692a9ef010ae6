"""Images that cannot be read: counted while training goes on, and the end of it when they are too many."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from lgd_mm.datasets import UnlabelledImages
from lgd_mm.errors import UserError
from lgd_mm.registry import HOOKS


@HOOKS.register_module()
class UnreadableImagesHook(Hook):
    """Counts the skipped images at the end of each epoch, and names them at the end of training.

    Args:
        most (float): Share of the images that may be unreadable. Defaults to 0.5.

    Raises:
        UserError: When there are more.
    """

    priority = 'LOWEST'  # a run that ends has written the checkpoint of the epoch

    def __init__(self, most: float = 0.5) -> None:
        self.most = most

    def after_train_epoch(self, runner: Runner) -> None:
        """Log how many were skipped so far, by all processes."""
        images = runner.train_dataloader.dataset
        if isinstance(images, UnlabelledImages):
            images.gather_unreadable()
            if images.unreadable:
                runner.logger.warning(
                    f'{len(images.unreadable)} of {len(images)} images cannot be read and are skipped')
            if len(images.unreadable) > self.most * len(images):
                raise UserError(f'{len(images.unreadable)} of {len(images)} images cannot be read, such as '
                                f'{images.unreadable[0]}: more than the share of {self.most:g} that '
                                'lgd_mm.UnreadableImagesHook allows (most); put them back and go on with --resume, or '
                                'begin a run without them')

    def after_train(self, runner: Runner) -> None:
        """Log the first few names."""
        images = runner.train_dataloader.dataset
        skipped = images.unreadable if isinstance(images, UnlabelledImages) else []
        if skipped:
            names = ', '.join(skipped[:10]) + (', ...' if len(skipped) > 10 else '')
            runner.logger.warning(f'skipped images: {names}')
