"""A command on the host, as a job. It runs as the user who asked for it: the agent never lends its own rights."""

from __future__ import annotations

import asyncio
import os
import pwd
import shlex
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import AgentError
from .output import Output

if TYPE_CHECKING:
    from ..jobs import JobContext
    from ..wire.tasks import RunTask

_GRACE = 5.0
"""Seconds between asking a command to end and ending it."""
_CHUNK = 64 << 10
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


async def run_on_host(context: JobContext, spec: RunTask) -> None:
    """Run it and wait for its end; a job that is cancelled ends it with all that it started.

    Raises:
        AgentError: it could not start, did not end in time, or failed.
    """
    if not spec.command or any("\0" in word for word in (*spec.command, *spec.environment.values())):
        raise AgentError("bad_request", "run: there is no command, or it holds a NUL character")
    context.command(run_command(spec))
    process = await _start(spec, context.uid)
    output = Output(context, spec.environment, spec.secret_keys)
    try:
        async with asyncio.timeout(spec.timeout or None):
            code = await _to_its_end(process, spec.script.encode(), output)
    except TimeoutError as error:
        raise AgentError("failed", f"it did not end within {spec.timeout:g} s and was ended") from error
    finally:
        await asyncio.shield(_end(process))
    output.end(code)


async def _start(spec: RunTask, uid: int) -> asyncio.subprocess.Process:
    try:
        account = pwd.getpwuid(uid)
    except KeyError as error:
        raise AgentError("failed", f"the user {uid} who asked has no account here") from error
    argv, drop = _as_user(spec, account)
    environment = {
        "PATH": _PATH, "HOME": account.pw_dir, "USER": account.pw_name, "LOGNAME": account.pw_name,
        "SHELL": account.pw_shell, "LANG": os.environ.get("LANG", "C.UTF-8"), **spec.environment,
    }  # fmt: skip
    directory = spec.directory or await asyncio.to_thread(_home, account)
    try:
        return await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            cwd=directory, env=environment, start_new_session=True, **drop,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise AgentError("failed", f"{spec.command[0]} cannot be started in {directory}: {what}") from error


def _home(account: pwd.struct_passwd) -> str:
    return account.pw_dir if Path(account.pw_dir).is_dir() else "/"


def _as_user(spec: RunTask, account: pwd.struct_passwd) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The argv, and how to give the agent's own rights up before it runs."""
    drop: dict[str, Any] = {}
    if os.geteuid() == 0 and account.pw_uid != 0:
        groups = os.getgrouplist(account.pw_name, account.pw_gid)
        drop = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}
    if not spec.user or spec.user == account.pw_name:
        return spec.command, drop
    if account.pw_uid == 0:
        return ("runuser", "-u", spec.user, "--", *spec.command), drop
    return ("sudo", "-n", "-u", spec.user, "--", *spec.command), drop


async def _to_its_end(process: asyncio.subprocess.Process, script: bytes, output: Output) -> int:
    feeding = asyncio.create_task(_feed(process, script))
    try:
        assert process.stdout is not None
        while data := await process.stdout.read(_CHUNK):
            output.add(data)
        return await process.wait()
    finally:
        feeding.cancel()


async def _feed(process: asyncio.subprocess.Process, script: bytes) -> None:
    assert process.stdin is not None
    with suppress(ConnectionError):
        process.stdin.write(script)
        await process.stdin.drain()
    process.stdin.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it and what it started, if it still runs."""
    if process.returncode is not None:
        return
    _signal(process, signal.SIGTERM)
    try:
        async with asyncio.timeout(_GRACE):
            await process.wait()
    except TimeoutError:
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def run_command(spec: RunTask) -> str:
    """The command as a person would type it; values of variables are left out, they may be secrets."""
    text = shlex.join(spec.command)
    if spec.user:
        text = f"sudo -u {shlex.quote(spec.user)} {text}"
    if spec.directory:
        text = f"cd {shlex.quote(spec.directory)} && {text}"
    lines = spec.script.count("\n") + 1 if spec.script else 0
    return text + (f"  # script of {lines} {'line' if lines == 1 else 'lines'}" if lines else "")
