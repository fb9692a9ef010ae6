"""A pre-training is watched on held-out images while it goes on, and is not changed by it."""

from lgd_mm.watching.images import WatchedImages
from lgd_mm.watching.loop import StudentValLoop
from lgd_mm.watching.metrics import NeighbourAccuracy, RankMe, ZeroShotAccuracy

__all__ = ['NeighbourAccuracy', 'RankMe', 'StudentValLoop', 'WatchedImages', 'ZeroShotAccuracy']
