"""An inspection as a page."""

from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.inspection.charts import size_charts
from lgd_mm.inspection.examples import draw_examples
from lgd_mm.inspection.facts import Inspection
from lgd_mm.inspection.facts_in_words import facts_of
from lgd_mm.inspection.own_page import MARK, check_page
from lgd_mm.io.files import write_text
from lgd_mm.report.page import render_page

#: Classes that are shown without being asked for.
CLASSES = 25


def write_page(found: Inspection, out: Path) -> None:
    """Write ``inspection.html``, whole or not at all.

    Args:
        found (Inspection): The set.
        out (Path): The file; it may be there, from an earlier time.

    Raises:
        UserError: If another file is there, or it cannot be written.
    """
    check_page(out)
    parts = [part for part in found.parts if part]
    most = max((sum(counts.values()) for counts in found.classes.of.values()), default=0)
    rows = [(name, [found.classes.of[name][part] for part in parts], sum(found.classes.of[name].values()))
            for name in found.classes.sorted()]
    page = render_page(
        Path(__file__).parent / 'inspection.html.jinja', mark=MARK, title=f'What is in {found.folder.name}',
        facts=facts_of(found), parts=parts, found=found, rows=rows, shown=CLASSES, most=most, charts=size_charts(found),
        examples=draw_examples(found))
    try:
        write_text(out, page)
    except OSError as error:
        raise UserError(f'{out} cannot be written ({error.strerror}): give another --out FILE.html') from error
