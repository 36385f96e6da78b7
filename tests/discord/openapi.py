"""Check the golden files, and whatever else is named, against Discord's published OpenAPI description.

    pip install jsonschema
    python -m tests.discord.openapi PATH/specs/openapi.json [FILE.json…]

The description is https://github.com/discord/discord-api-spec, which is not kept here. Prints a line for each file; exit code 1 when one fails.
Besides what the description says, a body may have no fields that the description does not know.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]
GOLDEN = Path(__file__).parent / "golden"
UNKNOWN_TO_EDITS = "tts"  # discord.py sends it with every message, edits too; Discord takes no notice


class Description:
    """Discord's API as its OpenAPI description says."""

    def __init__(self, path: Path) -> None:
        self._spec: Json = json.loads(path.read_text(encoding="utf-8"))

    def problems(self, method: str, path: str, body: object) -> list[str]:
        """Return what is wrong with a request's body, one line each, at most ten. Raises KeyError for a request that Discord does not know."""
        from jsonschema import Draft202012Validator

        content = self._spec["paths"][path][method]["requestBody"]["content"]
        schema = {"allOf": [content["application/json"]["schema"]], "components": self._spec["components"]}
        if isinstance(body, dict):
            body = _as_described(method, body)
            schema["unevaluatedProperties"] = False
        found = sorted(Draft202012Validator(schema).iter_errors(body), key=lambda e: list(map(str, e.absolute_path)))
        return [f"{'/'.join(map(str, e.absolute_path)) or 'body'}: {_deepest(e)[:300]}" for e in found[:10]]


def _as_described(method: str, body: Json) -> Json:
    """Return a body without what discord.py writes otherwise than the description, though the documentation allows it."""
    body = {name: value for name, value in body.items() if method != "patch" or name != UNKNOWN_TO_EDITS}
    if "attachments" in body:  # new files are numbered: https://discord.com/developers/docs/reference#uploading-files
        body["attachments"] = [{**file, "id": str(file["id"])} for file in body["attachments"]]
    return body


def _deepest(error: Any) -> str:  # noqa: ANN401  (jsonschema is there only when this is run by hand)
    """Return the message of the likeliest branch, for schemas of the kind "one of"."""
    from jsonschema.exceptions import best_match

    return str(best_match([error]).message)


def main(arguments: Sequence[str]) -> int:
    """Check the golden files and the files named behind the description; return the exit code."""
    if not arguments:
        sys.stderr.write(__doc__ or "")
        return 2
    description, failed = Description(Path(arguments[0])), 0
    for file in [*sorted(GOLDEN.glob("*.json")), *map(Path, arguments[1:])]:
        golden: Json = json.loads(file.read_text(encoding="utf-8"))
        problems = description.problems(golden["method"], golden["path"], golden["body"])
        failed += bool(problems)
        sys.stdout.write(f"{'FAILS' if problems else 'ok':6}{file.stem}\n" + "".join(f"      {p}\n" for p in problems))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
