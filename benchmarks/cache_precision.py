"""What 8 bits do to the pseudo labels of a teacher cache: ``python benchmarks/cache_precision.py CONFIG CACHE INT8``.

Both caches are of the same views; the config has the teacher, the names and the temperatures.
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config

from lgd_mm.engine.settings import load_config
from lgd_mm.models.necks.lgka import LGKA
from lgd_mm.registry import MODELS
from lgd_mm.teacher_cache import TeacherCache
from lgd_mm.teacher_cache.rows import embedding_of

#: Views that are compared at a time.
BATCH = 4096


def main() -> None:
    """Compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('config', 'cache', 'int8'):
        parser.add_argument(name)
    args = parser.parse_args()
    config = load_config(args.config, {}, None, launcher='none')
    caches = [TeacherCache(folder) for folder in (args.cache, args.int8)]
    for key in ('fingerprint', 'data', 'seed', 'pipeline', 'pictures'):
        assert caches[0].about[key] == caches[1].about[key], f'the caches differ in {key}'
    print(f'{caches[0].entry_type.itemsize} and {caches[1].entry_type.itemsize} bytes a view')
    lgka, temperature = lgka_of(config), config.model.head.teacher_temperature
    images = np.arange(caches[0].about['pictures'])
    found = [compared(*caches, some, lgka, temperature) for some in np.split(images, range(BATCH, len(images), BATCH))]
    cosine, same, change, divergence = torch.cat(found, dim=1)
    print(f'{len(same):,} views: cosine of the two embeddings {cosine.mean():.6f} (least {cosine.min():.6f}); '
          f'the same pseudo label {100 * same.mean():.2f} %; largest change of a probability {change.mean():.5f} '
          f'(most {change.max():.4f}); KL divergence {divergence.mean():.2e} nats (most {divergence.max():.2e})')


def lgka_of(config: Config) -> LGKA:
    """With the textual bank of the config's teacher."""
    return MODELS.build(dict(config.model.lgka, teacher=MODELS.build(config.model.teacher)))


@torch.no_grad()
def compared(exact: TeacherCache, rounded: TeacherCache, images: np.ndarray, lgka: LGKA,
             temperature: float) -> torch.Tensor:
    """Of the first view of some images: cosine, whether the label is the same, change, divergence, (4, n)."""
    ours, theirs = (torch.from_numpy(np.stack([embedding_of(cache.entry(0, int(image))) for image in images])).float()
                    for cache in (exact, rounded))
    labels, other = (F.softmax(lgka.textual_similarity(each) / temperature, dim=1) for each in (ours, theirs))
    divergence = (labels * (labels.clamp_min(1e-30).log() - other.clamp_min(1e-30).log())).sum(1)
    return torch.stack([F.cosine_similarity(ours, theirs), (labels.argmax(1) == other.argmax(1)).float(),
                        (labels - other).abs().amax(1), divergence])


if __name__ == '__main__':
    main()
