"""The lesson plan and what its links ask the page for."""

import re
from pathlib import Path
from urllib.parse import urlsplit

LESSON = (Path(__file__).parents[2] / "docs" / "lesson.md").read_text(encoding="utf-8")
QUERIES = [
    urlsplit(address).query for address in re.findall(r"\]\((http://127\.0\.0\.1[^)\s]*)\)", LESSON)
]
