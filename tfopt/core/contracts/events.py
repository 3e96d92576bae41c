"""What happens in a run, as it happens: plain mappings with an `event` key, journaled and shown.

| event | other keys |
|---|---|
| `run_started` | `run`, `recipe`, `stages` (names), `exports` (names), `sources` (keys of other models) |
| `stage_started` | `stage`, `kind`, `key`, `epochs`, `steps` (of the whole stage), `cached` |
| `waiting` | `stage`: another process is building the same stage, whose result will be taken |
| `progress` | `stage`, `step`, `steps`, `epoch`, `epochs`, `metrics` (mapping), `sparsity` (if pruning) |
| `epoch` | `stage`, and all keys of the history entry (see `StageRecord.history`) |
| `details` | `stage`, `skipped` (layer -> reason) and/or anything for `StageRecord.details` |
| `stage_finished` | `stage`, `seconds`, `measures`, `cached` |
| `export_started` | `export` |
| `export_finished` | `export`, `bytes`, `measures`, `held` |
| `warning` | `message` |
| `run_reused` | `run`: nothing has changed since that run; its report is drawn again |
| `run_finished` | `state`, `seconds`, `held` |

Events of stages that make an external model (`tfopt.core.config.model_source`) have a key `source` in addition: the
name of what they make (recipe and seed), which, with a slash, also precedes that of their stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Event = Mapping[str, Any]
"""One thing that happened."""
