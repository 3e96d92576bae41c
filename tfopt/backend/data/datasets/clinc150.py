"""CLINC150: short requests to an assistant, 150 intents, with requests out of scope."""

from __future__ import annotations

import json

from tfopt.backend.data.datasets._own_folder import own_folder
from tfopt.errors import StageError

FOLDER = "CLINC150"
"""Environment variable with the folder, where `args.folder` is not given."""
_SPLITS = {"train": "train", "validation": "val", "test": "test"}


def load(*, folder: str | None = None, out_of_scope: bool = False) -> dict[str, tuple[list[str], list[str]]]:
    """Reads `data_full.json` of CLINC150 (Larson et al. 2019, arXiv:1909.02027), with its own splits.

    The file is at github.com/clinc/oos-eval (data/data_full.json, CC BY 3.0). A recipe needs `data.text` with it.

    Args:
        folder: with the file; without it, the environment variable CLINC150 names it.
        out_of_scope: also the requests that no intent fits, as class `oos`: 100 for training, 100 for validation,
            1,000 for testing.

    Returns:
        Texts and intents: 15,000 for training, 3,000 for validation, 4,500 for testing, the same number of each intent.

    Raises:
        EnvironmentProblem: the folder is not given, or does not exist.
        StageError: it has no such file, or one of another form.
    """
    path = own_folder("clinc150", folder, FOLDER, "data_full.json from github.com/clinc/oos-eval") / "data_full.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = {split: [own, f"oos_{own}"] if out_of_scope else [own] for split, own in _SPLITS.items()}
        pairs = {split: [pair for part in parts for pair in content[part]] for split, parts in names.items()}
        return {split: ([text for text, _ in rows], [label for _, label in rows]) for split, rows in pairs.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageError(
            f"{path} cannot be read as CLINC150: {error}.",
            "Expected data_full.json of github.com/clinc/oos-eval.",
            code="data_unreadable",
        ) from error
