"""Classifiers as one graph."""

from typing import Any

from torch import Tensor

from lgd_mm.deploy.network import DeployedNetwork


class Classifier(DeployedNetwork):
    """mmpretrain's ``ImageClassifier`` with one label for an image.

    Args:
        model (nn.Module): The classifier.
        raw (bool): Give logits in the place of probabilities. Defaults to False.
    """

    def __init__(self, model: Any, raw: bool = False) -> None:
        super().__init__(model)
        self.raw = raw
        self.output_names = ('logits', ) if raw else ('scores', )

    def forward(self, images: Tensor, image_size: Tensor, original_size: Tensor) -> tuple[Tensor, ...]:
        """Classify.

        Args:
            images (Tensor): RGB in [0, 1] (B, 3, H, W).
            image_size (Tensor): (2, ), int64.
            original_size (Tensor): Not needed.

        Returns:
            tuple[Tensor, ...]: ``scores`` (B, C), that add up to 1; raw: ``logits`` (B, C).
        """
        logits = self.model.head(self.model.extract_feat(self.prepared(images, image_size)))
        return (logits if self.raw else logits.softmax(1), )
