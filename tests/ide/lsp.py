"""A client of rust-analyzer. In: the text of a crate's only file and a place in it; out: what an editor would
show there, as plain text. It judges nothing."""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

MANIFEST = f"""\
[package]
name = "edited"
version = "0.0.0"
edition = "2024"

[dependencies]
nn-runtime = {{ path = "{REPOSITORY}/nn-runtime" }}

[workspace]
"""

# Seconds after which the editor counts as stuck. The first answer waits for the macros to be built.
PATIENCE = 600


def is_there():
    """True where rust-analyzer runs; rustup leaves a name that only says how to install it."""
    try:
        return subprocess.run(["rust-analyzer", "--version"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


class Editor:
    """rust-analyzer on a crate in a temporary folder, which depends on nn-runtime by its path."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nn-ide-"))
        self.file = self.folder / "src" / "main.rs"
        self.file.parent.mkdir()
        self.file.write_text("fn main() {}\n")
        (self.folder / "Cargo.toml").write_text(MANIFEST)
        shutil.copy(REPOSITORY / "Cargo.lock", self.folder)
        self.server = subprocess.Popen(
            ["rust-analyzer"], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.numbers = iter(range(1, 1 << 30))
        self.answers = {}
        self.inbox = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self._initialize()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()
        shutil.rmtree(self.folder)

    def _initialize(self):
        options = {
            "checkOnSave": False,
            "cachePriming": {"enable": False},
            # What is built lasts from run to run, beside what the tests build.
            "cargo": {"targetDir": str(self._target() / "ide")},
        }
        capabilities = {
            "general": {"positionEncodings": ["utf-32"]},
            "experimental": {"serverStatusNotification": True},
            "textDocument": {"hover": {"contentFormat": ["plaintext"]}},
        }
        root = {"uri": self.folder.as_uri(), "name": "edited"}
        self._ask(
            "initialize",
            processId=os.getpid(),
            rootUri=root["uri"],
            workspaceFolders=[root],
            capabilities=capabilities,
            initializationOptions=options,
        )
        self._tell("initialized")
        document = {"uri": self.file.as_uri(), "languageId": "rust", "version": 0, "text": "fn main() {}\n"}
        self._tell("textDocument/didOpen", textDocument=document)
        while True:
            message = self._next()
            if message.get("method") == "experimental/serverStatus":
                status = message["params"]
                if status["health"] != "ok":
                    raise RuntimeError(f"rust-analyzer: {status.get('message')}")
                if status["quiescent"]:
                    return

    @staticmethod
    def _target():
        return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))

    def show(self, text):
        """Opens this text in place of what was open."""
        document = {"uri": self.file.as_uri(), "version": next(self.numbers)}
        self._tell("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])

    def hover(self, text, at):
        """What is shown where the mouse rests on the character `at` of the text; None without anything."""
        answer = self._ask_at("textDocument/hover", text, at)
        return answer["contents"]["value"] if answer else None

    def completions(self, text, at):
        """The words that are offered at a place, best first."""
        answer = self._ask_at("textDocument/completion", text, at) or []
        items = answer["items"] if isinstance(answer, dict) else answer
        items.sort(key=lambda item: item.get("sortText") or item["label"])
        return [item["label"] for item in items]

    def _ask_at(self, method, text, at):
        before = text[:at]
        line = before.count("\n")
        position = {"line": line, "character": at - (before.rfind("\n") + 1)}
        return self._ask(method, textDocument={"uri": self.file.as_uri()}, position=position)

    def _ask(self, method, **params):
        while True:
            number = next(self.numbers)
            self._send({"id": number, "method": method, "params": params})
            while (answer := self._next()).get("id") != number or "method" in answer:
                pass
            error = answer.get("error")
            if error is None:
                return answer["result"]
            # The text changed under the question: it is asked again.
            if error["code"] not in (-32801, -32802):
                raise RuntimeError(f"{method}: {error['message']}")

    def _tell(self, method, **params):
        self._send({"method": method, "params": params})

    def _send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.server.stdin.flush()

    def _next(self):
        message = self.inbox.get(timeout=PATIENCE)
        if message is None:
            raise RuntimeError("rust-analyzer ended")
        if "method" in message and "id" in message:
            # It asks for settings, or to be told of files: it has all it needs.
            self._send({"id": message["id"], "result": None})
        return message

    def _read(self):
        while header := self.server.stdout.readline():
            length = 0
            while header.strip():
                name, _, value = header.decode().partition(":")
                if name.lower() == "content-length":
                    length = int(value)
                header = self.server.stdout.readline()
            self.inbox.put(json.loads(self.server.stdout.read(length)))
        self.inbox.put(None)
