"""A server of S3's answers that reading needs, HEAD and GET of byte ranges, which costs next to nothing: what is timed
beside it is the reader. ``python benchmarks/range_server.py FOLDER`` prints its address; a bucket is a folder there."""

import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Handler(BaseHTTPRequestHandler):
    """Answers from files."""

    protocol_version = 'HTTP/1.1'

    def do_HEAD(self) -> None:  # noqa: N802
        """Size and tag."""
        self._answer(content=False)

    def do_GET(self) -> None:  # noqa: N802
        """The bytes of a range."""
        self._answer(content=True)

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _answer(self, content: bool) -> None:
        file = Path(sys.argv[1], unquote(urlsplit(self.path).path).lstrip('/'))
        if '..' in file.parts or not file.is_file():
            self.send_response(404)
            self.send_header('Content-Length', '0')
            self.end_headers()
            return
        size = file.stat().st_size
        asked = re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('Range') or '')
        begin = int(asked[1]) if asked else 0
        end = min(int(asked[2]) + 1, size) if asked and asked[2] else size
        self.send_response(206 if asked else 200)
        self.send_header('ETag', f'"{size}-{file.stat().st_mtime_ns}"')
        self.send_header('Content-Length', str(end - begin))
        if asked:
            self.send_header('Content-Range', f'bytes {begin}-{end - 1}/{size}')
        self.end_headers()
        if content:
            self.wfile.flush()
            with file.open('rb') as opened:
                while begin < end:
                    begin += os.sendfile(self.connection.fileno(), opened.fileno(), begin, end - begin)


if __name__ == '__main__':
    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        server.daemon_threads = True
        print(f'http://127.0.0.1:{server.server_address[1]}', flush=True)
        server.serve_forever()
