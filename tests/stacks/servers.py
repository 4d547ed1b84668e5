"""What `run` starts: stacks and gateways, each in a process group of its own, and the certificates that gateways use."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import threading
import time

import parts

PATH = "/amlyze-ws-rest/batch-account-balances"
TOKEN = secrets.token_urlsafe(24)


SERVING = []
HANDED_OUT = set()
HANDING_OUT = threading.Lock()


def free_port():
    """A port that is free, and that nobody here was given before."""
    with HANDING_OUT:
        while True:
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                port = listener.getsockname()[1]
            if port not in HANDED_OUT:
                HANDED_OUT.add(port)
                return port


def certificates(where):
    """A certificate authority of our own, and a server certificate for localhost: ca.pem, server.pem, server.key."""
    where.mkdir()
    (where / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=where, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=stacks CA", *authority)
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "names"]
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signing)
    (where / "both.pem").write_text((where / "server.pem").read_text() + (where / "server.key").read_text())
    where.chmod(0o755)


def asks_for_credentials(port, context):
    if context is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    else:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    connection.request("POST", PATH, "{}", {"Content-Type": "application/json"})
    return connection.getresponse().status == 401


def agrees_on_http_2(port, context):
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted:
            return encrypted.selected_alpn_protocol() == "h2"


class Service:
    """A stack or gateway, in a process group of its own that `close` ends."""

    def __init__(self, name, scratch, **environment):
        scratch.mkdir(mode=0o755)
        self.name, self.log = name, scratch / "output.txt"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [parts.directory(name) / "start"],
                env=parts.environment(SCRATCH=str(scratch), BATCHPROOF_TOKEN=TOKEN, **environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        SERVING.append(self)

    def wait_for(self, port, context=None, only_http_2=False):
        """Waits until something answers there; over HTTP/2 alone, which Python does not speak, until it agrees on that."""
        answers = agrees_on_http_2 if only_http_2 else asks_for_credentials
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                if answers(port, context):
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} does not serve; it says:\n{self.log.read_text(errors='replace')[-2000:]}")

    def close(self):
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
                self.process.wait(15)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def gateway_config(gateway, scratch, certificate_directory, tls, port, upstream):
    """The template with its marks replaced, and the lines for plain or TLS only where they belong."""
    text = (parts.directory(gateway) / "config").read_text()
    lines = []
    for line in text.split("\n"):
        mark = line.strip().split(" ", 1)[0]
        if mark in ("@tls", "@plain"):
            if (mark == "@tls") != tls:
                continue
            line = line.replace(mark + " ", "", 1)
        lines.append(line)
    text = "\n".join(lines)
    marks = {"PORT": port, "UPSTREAM": upstream, "SCRATCH": scratch, "CERTIFICATES": certificate_directory}
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", str(value))
    return text
