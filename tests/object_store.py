"""An S3 server on this machine, and a way to it on which things go wrong."""

import http.client
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from moto.server import ThreadedMotoServer

#: What the libraries of S3 read; moto takes any key.
ENVIRONMENT = dict(AWS_ACCESS_KEY_ID='testing', AWS_SECRET_ACCESS_KEY='testing', AWS_DEFAULT_REGION='us-east-1')


@contextmanager
def s3_server() -> Iterator[str]:
    """Run the server.

    Yields:
        str: Its address.
    """
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f'http://127.0.0.1:{port}'
    finally:
        server.stop()


@contextmanager
def flaky_process(share: float) -> Iterator[tuple[str, str]]:
    """Run both in a process of their own.

    Yields:
        tuple[str, str]: Address of the server, and of the way on which a share of requests goes wrong.
    """
    command = [sys.executable, '-m', 'tests.object_store', str(share)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          cwd=Path(__file__).parents[1]) as process:
        try:
            server, way = process.stdout.readline().split()
            yield server, way
        finally:
            process.kill()


def client(address: str):
    """boto3's client of the server, which goes no detours."""
    return boto3.client('s3', endpoint_url=address, aws_access_key_id='testing', aws_secret_access_key='testing',
                        region_name='us-east-1')


def upload(address: str, folder: Path, bucket: str, prefix: str = '') -> None:
    """Put all files below a folder into a bucket, which is made."""
    store = client(address)
    store.create_bucket(Bucket=bucket)
    for file in sorted(folder.rglob('*')):
        if file.is_file():
            store.put_object(Bucket=bucket, Key=f'{prefix}{file.relative_to(folder).as_posix()}',
                             Body=file.read_bytes())


class FlakyServer(ThreadingHTTPServer):
    """Hands requests on, of which a share is refused, answered slowly, or cut off in the middle of the answer.

    Args:
        address (str): Of the server behind it.
        share (float): Of requests that go wrong.
        seed (int): Decides which.

    Attributes:
        refusal (tuple[int, str], optional): Status and S3's code with which every request is refused.
        requests (int): That came.
        failed (int): That went wrong.
    """

    daemon_threads = True

    def __init__(self, address: str, share: float, seed: int = 0) -> None:
        super().__init__(('127.0.0.1', 0), _Handler)
        self.behind, self.share, self.random = urlsplit(address), share, random.Random(seed)
        self.refusal: tuple[int, str] | None = None
        self.requests = self.failed = 0
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        return f'http://127.0.0.1:{self.server_address[1]}'

    def mishap(self) -> str | None:
        """What happens to the next request."""
        with self.lock:
            self.requests += 1
            if self.random.random() >= self.share:
                return None
            self.failed += 1
            return self.random.choice(['refused', 'slow', 'cut', 'hung up'])

    def handle_error(self, *_: object) -> None:
        """Clients may go away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server: FlakyServer

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        mishap = self.server.mishap()
        if self.server.refusal:
            status, code = self.server.refusal
            self._answer(status, f'<?xml version="1.0"?><Error><Code>{code}</Code></Error>'.encode())
            return
        if mishap == 'hung up':
            self.close_connection = True
            return
        if mishap == 'refused':
            self._answer(503, b'')
            return
        if mishap == 'slow':
            time.sleep(0.3)
        behind = http.client.HTTPConnection(self.server.behind.hostname, self.server.behind.port)
        behind.request(self.command, self.path, body, dict(self.headers))
        answer = behind.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ('transfer-encoding', 'connection', 'content-length', 'server', 'date'):
                self.send_header(key, value)
        length = answer.getheader('Content-Length') if self.command == 'HEAD' else len(content)
        self.send_header('Content-Length', str(length))
        self.end_headers()
        if mishap == 'cut' and content:
            self.wfile.write(content[:len(content) // 2])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
        elif self.command != 'HEAD':
            self.wfile.write(content)
        behind.close()

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _hand_on


@contextmanager
def flaky(address: str, share: float = 0.05, seed: int = 0) -> Iterator[FlakyServer]:
    """Run a :class:`FlakyServer`."""
    server = FlakyServer(address, share, seed)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


if __name__ == '__main__':
    with s3_server() as _server, flaky(_server, float(sys.argv[1])) as _way:
        print(_server, _way.address, flush=True)
        threading.Event().wait()
