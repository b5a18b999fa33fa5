"""What servers ask at login, asked on the screen: passphrases of keys, passwords, codes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Input, Static

from komodo_tui.domain.text import clean
from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from komodo_tui.ui.shell import Shell

_LOOK = 0.2
"""Seconds between looks at whether somebody types."""


class QuestionDialog(Dialog[list[str]]):
    """Its result is an answer to each question, in order; None when the person would not answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "answer", "answer", show=False, priority=True, id="question.answer"),
    ]
    DEFAULT_CSS = """
    QuestionDialog VerticalScroll { max-height: 60vh; height: auto; }
    QuestionDialog .question { height: auto; }
    QuestionDialog Input { height: 1; border: none; background: $panel; padding: 0 1; margin: 0 0 1 0; }
    QuestionDialog Input:focus { background: $boost; }
    """

    def __init__(self, title: str, text: str, questions: Sequence[tuple[str, bool]]) -> None:
        """``questions`` are (question, whether what is typed may be shown)."""
        super().__init__(title)
        self._text = text
        self._questions = tuple(questions)
        self._withdrawn = False

    def body(self) -> ComposeResult:
        """What the server says, then each question over its answer."""
        with VerticalScroll(can_focus=False):
            if self._text:
                yield self.text(self._text, "dim")
            for number, (question, shown) in enumerate(self._questions):
                yield Static(Text(question), classes="question")
                yield Input(password=not shown, compact=True, id=f"answer-{number}")

    def buttons(self) -> list[Button]:
        """Leave, answer."""
        return [button("not now (Esc)", "no"), button("answer", "yes", "primary")]

    def on_mount(self) -> None:
        """Type at once."""
        self.query(Input).first().focus()

    def withdraw(self) -> None:
        """Nobody waits for an answer any more: leave, or do so once no other dialog stands before this one."""
        self._withdrawn = True
        if self.is_attached and self.is_current:
            self.dismiss(None)

    def on_screen_resume(self) -> None:
        """The dialog before this one went."""
        if self._withdrawn:
            self.dismiss(None)

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        if event.input is self.query(Input).last():
            self.action_answer()
        else:
            self.focus_next()

    @on(Button.Pressed, "#yes")
    def action_answer(self) -> None:
        """Give the answers."""
        self.dismiss([field.value for field in self.query(Input)])

    @on(Button.Pressed, "#no")
    def _no(self) -> None:
        self.dismiss(None)


class ShellPrompter:
    """A :class:`~komodo_tui.fleet.prompts.Prompter` that asks in dialogs, one at a time.

    A login that is given up meanwhile (a person asked to connect anew, the server hung up) takes its dialog away. While
    somebody types elsewhere it waits: what is meant for a form or a shell must not become a wrong password.
    """

    def __init__(self, shell: Shell, typing: Callable[[], bool] = lambda: False) -> None:
        """``typing``: whether keys go to a text field or a terminal now."""
        self._shell = shell
        self._typing = typing
        self._turn = asyncio.Lock()
        self._given = ("", "")
        """Server and key whose passphrase was given last."""

    async def passphrase(self, server: str, key_path: str) -> str | None:
        """Ask for the passphrase of a key; it is kept in memory alone."""
        said = (
            "It was not that one; the key stays locked" if self._given == (server, key_path) else "This key is locked"
        )
        answers = await self._ask(f"Passphrase for {server}", f"{said}: {clean(key_path)}", [("Its passphrase", False)])
        self._given = (server, key_path) if answers else ("", "")
        return answers[0] if answers else None

    async def answers(
        self, server: str, title: str, instructions: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Ask what the server asks; one that only says something is not waited for."""
        said = "\n".join(part for part in (title, instructions) if part)
        if not prompts:
            if said:
                self._shell.flash(f"{server}: {said}".replace("\n", " "))
            return []
        return await self._ask(f"{server} asks", said, prompts)

    async def _ask(self, title: str, text: str, questions: Sequence[tuple[str, bool]]) -> list[str] | None:
        async with self._turn:
            await self._until_free(title)
            dialog = QuestionDialog(title, text, questions)
            answer: asyncio.Future[list[str] | None] = asyncio.get_running_loop().create_future()
            self._shell.work(self._show(dialog, answer))  # a dialog can be waited for from a worker alone
            try:
                return await answer
            finally:
                if answer.cancelled():
                    dialog.withdraw()

    async def _until_free(self, title: str) -> None:
        if self._typing():
            self._shell.flash(f"{title}: once you leave what you type in", "warn")
        while self._typing():  # noqa: ASYNC110  the focus moves without telling us
            await asyncio.sleep(_LOOK)

    async def _show(self, dialog: QuestionDialog, answer: asyncio.Future[list[str] | None]) -> None:
        if answer.done():
            return
        given: list[str] | None = await self._shell.ask(dialog)
        if not answer.done():
            answer.set_result(given)
