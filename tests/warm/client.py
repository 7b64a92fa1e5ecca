"""The executable: asks the server for a process with its arguments, and ends as that one does.

It hands over what a process inherits: folder, environment, descriptors under their numbers.
Signals are passed on; when this process is killed, so is the other.
"""

import array
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import time

SERVER = os.path.join(os.path.dirname(__file__), "server.py")
# Modules whose process is to have the number under which it was started.
PROCESS = ("submitit.local._local",)
PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGQUIT")


def main(folder: str, arguments: list[str]) -> None:
    """Be ``python arguments...``."""
    with open(os.path.join(folder, "setting.json")) as file:
        setting = json.load(file)
    # Those of the server, and two whose wish matters to no test.
    while arguments and arguments[0] in ("-u", "-B", *setting["flags"]):
        del arguments[0]
    if arguments[:1] not in (["-m"], ["-c"]) or arguments[1] in PROCESS:
        os.execv(setting["python"], [setting["python"], *setting["flags"], *arguments])
    inherited = _inherited()
    server = _connect(folder, setting)
    request = json.dumps(
        {
            "arguments": arguments,
            "numbers": inherited,
            "cwd": os.getcwd(),
            "environment": dict(os.environ),
        }
    ).encode()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", inherited))]
    # What comes before they can be passed on waits: the process may speak before this one knows it.
    passed_on = [getattr(signal, name) for name in PASSED_ON]
    signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
    server.sendmsg([struct.pack("Q", len(request))], rights)
    server.sendall(request)
    (pid,) = struct.unpack("q", _receive(server))
    for number in passed_on:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda sign, _: _pass_on(pid, sign))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, passed_on)
    for descriptor in inherited:  # the other alone holds what is locked or piped
        os.close(descriptor)
    (code,) = struct.unpack("q", _receive(server))
    if code >= 0:
        os._exit(code)
    signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
    os.kill(os.getpid(), -code)


def _inherited() -> list[int]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.get_inheritable(int(name)):
                found.append(int(name))
        except OSError:  # that of the listing itself
            pass
    return found


def _connect(folder: str, setting: dict) -> socket.socket:
    """A connection to the server, which is started where there is none."""
    place = os.path.join(folder, "socket")
    server = socket.socket(socket.AF_UNIX)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(place):
            _start(folder, setting)
            while not os.path.exists(place):
                time.sleep(0.02)
    server.connect(place)
    return server


def _start(folder: str, setting: dict) -> None:
    if os.fork():
        return
    os.setsid()
    log = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(file, number)
    os.closerange(3, 1024)
    command = [setting["python"], *setting["flags"], SERVER, folder]
    os.execve(setting["python"], command, setting["environment"])


def _receive(server: socket.socket) -> bytes:
    data = server.recv(8, socket.MSG_WAITALL)
    if len(data) < 8:
        os._exit(70)  # the server has ended: its log is beside the socket
    return data


def _pass_on(pid: int, sign: int) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        pass


main(sys.argv[1], sys.argv[2:])
