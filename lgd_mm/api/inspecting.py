"""A data set looked at."""

import os
from pathlib import Path

from lgd_mm.api.images import images_in
from lgd_mm.inspection.facts import Inspection
from lgd_mm.inspection.inspect_folder import inspect_folder
from lgd_mm.inspection.own_page import check_page
from lgd_mm.inspection.page import write_page


def inspect(folder: str | Path, out: str | Path | None = None) -> Inspection:
    """Look at a data set before anything is trained: format, parts, classes, sizes and problems.

    Args:
        folder (str | Path): Of any format of ``docs/own_data.md``, or of images without labels; nothing is changed in
            it.
        out (str | Path, optional): An HTML file to write, which needs nothing beside it. Defaults to None: none.

    Returns:
        Inspection: What was found.

    Raises:
        UserError: If the folder is missing or has no image, or another file than such a page would be replaced.
    """
    if out is not None:
        check_page(Path(out))
    found = inspect_folder(folder, images_in(os.path.abspath(folder), 'folder'))
    if out is not None:
        write_page(found, Path(out))
    return found
