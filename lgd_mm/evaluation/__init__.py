"""k-NN, zero-shot and linear probe on the features of a frozen student, which are computed once."""

from lgd_mm.evaluation.evaluate import evaluate_features, evaluate_student
from lgd_mm.evaluation.features import Features

__all__ = ['Features', 'evaluate_features', 'evaluate_student']
