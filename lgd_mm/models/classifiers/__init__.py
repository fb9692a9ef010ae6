"""Classifiers that judge a frozen student."""

from lgd_mm.models.classifiers.few_shot import FewShotProbe
from lgd_mm.models.classifiers.knn import KNNClassifier
from lgd_mm.models.classifiers.linear_probe import LinearProbe

__all__ = ['FewShotProbe', 'KNNClassifier', 'LinearProbe']
