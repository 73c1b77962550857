"""``python -m cloudbss.texts``: makes of ``locale/<language>/LC_MESSAGES/*.po`` the files that gettext reads.

The compiled files are not kept in the repository. ``make run``, the suite and the image call this; a machine needs no
gettext of its own for it. ``make texts`` brings the ``.po`` files up to date with the code, which does take gettext.
"""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_texts(folder: Path = LOCALE) -> list[Path]:
    """Compile each text that is younger than its compiled file; returns the files written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalog = read_po(file, locale=source.parent.parent.name)
        # Whoever reads meanwhile gets the old file or the new one, never half of it.
        half = target.with_suffix(".half")
        with half.open("wb") as file:
            write_mo(file, catalog)
        half.replace(target)
        written.append(target)
    return written


if __name__ == "__main__":
    compile_texts()
