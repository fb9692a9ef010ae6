"""The front door: a few arguments in, a config built from the ready ones, and the same runner as ``tools/``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lgd_mm.api.embedding import Embeddings, embed
    from lgd_mm.api.evaluating import evaluate
    from lgd_mm.api.finetuning import finetune
    from lgd_mm.api.prediction import Predictions, zero_shot
    from lgd_mm.api.pretraining import pretrain
    from lgd_mm.api.results import Run
    from lgd_mm.api.student import Student, load_student

__all__ = ['Embeddings', 'Predictions', 'Run', 'Student', 'embed', 'evaluate', 'finetune', 'load_student', 'pretrain',
           'zero_shot']

#: Where each lies, to be imported on first use: ``lgd-mm`` answers misspelt paths and names before.
PLACES = dict(Embeddings='embedding', Predictions='prediction', Run='results', Student='student', embed='embedding',
              evaluate='evaluating', finetune='finetuning', load_student='student', pretrain='pretraining',
              zero_shot='prediction')


def __getattr__(name: str) -> Any:
    if name in PLACES:
        return getattr(import_module(f'{__name__}.{PLACES[name]}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted([*globals(), *PLACES])
