"""A metric on clean and on corrupted images, each corruption for itself."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from mmengine.evaluator import BaseMetric

from lgd_mm.console.quiet import quietly
from lgd_mm.errors import UserError
from lgd_mm.registry import METRICS

#: What was done to an image: a corruption (None: nothing), and its severity.
Part = tuple[str | None, int]


@METRICS.register_module()
class CorruptionMetric(BaseMetric):
    """Computes metrics for the clean images and for each corruption and severity of
    :class:`lgd_mm.datasets.CorruptedImages`, and averages the figures, not the images: of detections this is the mean
    performance under corruption, mPC (Michaelis et al. 2019, `arXiv:1907.07484 <https://arxiv.org/abs/1907.07484>`_,
    Eq. 1); of classifications the mean accuracy on ImageNet-C, without the division by AlexNet's errors that makes an
    mCE of it (Hendrycks and Dietterich 2019, `arXiv:1903.12261 <https://arxiv.org/abs/1903.12261>`_).

    Logs the figures of the clean images under the names that the metrics give them, and for each measure

    - ``corrupted/MEASURE/mean``: over all corruptions and severities;
    - ``corrupted/MEASURE/relative``: that mean divided by the figure of the clean images (rPC, Eq. 2);
    - ``corrupted/MEASURE/fog`` ...: over the severities of a corruption;
    - ``corrupted/MEASURE/severity3`` ...: over the corruptions of a severity.

    Args:
        metric (dict | Sequence[dict]): Configs of mmengine metrics which keep one result for each image, as Accuracy,
            CocoMetric and IoUMetric do.
        measures (str | Sequence[str]): Their figures that are averaged, by the names they log, such as
            ``'coco/bbox_mAP'``; MEASURE is the last part of it.
        **kwargs (Any): Of :class:`mmengine.evaluator.BaseMetric`.

    Raises:
        UserError: If two measures have the same last part.
    """

    def __init__(self, metric: Mapping[str, Any] | Sequence[Mapping[str, Any]], measures: str | Sequence[str],
                 **kwargs: Any) -> None:
        with quietly():  # it warns that there is no prefix: the inner metrics have theirs
            super().__init__(**kwargs)
        listed = [metric] if isinstance(metric, Mapping) else metric
        self.metrics: list[BaseMetric] = [METRICS.build(dict(each)) for each in listed]
        self.measures = [measures] if isinstance(measures, str) else list(measures)
        names = [_short(measure) for measure in self.measures]
        if len(set(names)) < len(names):
            raise UserError(f'measures of lgd_mm.CorruptionMetric are {self.measures}: two have the same last part')

    @property
    def dataset_meta(self) -> dict[str, Any] | None:
        """Of the data set; the inner metrics have the same."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict[str, Any]) -> None:
        self._dataset_meta = meta
        for metric in self.metrics:
            metric.dataset_meta = meta

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep what the inner metrics keep of each image, with what was done to it."""
        for sample in data_samples:
            if 'corruption' not in sample:
                raise UserError('lgd_mm.CorruptionMetric measures the images of lgd_mm.CorruptedImages: put it around '
                                'the data set of the same loader')
            kept = []
            for metric in self.metrics:
                metric.process(data_batch, [sample])
                [result] = metric.results
                kept.append(result)
                metric.results.clear()
            self.results.append(((sample['corruption'], sample['severity']), kept))

    def compute_metrics(self, results: list[tuple[Part, list[Any]]]) -> dict[str, float]:
        """The figures of each part, and their means.

        Args:
            results (list[tuple[Part, list]]): What was done to an image, and what each metric has kept of it.

        Returns:
            dict[str, float]: By the names above.

        Raises:
            UserError: If a measure is none of the metrics' figures.
        """
        kept: dict[Part, list[list[Any]]] = {}
        for part, result in results:
            kept.setdefault(part, []).append(result)
        clean = self._figures(kept.pop((None, 0)))
        for measure in self.measures:
            if measure not in clean:
                raise UserError(f'measures of lgd_mm.CorruptionMetric name {measure}, and there are '
                                f'{", ".join(clean)}')
        with quietly():  # a table for each part
            figures = {part: self._figures(each) for part, each in kept.items()}
        means = {f'corrupted/{_short(measure)}/{name}': value for measure in self.measures for name, value in _means(
            {part: float(each[measure]) for part, each in figures.items()}, float(clean[measure])).items()}
        return {**clean, **means}

    def _figures(self, results: list[list[Any]]) -> dict[str, float]:
        found: dict[str, float] = {}
        for metric, own in zip(self.metrics, zip(*results)):
            prefix = f'{metric.prefix}/' if metric.prefix else ''
            found.update({f'{prefix}{key}': value for key, value in metric.compute_metrics(list(own)).items()})
        return found


def _short(measure: str) -> str:
    return measure.rpartition('/')[2]


def _means(figures: Mapping[Part, float], clean: float) -> dict[str, float]:
    """The mean of the parts, in relation to the clean figure, of each corruption and of each severity."""
    mean = fmean(figures.values())
    means = dict(mean=mean, relative=mean / clean if clean else float('nan'))
    for position, prefix in ((0, ''), (1, 'severity')):
        for value in dict.fromkeys(part[position] for part in figures):
            means[f'{prefix}{value}'] = fmean(figure for part, figure in figures.items() if part[position] == value)
    return means
