"""Files of features: which may be written."""

from importlib.util import find_spec
from pathlib import Path

from lgd_mm.errors import UserError

FORMATS = ('.parquet', '.npy')


def check_features(out: Path) -> None:
    """See that features may be written to a file.

    Args:
        out (Path): The file.

    Raises:
        UserError: If it is in another format, or in one that lacks a library, or is there already.
    """
    if out.suffix not in FORMATS:
        raise UserError(f'out: {out} is neither .parquet nor .npy: give a file with one of these endings')
    if out.suffix == '.parquet' and find_spec('pyarrow') is None:
        raise UserError(f'out: {out} needs pyarrow: pip install pyarrow, or give a file that ends with .npy')
    taken = next((file for file in (out, names_beside(out)) if file.exists()), None)
    if taken is not None:
        raise UserError(f'out: {taken} exists: give another file, or remove it first')


def names_beside(out: Path) -> Path:
    """The file that has the names of the images.

    Args:
        out (Path): Of the features.
    """
    return out if out.suffix == '.parquet' else out.with_suffix('.csv')
