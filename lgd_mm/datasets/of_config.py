"""The data sets that a config names."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config


def datasets_of(cfg: Config, split: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All dataset configs of a split, with their keys."""
    yield from _datasets(f'{split}_dataloader.dataset', (cfg.get(f'{split}_dataloader') or {}).get('dataset'))


def innermost(dataset: Any) -> Any:
    """The dataset config within wrappers that reads files; of several the first.

    Args:
        dataset (ConfigDict | dict): Of a loader; a wrapper may have a pipeline of its own.
    """
    while 'dataset' in dataset or 'datasets' in dataset:
        dataset = dataset['dataset'] if 'dataset' in dataset else dataset['datasets'][0]
    return dataset


def _datasets(key: str, dataset: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A dataset config and those it wraps, with their keys."""
    if isinstance(dataset, Mapping):
        yield key, dataset
        yield from _datasets(f'{key}.dataset', dataset.get('dataset'))
        yield from _datasets(f'{key}.source', dataset.get('source'))  # of texts
        for index, inner in enumerate(dataset.get('datasets') or ()):
            yield from _datasets(f'{key}.datasets.{index}', inner)
