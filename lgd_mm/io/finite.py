"""Weights that are numbers."""

from collections.abc import Mapping
from typing import Any

from lgd_mm.errors import UserError


def check_finite(state: Mapping[str, Any], path: object) -> None:
    """See that no weight is NaN or infinite.

    Args:
        state (Mapping[str, Any]): Of a network; what is no tensor is passed over.
        path (object): Its file, for messages.

    Raises:
        UserError: If one is.
    """
    broken = next((key for key, value in state.items() if hasattr(value, 'is_floating_point')
                   and value.is_floating_point() and not value.isfinite().all()), None)
    if broken is not None:
        raise UserError(f'{path} has weights that are NaN or infinite ({broken}): take an earlier checkpoint')
