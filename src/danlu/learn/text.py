"""The text of a lesson: `text.en.md` and `text.zh.md`, in sections that keep step, with roles where something is put in.

A section is what stands from one `(id)=` line to the next (what stands before the first is the section `top`). Each Chinese section says
under its id which English one it goes with: `% en 3f2a91c04b17`, a digest of the English section. When the English is changed, the digest
is not that of the section any more, and the lesson does not pass its lint until the Chinese has been looked at.

Roles: `{measured}` a figure out of results.json, `{set}` a constant of lesson.py; and each on a line of its own: `{code}` a cell of
lesson.py, `{figure}` a picture (`name: caption`), `{claim}`, `{quiz}`, `{exercise}`, `{readings}`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from danlu import messages
from danlu.describe.places import Places, Spot
from danlu.errors import BadInput
from danlu.find import hint

INLINE = ("measured", "set")
ALONE = ("code", "figure", "claim", "quiz", "exercise", "readings")

_LABEL = re.compile(r"^\(([a-z][a-z0-9-]*)\)=$")
_DIGEST = re.compile(r"^% en ([0-9a-f]{12})$")
ROLE = re.compile(r"\{([a-z]+)\}`([^`\n]*)`")
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.M | re.S)


@dataclass(frozen=True)
class Role:
    """`{kind}` and what stands between its backticks."""

    kind: str
    content: str
    line: int  # of the file

    @property
    def name(self) -> str:
        """The content before a `:`: what is put in, without how it is written (a format, a caption)."""
        return self.content.partition(":")[0].strip()

    @property
    def rest(self) -> str:
        return self.content.partition(":")[2].strip()


@dataclass(frozen=True)
class Section:
    """One section. `goes_with` is the digest of the English section that a Chinese one says it goes with."""

    id: str
    body: str
    line: int  # of the file, where the body starts
    goes_with: str | None = None

    @property
    def digest(self) -> str:
        """12 hex digits of the section's words; how its lines are broken does not count."""
        return hashlib.sha256(" ".join(self.body.split()).encode()).hexdigest()[:12]

    def roles(self) -> list[Role]:
        """Every role of the section, in order; none is looked for inside code blocks."""
        bare = without_code(self.body)
        return [Role(found[1], found[2], self.line + bare.count("\n", 0, found.start())) for found in ROLE.finditer(bare)]


@dataclass(frozen=True)
class Text:
    """The text of a lesson in one language."""

    path: Path
    sections: tuple[Section, ...]

    def roles(self, *kinds: str) -> list[Role]:
        return [role for section in self.sections for role in section.roles() if not kinds or role.kind in kinds]


def without_code(body: str) -> str:
    """The body with the inside of code blocks blanked; lines keep their numbers."""
    return _FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), body)


def read(path: Path) -> Text:
    """Raises BadInput, naming file and line: no file, not UTF-8, a section id twice, an unknown role, a role that must stand alone."""
    try:
        raw = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(messages.CANNOT_READ, path=path, error=getattr(error, "strerror", None) or error) from error
    sections: list[Section] = []
    label, start, digest, lines = "top", 1, None, list[str]()

    def ended() -> None:
        if label != "top" or any(map(str.strip, lines)):
            sections.append(Section(label, "\n".join(lines).strip("\n"), start + _blank(lines), digest))

    for number, line in enumerate(raw.splitlines(), 1):
        if found := _LABEL.match(line):
            ended()
            label, start, digest, lines = found[1], number + 1, None, []
            if label in [section.id for section in sections]:
                raise _at(path, number).wrong(messages.LESSON_SECTION_TWICE, id=label)
        elif (found := _DIGEST.match(line)) and not any(map(str.strip, lines)):
            start, digest, lines = number + 1, found[1], []
        else:
            lines.append(line)
    ended()
    text = Text(path, tuple(sections))
    _check_roles(text)
    return text


def _blank(lines: list[str]) -> int:
    """Blank lines at the start, which the body does not have."""
    return next((place for place, line in enumerate(lines) if line), 0)


def _check_roles(text: Text) -> None:
    for section in text.sections:
        rows = section.body.split("\n")
        for role in section.roles():
            spot = _at(text.path, role.line)
            if role.kind not in INLINE + ALONE:
                raise spot.wrong(messages.LESSON_UNKNOWN_ROLE, role=role.kind, hint=hint(role.kind, [*INLINE, *ALONE]))
            alone = rows[role.line - section.line].strip() == f"{{{role.kind}}}`{role.content}`"
            if role.kind in ALONE and not alone:
                raise spot.wrong(messages.LESSON_ROLE_ALONE, role=role.kind)


def _at(path: Path, line: int) -> Spot:
    return Spot(Places(str(path), {(): line}))


def stamp(english: Text, chinese: Text) -> str:
    """The Chinese file with the digests of the English sections as they are now: what an author writes once both say the same."""
    digests = {section.id: section.digest for section in english.sections}
    rows: list[str] = []
    lines = chinese.path.read_text("utf-8").splitlines()
    if "top" in digests and chinese.sections and chinese.sections[0].id == "top":
        rows.append(f"% en {digests['top']}")
    for line in lines:
        if _DIGEST.match(line):
            continue
        rows.append(line)
        if (found := _LABEL.match(line)) and found[1] in digests:
            rows.append(f"% en {digests[found[1]]}")
    return "\n".join(rows).rstrip() + "\n"
