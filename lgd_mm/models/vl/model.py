"""A model of vision and language: a transformer over words, tags and regions, and what it is trained for."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import Tensor

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.language.wordpiece import WordPieces
from lgd_mm.models.vl.bert import from_bert
from lgd_mm.models.vl.tasks import Labels
from lgd_mm.models.vl.text_buffer import TextBuffer
from lgd_mm.models.vl.transformer import Encoded, VLTransformer, initialise
from lgd_mm.models.vl.weights import begin_with
from lgd_mm.registry import MODELS


@MODELS.register_module()
class VisionLanguageModel(BaseModel):
    """A teacher of vision and language, its adaptation to other regions, or a student without distillation.

    Args:
        vocabulary (str | Sequence[str]): A ``vocab.txt``, or its lines; they travel in the checkpoint, which fits no
            others.
        transformer (dict): Arguments of :class:`lgd_mm.models.vl.transformer.VLTransformer`, without ``vocabulary``.
        task (dict): ``lgd_mm.VLPretraining``, ``lgd_mm.VLCaptioning`` or ``lgd_mm.VLAnswering``.
        bert (str, optional): File of a BERT or MiniLM whose weights the transformer begins with. Defaults to None: at
            random.
        weights (str, optional): File of a trained model that it begins with, of this or another task. Defaults to None.

    Attributes:
        anew (list[str]): Keys of the task that ``weights`` does not have, after :meth:`init_weights`.
    """

    def __init__(self,
                 vocabulary: str | Sequence[str],
                 transformer: dict[str, Any],
                 task: dict[str, Any],
                 bert: str | None = None,
                 weights: str | None = None) -> None:
        super().__init__()
        self.bert, self.weights, self.anew = bert, weights, list[str]()
        self.pieces = (WordPieces.read(vocabulary) if isinstance(vocabulary, str) else
                       WordPieces(list(vocabulary), 'model.vocabulary'))
        self.vocabulary = TextBuffer(self.pieces.words, 'word pieces')
        self.transformer = VLTransformer(**transformer, vocabulary=len(self.pieces))
        self.task = MODELS.build(task, default_args=dict(transformer=self.transformer))

    def init_weights(self) -> None:
        """At random as BERT's, then from the file that there is."""
        initialise(self, self.transformer.init_std)
        if self.bert is not None:
            checkpoint = load_checkpoint_file(self.bert)
            state = checkpoint.get('state_dict', checkpoint)
            self.transformer.load_state_dict(from_bert(state, self.transformer.state_dict(), self.bert))
        if self.weights is not None:
            self.anew = begin_with(self, self.weights)
            of_task = f'; for its task it begins anew: {", ".join(self.anew)}' if self.anew else ''
            print_rank0(f'begins with {self.weights}{of_task}')
        super().init_weights()

    def encode(self, inputs: dict[str, Tensor], with_attention: bool = False, regions: str = 'regions') -> Encoded:
        """Hidden states of a batch.

        Args:
            inputs (dict[str, Tensor]): ``text`` (B, a), ``tags`` (B, b), ``regions`` (B, r, F), and ``valid``
                (B, a + b + r), which of them are no padding.
            with_attention (bool): Give the attention maps of the last block as well. Defaults to False.
            regions (str): Key of the regions. Defaults to 'regions'.
        """
        mask = self.task.mask(inputs['valid'], inputs['text'].shape[1])
        encoded: Encoded = self.transformer(inputs['text'], inputs['tags'], inputs[regions], mask, with_attention)
        return encoded

    def loss(self, inputs: dict[str, Tensor], targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses of the task.

        Args:
            inputs (dict[str, Tensor]): Those of :meth:`encode`.
            targets (dict[str, Tensor]): Those of the task.
        """
        hidden = self.encode(inputs).hidden
        labels: Labels = self.task.labels(hidden, targets)
        losses: dict[str, Tensor] = self.task.loss(hidden, labels, targets)
        return losses

    @torch.no_grad()
    def predict(self, inputs: dict[str, Tensor], data_samples: list[DataSample]) -> list[DataSample]:
        """What the task asks for, put into data samples: ``pred_caption`` or ``pred_answer``.

        Args:
            inputs (dict[str, Tensor]): Those of :meth:`encode`.
            data_samples (list[DataSample]): One for each image or question.
        """
        key, values = self.task.predict(self, inputs)
        for sample, value in zip(data_samples, values):
            sample.set_field(value, key)
        return data_samples

    def forward(self,
                inputs: dict[str, Tensor],
                targets: dict[str, Tensor] | None = None,
                data_samples: list[DataSample] | None = None,
                mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'loss'``, ``'predict'`` or ``'tensor'`` (the hidden states)."""
        if mode == 'loss':
            assert targets is not None
            return self.loss(inputs, targets)
        if mode == 'predict':
            return self.predict(inputs, data_samples or [DataSample() for _ in inputs['valid']])
        if mode == 'tensor':
            return self.encode(inputs).hidden
        raise ValueError(f"mode is 'loss', 'predict' or 'tensor', not {mode!r}")
