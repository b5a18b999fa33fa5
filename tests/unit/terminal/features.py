"""The 92 feature streams: what programs write, held against what tmux and xterm show. 20 columns, 6 rows.

``python -m tests.unit.terminal.features`` runs them in both (needs tmux, xterm and Xvfb) and writes
``recordings/features.json``: for each stream the rows of tmux with their colours, the text of xterm, and both cursors.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.unit.terminal.streams import CSI, ESC, STREAMS
from tests.unit.terminal.vttest import FOLDER, display, printed_by_xterm

COLS, ROWS = 20, 6

MORE: dict[str, str] = {
    "bold, faint, italic": f"{CSI}1mb{CSI}0;2mf{CSI}0;3mi{CSI}mn",
    "underline, blink, reverse": f"{CSI}4mu{CSI}24;5mb{CSI}25;7mr{CSI}27mn",
    "invisible, strike, overline": f"{CSI}8mi{CSI}28;9ms{CSI}29;53mo{CSI}55mn",
    "attributes taken back": f"{CSI}1;2;3;4;5;7;9mx{CSI}22my{CSI}23;24mz{CSI}25;27;29mn",
    "eight colours": "".join(f"{CSI}3{n};4{7 - n}m{n}" for n in range(8)),
    "bright colours": "".join(f"{CSI}9{n};10{7 - n}m{n}" for n in range(8)),
    "256 colours": f"{CSI}38;5;196ma{CSI}48;5;22mb{CSI}38;5;8mc{CSI}39md{CSI}49me",
    "true colour": f"{CSI}38;2;1;2;3ma{CSI}48;2;250;251;252mb{CSI}0mc",
    "true colour with colons": f"{CSI}38:2::1:2:3ma{CSI}48:5:22mb{CSI}mc",
    "an unknown attribute": f"{CSI}1;77;3mx",
    "erasing leaves the background": f"{CSI}44mab{CSI}K{CSI}3;1H{CSI}J",
    "inserting leaves the background": f"abcd{CSI}44m{CSI}1;2H{CSI}2@{CSI}3;1H{CSI}L",
    "scrolling leaves the background": f"1\r\n2{CSI}42m{CSI}6;1H\n\nx",
    "deleting leaves the background": f"abcdef{CSI}41m{CSI}1;2H{CSI}2P",
    "clearing leaves the background": f"x{CSI}45m{CSI}2Jy",
    "cursor to a place without numbers": f"abc{CSI}3;3Hx{CSI}Hy{CSI};5Hz",
    "next and previous lines": f"{CSI}3;3Hx{CSI}2Ey{CSI}3Fz",
    "columns and rows alone": f"{CSI}5Ga{CSI}3db{CSI}2ac{CSI}ed{CSI}7`f",
    "tabs forth and back": f"a{CSI}2Ib{CSI}Zc{CSI}9Zd",
    "tab stops of our own": f"{CSI}3g{CSI}5G{ESC}H{CSI}9G{ESC}H\ra\tb\tc\td",
    "a tab at the edge": "\t\t\tx\ty",
    "saved with attributes and set": f"{CSI}31m{ESC}(0{ESC}7{CSI}m{ESC}(Bq{ESC}8q",
    "saved the other way": f"{CSI}2;3H{CSI}s{CSI}5;5Hx{CSI}uy",
    "region without sense": f"{CSI}4;2r{CSI}5;1Hx{CSI}r{CSI}99;1Hy",
    "scrolled within a region": f"1\r\n2\r\n3\r\n4\r\n5{CSI}2;4r{CSI}2Sx{CSI}Ty",
    "lines outside of the region": f"1\r\n2\r\n3\r\n4{CSI}1;2r{CSI}4;1H{CSI}Lx{CSI}My",
    "line feed outside of the region": f"1\r\n2\r\n3{CSI}1;2r{CSI}6;1Hx\n\ny",
    "reverse index at the top": f"1\r\n2{CSI}H{ESC}M{ESC}Mx",
    "new line mode": f"ab{CSI}20hc\nd{CSI}20le\nf",
    "margins: insert and delete": f"abcdefghij{CSI}?69h{CSI}3;6s{CSI}1;4H{CSI}@{CSI}2;1H{CSI}?69lx",
    "margins: scroll": f"abcdef\r\nghijkl\r\nmnopqr{CSI}?69h{CSI}2;4s{CSI}S{CSI}?69lx",
    "deleted through a wide character": f"a漢b字c{CSI}1;3H{CSI}P",
    "erased through a wide character": f"a漢b字c{CSI}1;3H{CSI}X",
    "the right half overwritten": f"a漢b{CSI}1;3Hx",
    "wide without wrapping": f"{CSI}?7l{'x' * 19}漢y",
    "combining marks at the edge": "x" * 19 + "e\u0301y",
    "a keycap, a heart, a family": "1\ufe0f\u20e3|\u2764\ufe0f|👨\u200d👩|x",
    "a flag": "🇩🇪x",
    "NUL and DEL are nothing": "a\x00b\x7fc",
    "truncated UTF-8": "a\udce2\udc82b\udcf0\udc9f\udc98c",
    "overlong and surrogate UTF-8": "a\udcc0\udcafb\udced\udca0\udc80c",
    "wrapping back": f"{CSI}?45h{'x' * 21}\b\by",
    "erased behind the last column": "x" * 20 + f"{CSI}Ky",
}  # fmt: skip
"""Those that are not among ``STREAMS``, by name."""

FEATURES: dict[str, str] = {stream.name: stream.output for stream in STREAMS} | MORE


def encoded(output: str) -> bytes:
    """The bytes of a stream."""
    return output.encode("utf-8", "surrogateescape")


def in_tmux(output: bytes) -> tuple[str, list[int]]:
    """tmux's rows as ``capture-pane -e`` writes them, and the cursor's column and row."""
    with tempfile.TemporaryDirectory() as folder:
        shown, done = Path(folder) / "output", Path(folder) / "done"
        shown.write_bytes(output)
        tmux = ["tmux", "-S", f"{folder}/socket", "-f", "/dev/null"]
        env = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "HOME": folder}
        program = f"stty raw -echo; while ! [ -e {done} ]; do sleep 0.05; done; cat {shown}; sleep 60"
        subprocess.run([*tmux, "new-session", "-d", "-x", str(COLS), "-y", str(ROWS), program], check=True, env=env)
        try:
            for words in (["set", "-g", "status", "off"], ["resize-window", "-x", str(COLS), "-y", str(ROWS)]):
                subprocess.run([*tmux, *words], check=True)
            done.touch()
            subprocess.run(["sleep", "0.4"], check=True)
            rows = _shown(tmux, Path(folder))
            place = subprocess.run(
                [*tmux, "display", "-p", "#{cursor_x} #{cursor_y}"], check=True, capture_output=True
            ).stdout
        finally:
            subprocess.run([*tmux, "kill-server"], check=False)
    return rows, [int(word) for word in place.split()]


def _shown(tmux: list[str], folder: Path) -> str:
    """The rows as tmux draws them in another tmux: a capture of itself leaves out the colours of what was erased."""
    outer = ["tmux", "-S", str(folder / "outer"), "-f", "/dev/null"]
    attach = shlex.join(["env", "-u", "TMUX", "TERM=tmux-256color", *tmux, "attach"])
    subprocess.run([*outer, "new-session", "-d", "-x", str(COLS), "-y", str(ROWS), attach], check=True)
    try:
        for words in (["set", "-g", "status", "off"], ["resize-window", "-x", str(COLS), "-y", str(ROWS)]):
            subprocess.run([*outer, *words], check=True)
        subprocess.run(["sleep", "0.5"], check=True)
        return subprocess.run(
            [*outer, "capture-pane", "-p", "-e", "-N"], check=True, capture_output=True
        ).stdout.decode()
    finally:
        subprocess.run([*outer, "kill-server"], check=False)


def main() -> int:
    """Run all in both."""
    found = {}
    with display():
        for name, output in FEATURES.items():
            rows, cursor = in_tmux(encoded(output))
            text, place = printed_by_xterm(encoded(output), COLS, ROWS)
            found[name] = {"tmux": rows, "tmux_cursor": cursor, "xterm": text, "xterm_cursor": place}
    (FOLDER / "features.json").write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n")
    print(f"{len(found)} streams")
    return 0


if __name__ == "__main__":
    sys.exit(main())
