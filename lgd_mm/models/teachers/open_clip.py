"""Any open_clip model as a frozen teacher."""

import functools
import logging
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from unittest.mock import patch

import open_clip
import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from open_clip.pretrained import get_pretrained_cfg
from torch import Tensor, nn

from lgd_mm.console.words import first_line
from lgd_mm.errors import MissingError, UserError
from lgd_mm.io.digests import file_digest
from lgd_mm.io.networks import find_network
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.language.rows import some
from lgd_mm.models.teachers.base import Teacher
from lgd_mm.models.teachers.dense import dense_tower
from lgd_mm.models.teachers.dense_tower import DenseTower
from lgd_mm.models.teachers.folder import check_folder, check_merges, of_hugging_face
from lgd_mm.models.teachers.folding import fold
from lgd_mm.models.teachers.tags import tag_of_file
from lgd_mm.models.teachers.weights import fit_state, resolve_weights
from lgd_mm.registry import MODELS
from lgd_mm.safety.bounded_build import bounded_build

LOCAL_DIR = 'local-dir:'


@MODELS.register_module()
class OpenCLIPTeacher(Teacher):
    """Frozen image tower of an open_clip model; its text tower encodes the category names once.

    It never leaves eval mode and takes the student's images: it undoes the student's normalisation, applies its own and
    resizes to its own size where the view has another.

    Args:
        model (str): An open_clip name such as ``'RN50'`` or ``'ViT-B-16-SigLIP'``, or ``'local-dir:FOLDER'`` with
            open_clip's ``open_clip_config.json`` and weights (and ``bpe.txt.gz`` if it has a vocabulary of its own).
            Defaults to ``'RN50'``.
        pretrained (str): One of the model's tags, downloaded if it is not cached, or a weights file, whose tag is found
            as far as it can be told. Not used with ``local-dir:``. Defaults to ``'openai'``.
        checkpoint (str, optional): A local file with the tag's weights, for machines without network; the tag still
            says which activation, image statistics and interpolation they need. Defaults to None.
        precision (str): ``'fp32'``, ``'bf16'`` or ``'fp16'``. Defaults to ``'fp32'``.
        dense_stride (int, optional): Pixels between two positions of its maps, for dense guidance: 32, 16 or 8 of a
            CLIP ResNet, finer ones cost more. Defaults to None: the tower's own.
        dense_mode (str, optional): What the last attention becomes for its maps: ``'maskclip'``, and of a CLIP ViT
            ``'clearclip'`` or ``'naclip'``, too, see :mod:`lgd_mm.models.teachers.vit_positions`. Defaults to None:
            ``'maskclip'`` where the tower has a last attention that chooses what to pool.

    Attributes:
        embed_dim (int): Width D of the joint embedding space.
        fingerprint (str): Identifies model and weights.

    Raises:
        UserError: If the model is unknown or its weights cannot be had.
    """

    def __init__(self, model: str = 'RN50', pretrained: str = 'openai', checkpoint: str | None = None,
                 precision: str = 'fp32', dense_stride: int | None = None,
                 dense_mode: str | None = None) -> None:
        if model.startswith(LOCAL_DIR):
            weights, tag = _folder_weights(Path(model.removeprefix(LOCAL_DIR))), {}
        elif model in open_clip.list_models():
            if checkpoint is None and not get_pretrained_cfg(model, pretrained) and Path(pretrained).is_file():
                found = tag_of_file(model, pretrained, 'model.teacher.pretrained=TAG and model.teacher.checkpoint=FILE')
                pretrained, checkpoint = found or pretrained, pretrained
            weights, tag = resolve_weights(model, pretrained, checkpoint), get_pretrained_cfg(model, pretrained)
        else:
            near = get_close_matches(model, open_clip.list_models()) or ['RN50', 'ViT-B-16']
            raise UserError(f'model.teacher.model: open_clip knows no model {model!r}; near it: {", ".join(near)}')
        source = model, weights, bool(tag.get('quick_gelu'))
        clip = _load(*source)
        preprocess = open_clip.get_model_preprocess_cfg(clip)
        super().__init__(
            tag.get('mean') or preprocess.get('mean') or OPENAI_DATASET_MEAN,
            tag.get('std') or preprocess.get('std') or OPENAI_DATASET_STD, _pair(clip.visual.image_size), precision,
            'bilinear' if (tag or preprocess).get('interpolation') == 'bilinear' else 'bicubic')
        self.visual: nn.Module = fold(clip.visual.eval())
        self.embed_dim = int(open_clip.get_model_config(model)['embed_dim'])
        self.fingerprint = _fingerprint(*source) + (' bilinear' if self.interpolation == 'bilinear' else '')
        self._source = source
        self._text: tuple[Any, ...] | None = None  # a tuple[Any, ...] hides it from nn.Module
        self._dense = dense_stride, dense_mode
        self.freeze()

    def encode_image(self, images: Tensor) -> Tensor:
        """Embed images (B, 3, H, W) of the teacher's own statistics and size as (B, D)."""
        features = self.visual(images)
        return features[0] if isinstance(features, tuple) else features  # CoCa returns its tokens as well

    def check_dense(self) -> None:
        """See that the tower has embeddings of positions.

        Raises:
            UserError: If it has none.
        """
        self._dense_tower  # noqa: B018

    @property
    def takes_any_size(self) -> bool:
        """Whether its positions may be those of images of any size."""
        return self._dense_tower.takes_any_size

    def encode_both(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images and every position of them, see :func:`lgd_mm.models.teachers.dense.dense_tower`."""
        return self._dense_tower(images)

    def encode_dense(self, images: Tensor) -> Tensor:
        """Embed every position alone."""
        return self._dense_tower.positions(images)

    @functools.cached_property
    def _dense_tower(self) -> DenseTower:
        """Made when it is asked for: most teachers are not, and a tower without maps serves all the same."""
        return dense_tower(self.visual, *self._dense)

    @torch.no_grad()
    def encode_text(self, texts: list[str]) -> Tensor:
        """Embed texts. The text tower is read at the first call and kept until :meth:`release_text`.

        Args:
            texts (list[str]): N prompts.

        Returns:
            Tensor: Embeddings (N, D) on the CPU, not normalised.

        Raises:
            UserError: If the model's tokenizer needs a package or a file that is not there.
        """
        device = get_device()
        if self._text is None:
            with torch.random.fork_rng(devices=[]):  # a bank from the cache and one made here leave the same seed
                self._text = _load(*self._source).to(device).eval(), _tokenizer(self._source[0])
        clip, tokenize = self._text
        _tell_cut(tokenize, texts)
        return clip.encode_text(tokenize(texts).to(device)).float().cpu()

    def release_text(self) -> None:
        """Give the text tower's memory back."""
        self._text = None


def _load(model: str, weights: Path, quick_gelu: bool) -> Any:
    """Build a model without weights, then read them with ``weights_only``."""
    # create_model() warns that the weights are random: true for the moment before they are read.
    random_weights = lambda record: not record.getMessage().startswith('No pretrained weights loaded')  # noqa: E731
    network = find_network(load_checkpoint_file(weights), weights)
    logging.getLogger().addFilter(random_weights)
    try:
        with bounded_build(network.state.values(), weights):  # a folder's config may ask for any size
            clip = open_clip.create_model(model, load_weights=False, force_quick_gelu=quick_gelu,
                                          pretrained_image=False, pretrained_text=False)
        with patch('open_clip.factory.load_state_dict',
                   lambda path, *_, **__: fit_state(network, path, clip.state_dict())):
            open_clip.load_checkpoint(clip, str(weights), strict=True, weights_only=True)
    except UserError:
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        reason = lines[1 if lines[0].startswith('Error(s) in loading') and lines[1:] else 0][:300]
        raise UserError(f'teacher weights {weights} cannot be loaded into {model} ({reason}): they must be a state '
                        'dict of that model in a .safetensors or plain .pt file') from error
    finally:
        logging.getLogger().removeFilter(random_weights)
    return clip


def _fingerprint(model: str, weights: Path, quick_gelu: bool) -> str:
    """Digest of all that decides the embeddings; a folder counts by its files, wherever it lies."""
    if not model.startswith(LOCAL_DIR):
        return f'{model} {quick_gelu} {file_digest(weights)}'
    files = (weights, weights.with_name('open_clip_config.json'), weights.with_name('bpe.txt.gz'))
    return ' '.join(file_digest(file) for file in files if file.is_file())


def _folder_weights(folder: Path) -> Path:
    """The weights of an open_clip folder, as open_clip chooses them."""
    if not (folder / 'open_clip_config.json').is_file():
        raise UserError(f'model.teacher.model: {folder} holds no open_clip_config.json')
    check_folder(folder)
    for name in ('open_clip_model.safetensors', 'open_clip_pytorch_model.bin'):
        if (folder / name).is_file():
            return folder / name
    raise UserError(f'model.teacher.model: {folder} holds no open_clip_model.safetensors')


def _tokenizer(model: str) -> open_clip.SimpleTokenizer:
    """The model's tokenizer; a local folder may bring its own byte-pair merges."""
    merges = Path(model.removeprefix(LOCAL_DIR)) / 'bpe.txt.gz'
    own: dict[str, Any] = {}
    if model.startswith(LOCAL_DIR) and merges.exists():
        check_merges(merges)
        own = {'bpe_path': str(merges)}
    if model.startswith(LOCAL_DIR) and of_hugging_face(Path(model.removeprefix(LOCAL_DIR))):
        own = {'trust_remote_code': False, 'local_files_only': True}  # else transformers asks at the terminal
    try:
        return open_clip.get_tokenizer(model, **own)
    except (ImportError, OSError) as error:
        reason = first_line(error)
        raise MissingError(f'the tokenizer of teacher {model} cannot be loaded ({reason}): install "lgd_mm[optional]", '
                           'and where there is no network put the tokenizer into the local hub cache') from error


def _tell_cut(tokenize: Any, texts: list[str]) -> None:
    """Say which texts are longer than what the text tower reads."""
    context = tokenize.context_length
    long = [text for text in texts if len(text.encode()) + 2 > context]  # a token is a byte at least
    if not long:
        return
    behind = tokenize(long, context_length=2 * context)[:, context:]
    cut = [text for text, tokens in zip(long, behind) if (tokens != tokens[-1]).any()]
    if cut:
        print_log(f'{len(cut)} of {len(texts)} prompts are longer than the {context} tokens that the text tower reads, '
                  f'and are cut off: {some(cut)}', logger='current', level=logging.WARNING)


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)
