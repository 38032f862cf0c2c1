"""The root of `cushion`: finds the commands of all rooms, and turns every failure into one sentence.

Exit status: 0 well, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C, 143 by SIGTERM. CUSHION_DEBUG=1 shows tracebacks.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any, cast

import typer

from cushion_player.errors import CushionError, UsageError
from cushion_sdk.cli.quick import bind

GROUP = "cushion.commands"
OWN = {
    "play": "cushion_sdk.cli.play:play",
    "inspect": "cushion_sdk.cli.inspect:inspect",
    "film": "cushion_sdk.cli.film:film",
    "replay": "cushion_sdk.cli.replay:replay",
}
"""Commands of this room; others come through the entry-point group. Modules behind both import in under 10 ms."""

FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143


class Terminated(BaseException):
    """SIGTERM came, and everything was closed."""


def run(args: list[str]) -> int:
    """Run the command; returns the exit status. Never raises but for SystemExit of argument parsing."""
    debug = os.environ.get("CUSHION_DEBUG", "") not in ("", "0")
    try:
        with _terminable():
            return _invoke(args)
    except (KeyboardInterrupt, Terminated) as exc:
        return INTERRUPTED if isinstance(exc, KeyboardInterrupt) else TERMINATED
    except BrokenPipeError:
        # Whoever read our output is gone; keep the interpreter from flushing into the void once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as exc:
        if debug:
            raise
        error = _lone(exc)
        sys.stderr.write(f"cushion: {sentence(error)}\n")
        return WRONG_USAGE if isinstance(error, UsageError) else FAILED


@contextmanager
def _terminable() -> Generator[None]:
    """SIGTERM unwinds as Ctrl-C does, so that commands clean up. Some bring a handler of their own."""

    def terminate(_signal: int, _frame: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def sentence(error: BaseException) -> str:
    """What went wrong, for the person at the keyboard."""
    text = " ".join(str(error).split())
    if isinstance(error, CushionError) or _is_ours(error):
        return text or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"internal error, {type(error).__name__}: {text} (CUSHION_DEBUG=1 shows where)"


def _is_ours(error: BaseException) -> bool:
    """A ValueError kind of abr, traces or contracts: bad input, named."""
    return isinstance(error, ValueError) and type(error).__module__.startswith("cushion_")


def _lone(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error


def _invoke(args: list[str]) -> int:
    try:
        quick = _bind_own(args)
        if quick is not None:
            _root()
            status = quick()
        else:
            command = typer.main.get_command(build(args))
            status = command.main(args=args, prog_name="cushion", standalone_mode=False)
    except typer.Exit as exc:
        return exc.exit_code
    except Exception as exc:
        # typer brings click's errors under several names: they know how to show themselves, and their exit status.
        show, status = getattr(exc, "show", None), getattr(exc, "exit_code", None)
        if show is not None and isinstance(status, int):
            show()
            return status
        if type(exc).__name__ == "Abort":
            return INTERRUPTED
        raise
    return status if isinstance(status, int) else 0


def _bind_own(args: list[str]) -> Callable[[], object] | None:
    """A command of this room with plain arguments, ready to be called; None for all else."""
    target = OWN.get(args[0]) if args else None
    if target is None:
        return None
    module, _, name = target.partition(":")
    return bind(getattr(import_module(module), name), args[1:])


def build(args: list[str]) -> typer.Typer:
    """The command tree. Only the named command is loaded when `args` begin with one, all of them for the help."""
    app = typer.Typer(
        name="cushion",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    found = _find_commands()
    wanted = next((arg for arg in args if not arg.startswith("-")), "")
    for name in sorted({wanted} & set(found) or found):
        try:
            command = found[name]()
        except Exception as exc:
            sys.stderr.write(f"cushion: the command {name!r} cannot be loaded: {sentence(exc)}\n")
            continue
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(cast("Callable[..., Any]", command))
    return app


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version as version_of

        typer.echo(f"cushion {version_of('cushion-sdk')}")
        raise typer.Exit


def _root(
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more; twice for everything.")] = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Cushion: an adaptive-bitrate player, its client SDK, an ABR laboratory and a reference backend."""
    import logging

    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(level=level, stream=sys.stderr, format="cushion: %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells whole addresses, tokens and all


def _find_commands() -> Mapping[str, Callable[[], object]]:
    """Command name -> what loads it. Our own names cannot be taken over."""
    from importlib.metadata import EntryPoint, entry_points

    found: dict[str, Callable[[], object]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, point.load)
    for name, target in OWN.items():
        found[name] = EntryPoint(name, target, GROUP).load
    return found
