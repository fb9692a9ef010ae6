"""DistillVLM: a small model of vision and language learns from a large one that looks at the same regions."""

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_world_size
from mmengine.model import BaseModel
from torch import Tensor, nn

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import UserError
from lgd_mm.models.baselines.queue import EmbeddingQueue
from lgd_mm.models.common import check_number
from lgd_mm.models.frozen import freeze
from lgd_mm.models.hidden_teacher import HiddenTeacher
from lgd_mm.models.vl.losses import attention_loss, soft_label_loss, token_contrastive_loss
from lgd_mm.models.vl.model import VisionLanguageModel
from lgd_mm.models.vl.sampling import priorities
from lgd_mm.registry import MODELS

#: A step pushes at most this part of the queue: a batch has far more tokens than the queue has places.
PUSHED = 16


@MODELS.register_module()
class DistillVLM(HiddenTeacher, BaseModel):
    """Compressing vision-language models by the attention and the hidden states of the last block
    (`arXiv:2104.02096 <https://arxiv.org/abs/2104.02096>`_).

    Both networks read the same words, tags, masks and boxes; the features in these boxes are each one's own, and the
    teacher has been trained on before with its features at the student's boxes::

        words, tags ------+------------+
                          |            |
        boxes -- teacher's features -- teacher (frozen) -- last block: attention, hidden states, logits
                          |                                        |             |           |
             +-- student's features -- student ---------- last block: attention, hidden states, logits -- task

    The loss is that of the task with ``attention * L_att + hidden * L_hid + labels * L_cls``. What the paper leaves
    open (weights, the temperature, how heads are reduced) has the defaults of ``docs/distillvlm.md``.

    Args:
        student (dict): A ``lgd_mm.VisionLanguageModel``.
        teacher (dict | VisionLanguageModel): The teacher with its ``weights``, or one that is built already.
        attention (float): Weight of the attention maps. Defaults to 10.
        hidden (float): Weight of the hidden states. Defaults to 1.
        labels (float): Weight of the teacher's logits, in fine-tuning. Defaults to 0.
        average_heads (bool): Compare attention maps averaged over the heads. Defaults to False.
        temperature (float): Of the hidden states' cosines. Defaults to 0.1.
        label_temperature (float): Of the logits. Defaults to 1.
        queue_length (int): Tokens of the teacher that hidden states are told from. Defaults to 4096.
        init_cfg (dict, optional): As in mmengine. Defaults to None.

    Raises:
        UserError: If a value lies outside its range, or student and teacher do not fit together.
    """

    def __init__(self,
                 student: dict[str, Any],
                 teacher: dict[str, Any] | VisionLanguageModel,
                 attention: float = 10.,
                 hidden: float = 1.,
                 labels: float = 0.,
                 average_heads: bool = False,
                 temperature: float = 0.1,
                 label_temperature: float = 1.,
                 queue_length: int = 4096,
                 init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.weights = dict(attention=attention, hidden=hidden, labels=labels)
        for name, weight in self.weights.items():
            check_number(f'model.{name}', weight)
        check_number('model.temperature', temperature, above=True)
        check_number('model.label_temperature', label_temperature, above=True)
        self.average_heads, self.temperature, self.label_temperature = average_heads, temperature, label_temperature
        self.student: VisionLanguageModel = MODELS.build(student)
        self.hide_teacher(teacher, init_weights=True)
        if isinstance(teacher, dict) and self.teacher.weights is None:
            print_rank0('warning: model.teacher begins at random, and has nothing to teach: set model.teacher.weights')
        freeze(self.teacher)
        if self.teacher.anew:
            raise UserError(f'{self.teacher.weights} was trained for another task, and has no '
                            f'{self.teacher.anew[0]}: give a teacher of the task that its student learns')
        check_fit(self.student, self.teacher, same_heads=attention > 0 and not average_heads, same_labels=labels > 0)
        if hidden:
            width = self.teacher.transformer.width
            with torch.random.fork_rng(devices=[]):  # the student begins the same whichever losses there are
                #: To the teacher's width; nothing of it goes downstream.
                self.projection = nn.Linear(self.student.transformer.width, width, bias=False)
                self.queue = EmbeddingQueue(queue_length, width)

    def loss(self, inputs: dict[str, Tensor], targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses of a batch; the queue moves on during their backward pass.

        Args:
            inputs (dict[str, Tensor]): Those of :meth:`lgd_mm.models.vl.model.VisionLanguageModel.encode`,
                ``teacher_regions`` (B, r, F'), the teacher's features in the same boxes, and ``draw`` (B, ), a number
                of each text, by which its tokens for the queue are drawn. Of a teacher with other boxes,
                ``teacher_valid`` as ``valid``: what both have is compared.
            targets (dict[str, Tensor]): Those of the task.

        Returns:
            dict[str, Tensor]: Those of the task, and of ``loss_attention``, ``loss_hidden`` and ``loss_labels`` those
            with a weight, each (), weighted.
        """
        maps = self.weights['attention'] > 0
        student = self.student.encode(inputs, with_attention=maps)
        theirs = dict(inputs, valid=inputs.get('teacher_valid', inputs['valid']))
        with torch.no_grad():
            teacher = self.teacher.encode(theirs, with_attention=maps, regions='teacher_regions')
        labels = self.student.task.labels(student.hidden, targets)
        losses: dict[str, Tensor] = self.student.task.loss(student.hidden, labels, targets)
        valid = inputs['valid'] & theirs['valid']
        found = {}
        if student.attention is not None:
            found['attention'] = attention_loss(student.attention, teacher.attention, valid, self.average_heads)
        if self.weights['hidden']:
            found['hidden'] = self._of_hidden_states(student.hidden, teacher.hidden, valid, inputs['draw'])
        if self.weights['labels']:
            with torch.no_grad():
                told = self.teacher.task.labels(teacher.hidden, targets)
            found['labels'] = soft_label_loss(labels.logits, told.logits, labels.valid, self.label_temperature)
        return losses | {f'loss_{name}': self.weights[name] * loss for name, loss in found.items()}

    def _of_hidden_states(self, student: Tensor, teacher: Tensor, valid: Tensor, draw: Tensor) -> Tensor:
        """Of (B, T, d) and (B, T, D)."""
        ours = self.projection(student)
        with torch.autocast(student.device.type, enabled=False):
            ours, theirs = F.normalize(ours.float(), dim=2), F.normalize(teacher.float(), dim=2)
            loss = token_contrastive_loss(ours, theirs, self.queue.embeddings, valid, self.temperature)
        if ours.requires_grad:
            ours.register_hook(lambda grad: self._push(theirs, valid, draw))
        return loss

    @torch.no_grad()
    def _push(self, tokens: Tensor, valid: Tensor, draw: Tensor) -> None:
        """Some of the tokens (B, T, D) of all processes into the queue: the same ones, in the same order, however the
        texts are spread over processes."""
        most = max(1, len(self.queue.embeddings) // PUSHED)
        texts = len(tokens) * get_world_size()
        each = min(-(-most // texts), tokens.shape[1])
        priority, place = priorities(draw, valid).topk(each, dim=1)
        chosen = tokens.gather(1, place[..., None].expand(-1, -1, tokens.shape[2]))
        priority, chosen = (torch.cat(all_gather(part.flatten(0, 1))) for part in (priority, chosen))
        best = priority.topk(min(most, len(priority))).indices
        best = torch.where(priority[best] < 0, best[0], best)  # texts of too few tokens: no padding goes in
        self.queue.put(chosen[best])

    def forward(self,
                inputs: dict[str, Tensor],
                targets: dict[str, Tensor] | None = None,
                data_samples: list[Any] | None = None,
                mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'loss'``, or what the student understands."""
        if mode == 'loss':
            assert targets is not None
            return self.loss(inputs, targets)
        return self.student(inputs, targets, data_samples, mode)


def check_fit(student: VisionLanguageModel, teacher: VisionLanguageModel, same_heads: bool, same_labels: bool) -> None:
    """See that a teacher can read what its student reads, and that what is compared is of the same things.

    Args:
        student (VisionLanguageModel): The student.
        teacher (VisionLanguageModel): The teacher.
        same_heads (bool): Maps are compared head by head.
        same_labels (bool): Logits are compared.

    Raises:
        UserError: If not.
    """
    ours, theirs = student.transformer, teacher.transformer
    if same_heads and ours.heads != theirs.heads:
        raise UserError(f'model.student has {ours.heads} heads and model.teacher {theirs.heads}, whose attention maps '
                        'are compared one by one: give both as many, or set model.average_heads=True')
    if theirs.positions < ours.positions:
        raise UserError(f'model.teacher reads {theirs.positions} words and model.student {ours.positions}: set '
                        f'model.student.transformer.positions to at most {theirs.positions}')
    if student.pieces.words != teacher.pieces.words:
        raise UserError('model.student and model.teacher have other word pieces: give both the same vocabulary')
    words = torch.ones(1, 3, dtype=torch.bool)
    if not torch.equal(*(model.task.mask(words, 2) for model in (student, teacher))):
        raise UserError("words of model.teacher see others than model.student's do: give both the same task, with the "
                        'same seq2seq')
    if same_labels and student.task.classes != teacher.task.classes:
        raise UserError("logits of model.teacher are of other things than model.student's, or in another order: give "
                        'both the same task, with the same answers, or set model.labels=0')
