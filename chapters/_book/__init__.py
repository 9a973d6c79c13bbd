"""The book's workshop: builds, serves and refreshes the chapters. Readers never import it."""

import sys

# jsonschema, which checks notebooks, would build a grammar of web addresses on import: 2.6 seconds
# of every command, for a format that no notebook has. It does without where the grammar is missing.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
