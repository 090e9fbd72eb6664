#!/usr/bin/env python3
"""Turns `tmux capture-pane -e -p` on standard input into an SVG on standard output. Python's own library is enough.

    tmux capture-pane -e -p -t PANE | picture.py [--light] > picture.svg
    picture.py --film SECONDS < SCREENS > film.svg

A film is many screens, each ended by a line with a form feed alone; each is shown for so many seconds, and all of it again
and again. What does not change from one screen to the next is in it once.
"""

import re
import sys
import unicodedata
from xml.sax.saxutils import escape

CELL_W, CELL_H, SIZE, PAD = 9, 18, 15, 12
BASE16 = ["#1d1f21", "#cd3131", "#0dbc79", "#c9a227", "#2472c8", "#bc3fbc", "#11a8cd", "#d4d4d4",
          "#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff"]
GROUNDS = {False: ("#d4d4d4", "#101216"), True: ("#24292f", "#ffffff")}


def indexed(n):
    if n < 16:
        return BASE16[n]
    if n >= 232:
        v = 8 + 10 * (n - 232)
        return f"#{v:02x}{v:02x}{v:02x}"
    n -= 16
    return "#" + "".join(f"{0 if v == 0 else 55 + 40 * v:02x}" for v in (n // 36, n // 6 % 6, n % 6))


class Pen:
    """Colours and attributes as the last sequence left them; tmux carries them from line to line."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.fg = self.bg = None
        self.flags = set()

    def take(self, codes):
        codes = [int(c) if c else 0 for c in re.split("[;:]", codes)]
        on = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse"}
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in on:
                self.flags.add(on[code])
            elif code == 22:
                self.flags -= {"bold", "dim"}
            elif code in (23, 24, 27):
                self.flags.discard(on[code - 20])
            elif code in (38, 48):
                kind = codes.pop(0) if codes else 0
                if kind == 5 and codes:
                    colour = indexed(codes.pop(0))
                elif kind == 2 and len(codes) >= 3:
                    colour = "#%02x%02x%02x" % tuple(codes[:3])
                    del codes[:3]
                else:
                    continue
                if code == 38:
                    self.fg = colour
                else:
                    self.bg = colour
            elif 30 <= code <= 37:
                self.fg = BASE16[code - 30]
            elif 90 <= code <= 97:
                self.fg = BASE16[code - 82]
            elif 40 <= code <= 47:
                self.bg = BASE16[code - 40]
            elif 100 <= code <= 107:
                self.bg = BASE16[code - 92]
            elif code == 39:
                self.fg = None
            elif code == 49:
                self.bg = None

    def style(self):
        return self.fg, self.bg, frozenset(self.flags)


def cells(lines):
    """Each line as [(character, style, column, cells it takes)]."""
    pen = Pen()
    for line in lines:
        row, column = [], 0
        for sequence, character in re.findall(r"\x1b\[([0-9;:]*)m|(.)", line, re.S):
            if not character:
                pen.take(sequence)
            elif unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Cc"):
                continue
            else:
                wide = 2 if unicodedata.east_asian_width(character) in "WF" else 1
                row.append((character, pen.style(), column, wide))
                column += wide
        yield row


def shape(character, x, y, colour):
    """Lines and blocks as shapes, so that they meet whatever the font; None for everything else."""
    w, h, mx, my = CELL_W, CELL_H, x + CELL_W / 2, y + CELL_H / 2

    def path(d, width=1, dash=""):
        extra = f' stroke-dasharray="{dash}"' if dash else ""
        return f'<path d="{d}" stroke="{colour}" stroke-width="{width}" fill="none"{extra}/>'

    def block(bx, by, bw, bh):
        return f'<rect x="{bx:g}" y="{by:g}" width="{bw:g}" height="{bh:g}" fill="{colour}"/>'

    if "\u2581" <= character <= "\u2588":
        filled = h * (ord(character) - 0x2580) / 8
        return block(x, y + h - filled, w, filled)
    curve = {"╭": (1, 1), "╮": (-1, 1), "╰": (1, -1), "╯": (-1, -1)}.get(character)
    if curve:
        dx, dy = curve
        return path(f"M{mx + dx * w / 2:g},{my:g} Q{mx:g},{my:g} {mx:g},{my + dy * h / 2:g}")
    return {
        "▌": lambda: block(x, y, w / 2, h),
        "━": lambda: path(f"M{x:g},{my:g}h{w}", 2.4),
        "╸": lambda: path(f"M{x:g},{my:g}h{w / 2:g}", 2.4),
        "│": lambda: path(f"M{mx:g},{y:g}v{h}"),
        "┊": lambda: path(f"M{mx:g},{y:g}v{h}", 1, "2 2.5"),
    }.get(character, lambda: None)()


def line(row, y, ink, ground):
    """One line of the screen as elements, its top at `y`."""
    out = []
    run, run_style, run_x = "", None, 0

    def flush():
        nonlocal run
        if run.strip():
            colour, flags = run_style
            extra = "".join((' font-weight="bold"' if "bold" in flags else "",
                             ' font-style="italic"' if "italic" in flags else "",
                             ' text-decoration="underline"' if "underline" in flags else "",
                             ' opacity="0.6"' if "dim" in flags else ""))
            length = len(run.rstrip()) * CELL_W
            out.append(f'<text x="{run_x}" y="{y + 13.5:g}" fill="{colour}" textLength="{length}"{extra}>'
                       f"{escape(run.rstrip())}</text>")
        run = ""

    coloured, grounds = [], []
    for character, (fg, bg, flags), column, wide in row:
        fg, bg = (bg or ground, fg or ink) if "reverse" in flags else (fg or ink, bg)
        coloured.append((character, fg, flags, column, wide))
        if grounds and grounds[-1][:2] == [bg, column]:
            grounds[-1][1] += wide
        else:
            grounds.append([bg, column + wide, column])
    # Cells of one ground beside each other are one shape.
    for bg, end, column in grounds:
        if bg:
            out.append(f'<rect x="{PAD + column * CELL_W}" y="{y}" width="{(end - column) * CELL_W + 0.3:g}" '
                       f'height="{CELL_H + 0.3}" fill="{bg}"/>')

    end = 0
    for index, (character, fg, flags, column, wide) in enumerate(coloured):
        x = PAD + column * CELL_W
        if character == "─":
            # A run of them is one line.
            if index >= end:
                flush()
                run_style = None
                end = index
                while end < len(coloured) and coloured[end][:2] == (character, fg):
                    end += 1
                out.append(f'<path d="M{x},{y + CELL_H / 2:g}h{(end - index) * CELL_W}" stroke="{fg}"/>')
            continue
        drawn = shape(character, x, y, fg)
        style = (fg, flags & {"bold", "italic", "underline", "dim"})
        if drawn or wide == 2 or style != run_style:
            flush()
            run_style, run_x = style, x
        if drawn:
            out.append(drawn)
            run_style = None
        else:
            run += character
            if wide == 2:
                flush()
                run_style = None
    flush()
    return out


def head(columns, rows, ground):
    width, height = columns * CELL_W + 2 * PAD, rows * CELL_H + 2 * PAD
    return [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
            f'<rect width="{width}" height="{height}" rx="8" fill="{ground}"/>',
            f'<g font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="{SIZE}" xml:space="preserve">']


def wide_of(rows):
    return max((column + wide for row in rows for _, _, column, wide in row), default=1)


def draw(lines, light):
    ink, ground = GROUNDS[light]
    rows = list(cells(lines))
    out = head(wide_of(rows), len(rows), ground)
    for number, row in enumerate(rows):
        out += line(row, PAD + number * CELL_H, ink, ground)
    return "\n".join(out + ["</g></svg>"])


def film(screens, seconds, light):
    ink, ground = GROUNDS[light]
    screens = [list(cells(screen)) for screen in screens]
    height, width = max(map(len, screens)), max(map(wide_of, screens))
    out = head(width, height, ground)
    whole = len(screens) * seconds
    for number in range(height):
        # Each text that the line has at some time, with the screens on which it has it.
        texts = {}
        for at, screen in enumerate(screens):
            row = tuple(screen[number]) if number < len(screen) else ()
            texts.setdefault(row, []).append(at)
        for row, ats in texts.items():
            elements = line(row, PAD + number * CELL_H, ink, ground)
            if not elements:
                continue
            if len(ats) == len(screens):
                out += elements
                continue
            shown = ["visible" if at in ats else "hidden" for at in range(len(screens))]
            turns = [at for at in range(len(screens)) if at == 0 or shown[at] != shown[at - 1]]
            values = ";".join(shown[at] for at in turns)
            times = ";".join(f"{at / len(screens):.4g}" for at in turns)
            out.append(f'<g visibility="{shown[0]}"><animate attributeName="visibility" dur="{whole:g}s" calcMode="discrete" '
                       f'repeatCount="indefinite" values="{values}" keyTimes="{times}"/>')
            out += elements + ["</g>"]
    return "\n".join(out + ["</g></svg>"])


if __name__ == "__main__":
    text, light = sys.stdin.read(), "--light" in sys.argv
    if "--film" in sys.argv:
        seconds = float(sys.argv[sys.argv.index("--film") + 1])
        screens = [screen.rstrip("\n").split("\n") for screen in text.split("\f\n") if screen.strip()]
        print(film(screens, seconds, light))
    else:
        print(draw(text.rstrip("\n").split("\n"), light))
