"""`MODEL_CARD.md`: what a reader needs to know about a model; what only its author knows is marked as to be filled in.

After "Model Cards for Model Reporting" (Mitchell et al. 2019, arXiv:1810.03993).
"""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from tfopt.backend.bundle.contents import About, Bundled
from tfopt.core.config.files.bundle_keys import BundleKeys
from tfopt.core.contracts.export import ExportContext

NAME = "MODEL_CARD.md"


def text(files: Sequence[Bundled], about: About, bundle: BundleKeys, context: ExportContext) -> str:
    """The model card.

    Args:
        files: the `.tflite` files of the bundle.
        about: what is said about the model.
        bundle: its keys in the recipe.
        context: data and metrics.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tfopt.backend.bundle"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,  # Markdown
    )
    environment.filters |= {"cell": lambda value: str(value).replace("|", "\\|").replace("\n", " ")}
    metrics = context.compile.metric_names
    columns = list(
        dict.fromkeys(
            [
                *metrics,
                *(f"{metric}_drop" for metric in metrics),
                "agreement",
                *(f"{output}_{one}" for output in context.compile.outputs for one in ("agreement", "relative_error")),
                "latency_ms",
            ]
        )
    )
    return environment.get_template(f"{NAME}.j2").render(
        about=about,
        bundle=bundle,
        data=context.data.record(),
        recipe=context.recipe,
        columns=[column for column in columns if any(column in file.record.measures for file in files)],
        files=files,
        figure=_figure,
    )


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f} ms" if name == "latency_ms" else f"{value:.4g}"
