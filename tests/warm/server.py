"""The server: a process that has imported the libraries and forks one for every request."""

import array
import atexit
import builtins
import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import selectors
import signal
import socket
import struct
import sys
import threading
import time
import types
from contextlib import suppress
from multiprocessing import spawn
from typing import NoReturn

import numpy
import yaml
from lightning_fabric.utilities import rank_zero

# Descriptors on their way to the numbers that they had are kept above this one.
HIGH = 700


def serve(folder: str, pid: int, kept: int) -> dict:
    """Fork a process for every request; returns in each of them, what was asked for.

    Args:
        folder: of the socket.
        pid: of the process with whose end this one ends.
        kept: descriptors below this number stay open in the forked process.
    """
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, "new"))
    listener.listen(64)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(os.pidfd_open(pid), selectors.EVENT_READ, "owner")
    os.rename(os.path.join(folder, "new"), os.path.join(folder, "socket"))
    while True:
        for key, _ in selector.select():
            if key.data == "owner":
                os._exit(0)
            elif key.fileobj is listener:
                client, _ = listener.accept()
                received = _receive(client)
                if received is None:
                    client.close()
                    continue
                request, descriptors = received
                child = os.fork()
                if not child:
                    for other in list(selector.get_map().values()):
                        if isinstance(other.data, tuple):
                            other.data[1].detach()  # closed below, with what is left
                    selector.close()
                    listener.close()
                    _inherit(request["numbers"], descriptors, client, kept)
                    return request
                for descriptor in descriptors:
                    os.close(descriptor)
                _tell(client, child)
                selector.register(os.pidfd_open(child), selectors.EVENT_READ, (child, client))
            else:
                child, client = key.data
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                _tell(client, code)
                client.close()
                selector.unregister(key.fileobj)
                os.close(key.fd)


def _tell(client: socket.socket, number: int) -> None:
    with suppress(OSError):  # killed, and its process with it
        client.sendall(struct.pack("q", number))


def _receive(client: socket.socket) -> tuple[dict, list[int]] | None:
    """A request and the descriptors that came with it; None where the client is gone already."""
    size = struct.calcsize("Q")
    space = socket.CMSG_SPACE(4 * 250)
    descriptors = array.array("i")
    with suppress(OSError):
        data, rights, *_ = client.recvmsg(size, space, socket.MSG_WAITALL)
        for _, _, part in rights:
            descriptors.frombytes(part[: len(part) - len(part) % 4])
        if len(data) == size:
            (length,) = struct.unpack("Q", data)
            request = client.makefile("rb").read(length)
            if len(request) == length:
                return json.loads(request), list(descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    return None


def _inherit(numbers: list[int], descriptors: list[int], client: socket.socket, kept: int) -> None:
    """In the forked process: the descriptors under their numbers, and no other of the server's."""
    moved = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, HIGH) for one in descriptors]
    watched = fcntl.fcntl(client.fileno(), fcntl.F_DUPFD_CLOEXEC, HIGH)
    # The system kills this process when the client is gone.
    fcntl.fcntl(watched, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(watched, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(watched, fcntl.F_SETFL, os.O_ASYNC)
    gone = select.poll()
    gone.register(watched, select.POLLHUP)
    if gone.poll(0):
        os._exit(1)
    client.detach()
    os.closerange(kept, HIGH)
    for descriptor, number in zip(moved, numbers, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


def become(request: dict, setting: dict, known: list[str]) -> NoReturn:
    """Be ``python arguments...``, which finds modules in known folders as well."""
    kind, what, *rest = request["arguments"]
    first = request["cwd"] if kind == "-m" else ""
    listed = request["environment"].get("PYTHONPATH", "").split(os.pathsep)
    paths = [path for path in listed if path]
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    if _hides_what_is_imported([first, *paths]):
        os.execv(setting["python"], [setting["python"], *setting["flags"], *request["arguments"]])
    time.tzset()
    # As libraries find it when they are imported.
    rank_zero.rank_zero_only.rank = rank_zero._get_rank() or 0
    numpy.random.seed()
    executable = sys.executable = setting["executable"]
    spawn.set_executable(executable)
    sys.stdin = builtins.open(0, encoding="utf-8", closefd=False)
    sys.stdout = builtins.open(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = builtins.open(
        2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    sys.path[:] = [first, *map(os.path.abspath, paths), *known]
    sys.argv = [kind, *rest]
    sys.orig_argv = [executable, *request["arguments"]]
    _end(kind, what)


def _end(kind: str, what: str) -> NoReturn:
    """Run the program to its end, but for taking thousands of modules apart, half a second."""
    code = 0
    try:
        if kind == "-m":
            runpy._run_module_as_main(what)
        else:
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            main.__builtins__ = builtins
            exec(compile(what, "<string>", "exec", dont_inherit=True), main.__dict__)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if not isinstance(end.code, int | None):
            print(end.code, file=sys.stderr)
    except BaseException as error:
        sys.excepthook(*sys.exc_info())
        code = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError):  # closed
            stream.flush()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF)


def _hides_what_is_imported(folders: list[str]) -> bool:
    """Whether another copy of the package stands in one of the folders."""
    imported = sys.modules["dcsomrl"].__file__
    copies = (os.path.join(folder, "dcsomrl", "__init__.py") for folder in folders)
    return any(os.path.exists(one) and not os.path.samefile(one, imported) for one in copies)


if __name__ == "__main__":
    place = sys.argv[1]
    with builtins.open(os.path.join(place, "setting.json")) as file:
        setting = json.load(file)
    sys.path.pop(0)  # this folder
    for name in setting["imported"]:
        importlib.import_module(name)
    yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # as in the tests' own process
    listed = setting["environment"].get("PYTHONPATH", "").split(os.pathsep)
    installed = [path for path in sys.path if path not in listed]
    first_free = 1 + max(map(int, os.listdir("/proc/self/fd")[:-1]))
    gc.freeze()
    become(serve(place, setting["pid"], first_free), setting, installed)
