"""What the agent refuses or fails at: raised where it happens, turned once into a :class:`~.wire.protocol.Problem`."""

from __future__ import annotations

from .wire.protocol import Problem

_HTTP_STATUS = {
    "bad_request": 400,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "engine_unavailable": 503,
    "failed": 500,
}


class AgentError(Exception):
    """A refusal or failure a person will read.

    ``code`` is one of the words of :class:`~.wire.protocol.Problem`; ``message`` says what happened, to what;
    ``hint`` what to do next. None of them ever holds a secret.
    """

    def __init__(self, code: str, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable

    @property
    def http_status(self) -> int:
        """The status of the HTTP answer that carries it."""
        return _HTTP_STATUS.get(self.code, 500)

    def problem(self) -> Problem:
        """The body of that answer."""
        return Problem(code=self.code, message=self.message, hint=self.hint, retryable=self.retryable)

    def sentence(self) -> str:
        """Message and hint as one text, for a job's error or a log."""
        return f"{self.message} ({self.hint})" if self.hint else self.message
