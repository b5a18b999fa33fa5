"""Feature streams and the screens they leave, as xterm leaves them. 20 columns, 6 rows unless said."""

from __future__ import annotations

from typing import NamedTuple

ESC, CSI = "\x1b", "\x1b["


class Stream(NamedTuple):
    """Output of a program, the screen after it, the cursor if it matters."""

    name: str
    output: str
    lines: list[str]
    cursor: tuple[int, int] | None = None
    only: str = ""
    """The one core that does it; the other is known not to."""


STREAMS = [
    Stream("plain", "hello\r\nworld", ["hello", "world"], (5, 1)),
    Stream("autowrap", "x" * 22, ["x" * 20, "xx"], (2, 1)),
    Stream("wrap pending", "x" * 20 + "\r\ny", ["x" * 20, "y"]),
    Stream("no autowrap", f"{CSI}?7l" + "x" * 22 + "y", ["x" * 19 + "y"]),
    Stream("backspace overwrites", "abc\b\bX", ["aXc"]),
    Stream("tab stops", "a\tb\tc", ["a       b       c"]),
    Stream("clear a tab stop", f"{CSI}1;9H{CSI}0g{CSI}1;1Ha\tb", ["a               b"]),
    Stream("carriage return", "abc\rX", ["Xbc"]),
    Stream("cursor moves", f"{CSI}3;5Hx{CSI}2Ay{CSI}2Dz", ["    zy", "", "    x"]),
    Stream("cursor clamp", f"{CSI}99;99Hx{CSI}99D{CSI}99Ay", ["y", "", "", "", "", " " * 19 + "x"]),
    Stream("erase to end of line", f"abcdef{CSI}3D{CSI}K", ["abc"]),
    Stream("erase to start of line", f"abcdef{CSI}3D{CSI}1K", ["    ef"]),
    Stream("erase display below", f"a\r\nb\r\nc{CSI}2;1H{CSI}J", ["a"]),
    Stream("erase display above", f"a\r\nb\r\nc{CSI}2;1H{CSI}1J", ["", "", "c"]),
    Stream("insert characters", f"abcd{CSI}3D{CSI}2@X", ["aX bcd"]),
    Stream("delete characters", f"abcdef{CSI}5D{CSI}2P", ["adef"]),
    Stream("erase characters", f"abcdef{CSI}5D{CSI}2X", ["a  def"]),
    Stream("insert lines", f"a\r\nb\r\nc{CSI}2;1H{CSI}2L", ["a", "", "", "b", "c"]),
    Stream("delete lines", f"a\r\nb\r\nc\r\nd{CSI}2;1H{CSI}2M", ["a", "d"]),
    Stream("insert mode", f"abc\r{CSI}4hX{CSI}4l", ["Xabc"]),
    Stream("scroll region", f"1\r\n2\r\n3\r\n4\r\n5{CSI}2;4r{CSI}4;1H\nX", ["1", "3", "4", "X", "5"]),
    Stream("reverse index in region", f"1\r\n2\r\n3\r\n4{CSI}2;3r{CSI}2;1H{ESC}MX", ["1", "X", "2", "4"]),
    Stream("scroll up and down", f"1\r\n2\r\n3{CSI}S{CSI}2T", ["", "", "2", "3"]),
    Stream("origin mode", f"{CSI}2;4r{CSI}?6h{CSI}1;1HX{CSI}99;1HY", ["", "X", "", "Y"]),
    Stream("left and right margins", f"{CSI}?69h{CSI}3;6s{CSI}1;3Habcdef", ["  abcd", "  ef"]),
    Stream("save and restore cursor", f"ab{ESC}7{CSI}4;4Hx{ESC}8c", ["abc", "", "", "   x"]),
    Stream("next line", f"a{ESC}Eb{ESC}Dc", ["a", "b", " c"]),
    Stream("repeat", f"ab{CSI}4b", ["abbbbb"]),
    Stream("repeat wide", f"漢{CSI}2b", ["漢漢漢"]),
    Stream("line drawing", f"{ESC}(0lqk{ESC}(Bq", ["┌─┐q"]),
    Stream("shift out", f"{ESC})0a\x0eq\x0fb", ["a─b"]),
    Stream("alignment test", f"{ESC}#8{CSI}H", ["E" * 20] * 6),
    Stream("wide characters", "漢字ab", ["漢字ab"], (6, 0)),
    Stream("wide at the edge", "x" * 19 + "漢", ["x" * 19, "漢"], (2, 1)),
    Stream("half of a wide one overwritten", f"漢字{CSI}1;2HX", [" X字"]),
    Stream("combining", "e\u0301x", ["e\u0301x"], (2, 0), only="ghostty"),
    Stream("emoji", "a😀b", ["a😀b"], (4, 0)),
    Stream("malformed utf-8", "a\udcffb", ["a\ufffdb"]),
    Stream("alternate screen", f"main{CSI}?1049hALT", ["    ALT"]),
    Stream("alternate screen left", f"main{CSI}?1049h{CSI}HALT{CSI}?1049l", ["main"], (4, 0)),
    Stream(
        "string sequences are not shown",
        f"a{ESC}_apc{ESC}\\b{ESC}^pm{ESC}\\c{ESC}Xsos{ESC}\\d{ESC}Pq{ESC}\\e",
        ["abcde"],
    ),
    Stream("unknown sequences are not shown", f"a{CSI}?9999hb{CSI}>5zc{ESC}]999;x\x07d", ["abcd"]),
    Stream("cancelled sequence", f"a{CSI}3\x18b", ["ab"]),
    Stream("full reset", f"abc{CSI}?7l{CSI}31m{ESC}cx", ["x"], (1, 0)),
    Stream("clear history and screen", f"1\r\n2{CSI}3J{CSI}2J{CSI}H", []),
    Stream("hyperlink text stays", f"{ESC}]8;;http://x/{ESC}\\link{ESC}]8;;{ESC}\\ x", ["link x"]),
    Stream("prompt marks are not shown", f"{ESC}]133;A\x07$ {ESC}]133;B\x07ls", ["$ ls"]),
    Stream("double bell", "a\x07b\x07", ["ab"]),
    Stream("c1 in utf-8 is text, not control", "a\u201db", ["a\u201db"]),
]
