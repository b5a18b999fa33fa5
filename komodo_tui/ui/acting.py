"""From a wish to its outcome: plan, confirm, run, report. The only way a page changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.units import count_text, long_duration_text
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.modals.progress import ProgressDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import ActionRecord, Operation, Plan
    from komodo_tui.operations.progress import StepProgress
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class Acts:
    """Runs acts for pages. An act goes on whatever becomes of the page or dialog that shows it."""

    def __init__(self, runtime: Runtime, shell: Shell) -> None:
        self._runtime = runtime
        self._shell = shell
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """How many acts of this program run now."""
        return self._under_way

    def start(
        self, operation: Operation, *, follow: bool = False, done: Callable[[ActionRecord], None] | None = None
    ) -> None:
        """Plan it, ask what the policy asks, run it, and say how it ended.

        ``follow`` shows its output live from the start (installs, pulls); else a line in the footer tells, and a
        failure opens a dialog. ``done`` is called with the finished record.
        """
        self._shell.work(self._start(operation, follow, done))

    async def _start(self, operation: Operation, follow: bool, done: Callable[[ActionRecord], None] | None) -> None:
        record = await self.run(operation, follow=follow)
        if record is not None and done is not None:
            done(record)

    async def run(
        self, operation: Operation, *, follow: bool = False, asked: bool = False, told: bool = False
    ) -> ActionRecord | None:
        """The same, waiting for the end; None when the person said no. Call it from a worker.

        ``asked``: a dialog of the page has shown exactly this, and the answer was yes. ``told``: the page itself
        shows how it goes and why it failed.

        Raises:
            KomodoError: it was refused, or could not be planned.
        """
        plan = self._runtime.executor.plan(operation)
        given: bool | str = (plan.phrase or True) if asked else False
        if plan.confirm != "none" and not asked:
            answer = await self._shell.ask(ConfirmDialog(plan))
            if not answer:
                return None
            given = answer
        record = await self._submit(plan, given, follow)
        self._report(plan, record, told=follow or told)
        return record

    async def submit(self, plan: Plan, given: str | bool, *, follow: bool = True, act_id: str = "") -> ActionRecord:
        """Do what was agreed to already, and show its output live, or a line in the footer. Call it from a worker.

        ``act_id`` as for the executor.

        Raises:
            KomodoError: it was refused.
        """
        record = await self._submit(plan, given, follow, act_id)
        self._report(plan, record, told=True)
        return record

    async def _submit(self, plan: Plan, given: bool | str, follow: bool, act_id: str = "") -> ActionRecord:
        dialog = ProgressDialog(plan, self._runtime.executor.cancel) if follow else None
        if dialog is not None:
            self._shell.work(self._show(dialog))

        def progress(step: StepProgress) -> None:
            if dialog is not None:
                dialog.report(step)
            else:
                self._shell.flash(f"{plan.verb} {step.target}: {step.text or step.status}", "busy")

        self._under_way += 1
        try:
            record = await self._runtime.executor.submit(
                plan, self._runtime.actor, given=given, progress=progress, act_id=act_id
            )
        except KomodoError:
            if dialog is not None:
                dialog.close()
            raise
        finally:
            self._under_way -= 1
        if dialog is not None:
            dialog.finish(record)
        return record

    async def _show(self, dialog: ProgressDialog) -> None:
        await self._shell.ask(dialog)

    def _report(self, plan: Plan, record: ActionRecord, told: bool) -> None:
        glyphs = self._shell.look.glyphs
        if record.outcome == "success":
            took = f" in {long_duration_text(record.ended - record.started)}" if record.ended else ""
            self._shell.flash(f"{glyphs.done} {plan.title}: done{took}", "ok")
            return
        if told and record.outcome == "cancelled":
            self._shell.flash(f"{glyphs.stopped} {plan.title}: stopped", "warn")
            return
        failed = [step for step in record.steps if not step.ok]
        message = f"{plan.title}: {count_text(len(failed), 'step')} of {len(record.steps)} failed"
        if told:
            self._shell.flash(f"{glyphs.fail} {message}", "bad")
            return
        self._shell.work(self._explain(message, record))

    async def _explain(self, message: str, record: ActionRecord) -> None:
        lines = []
        for step in record.steps:
            if not step.ok:
                lines.append(f"{step.target}: {step.error}" + (f" ({step.hint})" if step.hint else ""))
        text = record.summary if record.outcome == "cancelled" and not lines else message
        await self._shell.ask(
            ErrorDialog(record.act, text, hint="The Actions tab keeps it, with its output.", detail="\n".join(lines),
                        copy=self._shell.copy)
        )  # fmt: skip
