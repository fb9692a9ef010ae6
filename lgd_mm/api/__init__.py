"""The front door: a few arguments in, a config built from the ready ones, and the same runner as ``tools/``."""

from typing import TYPE_CHECKING

from lgd_mm.moved import later

if TYPE_CHECKING:
    from lgd_mm.api.costing import cost
    from lgd_mm.api.embedding import Embeddings, embed
    from lgd_mm.api.evaluating import evaluate
    from lgd_mm.api.exporting import export
    from lgd_mm.api.finetuning import finetune
    from lgd_mm.api.prediction import Predictions, zero_shot
    from lgd_mm.api.pretraining import pretrain
    from lgd_mm.api.results import Run
    from lgd_mm.api.student import Student, load_student

__all__ = ['Embeddings', 'Predictions', 'Run', 'Student', 'cost', 'embed', 'evaluate', 'export', 'finetune',
           'load_student', 'pretrain', 'zero_shot']

#: Where each lies, to be imported on first use: ``lgd-mm`` answers misspelt paths and names before.
PLACES = dict(Embeddings='embedding', Predictions='prediction', Run='results', Student='student', cost='costing',
              embed='embedding', evaluate='evaluating', export='exporting', finetune='finetuning',
              load_student='student', pretrain='pretraining', zero_shot='prediction')
__getattr__, __dir__ = later(__name__, {name: f'{__name__}.{place}' for name, place in PLACES.items()})
