"""A cost on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lgd_mm.costs.report import Cost, Timing

#: Of a core, that other work takes without being in the way.
QUIET = 0.1


def cost_table(cost: Cost) -> RenderableType:
    """What was counted, and a row for each way to run the student.

    Args:
        cost (Cost): As it was measured.

    Returns:
        RenderableType: For a rich console.
    """
    table = Table('run by', 'latency, ms', 'images/s', 'memory', 'J/image')
    for timing in cost.timings:
        table.add_row(*map(Text, (ran_by(timing), format_latency(timing), f'{timing.images_per_second:.4g}',
                                  '–' if timing.memory_mb is None else f'{timing.memory_mb:.0f} MiB',
                                  '–' if timing.joules is None else f'{timing.joules:.3g}')))
    head = Text(f'{cost.student}: {cost.architecture}\n{cost.parameters / 1e6:.2f} million parameters, '
                f'{cost.multiply_adds / 1e9:.3f} x 10^9 multiply-adds for an image of {cost.size} x {cost.size}')
    return Group(head, *([table] if cost.timings else []), *(Text(note, 'dim') for note in cost_notes(cost)))


def cost_notes(cost: Cost) -> list[str]:
    """What must be known beside the figures, as sentences.

    Args:
        cost (Cost): As it was measured.
    """
    cores = f'{cost.cores} core{"s" if cost.cores > 1 else ""}'
    notes = [f'Latency: one image, median (first to third quartile); images/s: batches of {cost.batch}; memory: what '
             f'the network takes at most for one image; {cost.processor}, {cores}, {cost.date}.',
             'Multiply-adds of convolutions, matrix products and attention; FLOPs are twice as many.']
    notes += dict.fromkeys(f'{timing.device}: {timing.runtime}.' for timing in cost.timings)
    if busy := busy_sentence(cost):
        notes.append(busy)
    reasons = dict.fromkeys(timing.no_joules for timing in cost.timings if timing.no_joules)
    return [*notes, *(f'J/image: {reason}.' for reason in reasons), *cost.missing]


def busy_sentence(cost: Cost) -> str | None:
    """How far other work was in the way; None if it was not.

    Args:
        cost (Cost): As it was measured.
    """
    on_cpu = [timing for timing in cost.timings if timing.device == 'CPU']
    known = [timing.others for timing in on_cpu if timing.others is not None]
    if len(known) < len(on_cpu):
        return 'Whether other work was in the way is not known: the machine does not tell.'
    if not known or max(known) <= QUIET:
        return None
    most = max(known)
    took = f'{100 * most:.0f} % of a core' if most < 1 else f'{most:.1f} cores'
    return (f'Measured while other work took {took}: times are upper bounds, and images/s a lower one; measure again '
            'when the machine is idle.')


def ran_by(timing: Timing) -> str:
    """``CPU, 1 thread``.

    Args:
        timing (Timing): Any.
    """
    threads = '' if timing.threads is None else f', {timing.threads} thread{"s" if timing.threads > 1 else ""}'
    return f'{timing.device}{threads}'


def format_latency(timing: Timing) -> str:
    """``3.21 (3.15 to 3.40)``, in milliseconds.

    Args:
        timing (Timing): Any.
    """
    return f'{timing.milliseconds:.2f} ({timing.lower:.2f} to {timing.upper:.2f})'
