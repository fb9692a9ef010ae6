"""How the keys of a checkpoint meet a network's."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

#: Ends the key of how many batches a norm has seen: torch before 0.4.1 wrote none, and it changes no output.
COUNT = 'num_batches_tracked'
#: Keys of each kind that are named.
SHOWN = 4


@dataclass(frozen=True)
class KeyReport:
    """How the keys of a file meet a network's.

    Attributes:
        matched (tuple[str, ...]): In both, with the same shape.
        missing (tuple[str, ...]): The network's alone, but for the counts of batches of older norms.
        unexpected (tuple[str, ...]): The file's alone.
        mismatched (tuple[str, ...]): In both, with another shape, or whole numbers where the network has others.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[str, ...]

    @classmethod
    def compare(cls, network: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> 'KeyReport':
        """Compare two state dicts, in the network's order."""
        shared = {key: _fits(network[key], weights[key]) for key in network if key in weights}
        return cls(
            matched=tuple(key for key, fits in shared.items() if fits),
            missing=_without_counts([key for key in network if key not in weights]),
            unexpected=tuple(key for key in weights if key not in network),
            mismatched=tuple(key for key, fits in shared.items() if not fits))

    @classmethod
    def of_loading(cls, network: nn.Module, weights: Mapping[str, Tensor]) -> 'KeyReport':
        """Load a state dict, and compare what the modules made of it: some convert what they know of older versions.

        Raises:
            RuntimeError: Of a module, of something else than its shapes.
        """
        missing: list[str] = []
        unexpected: list[str] = []
        mismatched: list[str] = []
        try:
            missing, unexpected = network.load_state_dict(weights, strict=False)
        except RuntimeError as error:
            mismatched = re.findall(r'size mismatch for (\S+):', str(error))
            if not mismatched:
                raise
        matched = [key for key in network.state_dict() if key not in {*missing, *mismatched}]
        return cls(tuple(matched), _without_counts(missing), tuple(unexpected), tuple(mismatched))

    @property
    def lacking(self) -> tuple[str, ...]:
        """The network's keys that are not filled."""
        return self.missing + self.mismatched

    @property
    def complete(self) -> bool:
        """Whether every key of the network is filled."""
        return not self.lacking

    @property
    def total(self) -> int:
        """Number of the network's keys."""
        return len(self.matched) + len(self.lacking)

    @property
    def differences(self) -> list[str]:
        """``3 missing (KEY, KEY, KEY)`` and the like; nothing if the keys are the same."""
        kinds = dict(missing=self.missing, mismatched=self.mismatched, unexpected=self.unexpected)
        return [f'{len(keys)} {kind} ({named(keys)})' for kind, keys in kinds.items() if keys]

    def __str__(self) -> str:
        return '\n  '.join([f'{len(self.matched)} of {self.total} backbone keys matched', *self.differences])


def named(keys: Collection[str]) -> str:
    """The first of some keys."""
    return ', '.join([*list(keys)[:SHOWN], *(['...'] if len(keys) > SHOWN else [])])


def _fits(ours: Tensor, theirs: Tensor) -> bool:
    """Quantised weights are of the same shape, but mean others; for a scalar, torch takes a row of one."""
    same = ours.shape == theirs.shape or (ours.dim() == 0 and theirs.shape == (1, ))
    return same and (theirs.is_floating_point() or not ours.is_floating_point())


def _without_counts(missing: Collection[str]) -> tuple[str, ...]:
    """Missing keys but for the counts of norms that are there."""
    return tuple(key for key in missing
                 if not key.endswith(COUNT) or key.removesuffix(COUNT) + 'running_mean' in missing)
