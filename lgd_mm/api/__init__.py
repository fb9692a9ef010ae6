"""The front door: a few arguments in, a config built from the ready ones, and the same runner as ``tools/``."""

from typing import TYPE_CHECKING

from lgd_mm.moved import later

if TYPE_CHECKING:
    from lgd_mm.api.asking import ask
    from lgd_mm.api.captioning import caption
    from lgd_mm.api.converting import convert
    from lgd_mm.api.costing import cost
    from lgd_mm.api.embedding import Embeddings, embed
    from lgd_mm.api.evaluating import evaluate
    from lgd_mm.api.exporting import export
    from lgd_mm.api.feature_files import Written, write_features
    from lgd_mm.api.finetuning import finetune
    from lgd_mm.api.indexing import index
    from lgd_mm.api.inspecting import inspect
    from lgd_mm.api.predicting import predict
    from lgd_mm.api.prediction import Predictions, zero_shot
    from lgd_mm.api.pretraining import pretrain
    from lgd_mm.api.results import Run
    from lgd_mm.api.student import Student, load_student
    from lgd_mm.prediction.outcome import Outcome
    from lgd_mm.vision_language.ask import Answers
    from lgd_mm.vision_language.caption import Captions

__all__ = ['Answers', 'Captions', 'Embeddings', 'Outcome', 'Predictions', 'Run', 'Student', 'Written', 'ask',
           'caption', 'convert', 'cost', 'embed', 'evaluate', 'export', 'finetune', 'index', 'inspect',
           'load_student', 'predict', 'pretrain', 'write_features', 'zero_shot']

#: Where each lies, to be imported on first use: ``lgd-mm`` answers misspelt paths and names before.
PLACES = dict(Embeddings='embedding', Predictions='prediction', Run='results', Student='student',
              Written='feature_files', ask='asking', caption='captioning', convert='converting', cost='costing',
              embed='embedding', evaluate='evaluating', export='exporting', finetune='finetuning', index='indexing',
              inspect='inspecting', load_student='student', predict='predicting', pretrain='pretraining',
              write_features='feature_files', zero_shot='prediction')
__getattr__, __dir__ = later(__name__, dict(
    {name: f'{__name__}.{place}' for name, place in PLACES.items()}, Outcome='lgd_mm.prediction.outcome',
    Answers='lgd_mm.vision_language.ask', Captions='lgd_mm.vision_language.caption'))
