"""What the libraries say is kept from the user."""

import io
import logging
import warnings

from mmengine.logging import MMLogger

from lgd_mm.exports.quiet import quietly


def test_loggers_are_silent_and_speak_again(capsys):
    """mmengine's is not one of logging's own, and remembers what was enabled before."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    loggers = MMLogger.get_current_instance(), logging.getLogger('some.library')
    for logger in loggers:
        logger.addHandler(handler)
    loggers[1].setLevel('INFO')
    try:
        for logger in loggers:
            logger.info('before')
        with quietly():
            print('printed')
            warnings.warn('warned', stacklevel=1)
            for logger in loggers:
                logger.info('within')
                logger.error('error')
        for logger in loggers:
            logger.info('after')
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
    assert said.getvalue().split() == ['before'] * 2 + ['error'] * 2 + ['after'] * 2
    assert 'printed' not in capsys.readouterr().out
