"""What was predicted so far, a line for each batch, so that the same command goes on where it was stopped."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.files import open_own, remove_parts, write_text
from lgd_mm.io.texts import read_json
from lgd_mm.prediction.asked import REQUEST, check_out

#: Lines of batches, until all is there.
LINES = '.unfinished.jsonl'


class Journal:
    """The journal in the folder of predictions. One process writes it.

    Args:
        folder (Path): Of the predictions; missing, empty, or of the same request.
        request (Mapping[str, Any]): Whatever decides on what is predicted, as plain data.

    Attributes:
        done (dict[str, Any], optional): What :meth:`finish` was given; None if there is something left to do.

    Raises:
        UserError: If the folder holds something else, or cannot be written to.
    """

    def __init__(self, folder: Path, request: Mapping[str, Any]) -> None:
        self.folder, self.request = folder, dict(request)
        check_out(folder)
        self.done: dict[str, Any] | None = None
        if (folder / REQUEST).exists():
            earlier = read_json(folder / REQUEST)
            before = earlier.get('request') if isinstance(earlier, dict) else None
            if before != self.request:
                differs = [key for key in self.request if not isinstance(before, dict)
                           or before.get(key) != self.request[key]]
                raise UserError(f'out: {folder} holds predictions of another command ({", ".join(differs)}): give '
                                'another folder, or remove it first')
            done = earlier.get('done')
            self.done = done if _is_done(done) else None
            remove_parts(folder, '*')
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._write_request()

    def entries(self) -> Iterator[dict[str, Any]]:
        """What :meth:`add` was given, in that order; a line that was not written to its end, or by somebody else, is
        taken out with all that follow."""
        path = self.folder / LINES
        if not path.exists():
            return
        with open_own(path) as file:
            file.seek(0)
            place = 0
            for line in iter(file.readline, ''):
                try:
                    entry = json.loads(line) if line.endswith('\n') else None
                except ValueError:
                    entry = None
                if entry is None or not _is_entry(entry):
                    break
                place += len(line.encode())
                yield entry
            else:
                return
            file.truncate(place)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Write a batch down.

        Args:
            entry (Mapping[str, Any]): Plain data.
        """
        with open_own(self.folder / LINES) as file:
            file.write(json.dumps(entry) + '\n')
            file.flush()
            os.fsync(file.fileno())

    def finish(self, done: Mapping[str, Any]) -> None:
        """All is there.

        Args:
            done (Mapping[str, Any]): To be known when the same is asked for again.
        """
        self.done = dict(done)
        self._write_request()
        (self.folder / LINES).unlink(missing_ok=True)

    def forget(self) -> None:
        """Take the journal away: there is nothing to go on with."""
        for name in (LINES, REQUEST):
            (self.folder / name).unlink(missing_ok=True)

    def _write_request(self) -> None:
        content = dict(request=self.request, **(dict(done=self.done) if self.done else {}))
        write_text(self.folder / REQUEST, json.dumps(content, indent=2) + '\n')


def _is_done(done: Any) -> bool:
    return (isinstance(done, dict) and type(done.get('images')) is int and isinstance(done.get('left_out'), list)
            and all(isinstance(line, str) for line in done['left_out']))


def _is_entry(entry: Any) -> bool:
    return (isinstance(entry, dict) and isinstance(entry.get('source'), str) and isinstance(entry.get('items'), list)
            and type(entry.get('next')) is int and entry['next'] >= 0 and isinstance(entry.get('ended'), bool)
            and all(map(_is_item, entry['items'])))


def _is_item(item: Any) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get('name'), str):
        return False
    return isinstance(item.get('unreadable'), str) or ('found' in item and isinstance(item.get('size'), list))
