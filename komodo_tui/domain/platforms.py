"""Whether an image for one platform runs on a server of another. Pure."""

from __future__ import annotations

_SAME = {
    "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "armel": "arm", "armv8l": "arm64",
    "i386": "386", "i686": "386",
}  # fmt: skip
"""What else architectures are called: by ``uname -m``, and by the names of images (OCI image index specification)."""
_ALSO_RUNS = {"amd64": {"386"}, "arm64": {"arm"}}
"""Architectures whose kernels usually run programs for another one, too."""


def runs(image: str, server: str) -> bool:
    """Whether an image runs there: ``linux/arm64/v8`` on ``linux/aarch64``. What is not known is taken to.

    An image for a later variant of 32-bit ARM does not run on an earlier one.
    """
    wanted, there = _parts(image), _parts(server)
    if not (wanted and there):
        return True
    (system, architecture, variant), (own_system, own, own_variant) = wanted, there
    if system != own_system:
        return False
    if architecture != own:
        return architecture in _ALSO_RUNS.get(own, ())
    return architecture != "arm" or not (variant and own_variant) or variant <= own_variant


def _parts(platform: str) -> tuple[str, str, str] | None:
    system, _, rest = platform.lower().partition("/")
    architecture, _, variant = rest.partition("/")
    if not (system and architecture):
        return None
    if architecture.startswith("armv") and architecture[4:5] in "567":  # of the kernel: armv7l
        architecture, variant = "arm", f"v{architecture[4]}"
    return system, _SAME.get(architecture, architecture), variant
