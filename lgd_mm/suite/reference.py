"""The entry that the others of a suite are compared with."""

from lgd_mm.suite.schema import Results


def reference_of(results: Results) -> str | None:
    """Label of the suite's ``reference``, else of its first entry; None without a second entry.

    Args:
        results (Results): The content of ``results.json``.
    """
    labels = [entry.label for entry in results.entries]
    if len(labels) < 2:
        return None
    return results.reference if results.reference in labels else labels[0]
