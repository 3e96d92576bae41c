"""`tfopt doctor`: is this environment able to work, and what does a model support."""

from __future__ import annotations

import click

from tfopt.cli.options import common, no_trial
from tfopt.cli.session import Answer
from tfopt.errors import EnvironmentProblem


def _numbers(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    parts = value.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise click.BadParameter(f"must be positive numbers with commas between, such as 32,32,3. Got {value!r}.")
    return tuple(int(part) for part in parts)


@click.command(
    name="doctor",
    short_help="Check versions, and what a model supports.",
    epilog="""\b
Examples:
  tfopt doctor
  tfopt doctor small_cnn
  tfopt doctor keras.applications.MobileNetV2 --input-shape 224,224,3 --num-outputs 1000
  tfopt doctor small_cnn --verbose

Exit code 4 when something cannot work; each problem comes with its fix.
""",
)
@click.argument("model", required=False)
@click.option(
    "--input-shape",
    default="28,28,1",
    show_default=True,
    callback=_numbers,
    metavar="H,W,C",
    help="Input of models that are built for their data.",
)
@click.option(
    "--num-outputs",
    default=10,
    show_default=True,
    type=click.IntRange(min=1),
    help="Outputs of models that are built for their data.",
)
@click.option(
    "--allow-unsafe", is_flag=True, help="Run Python code that a model file holds or names; trust its author."
)
@click.option("--verbose", is_flag=True, help="Everything about each layer, in words instead of a table.")
@no_trial
@common
def command(
    model: str | None, input_shape: tuple[int, ...], num_outputs: int, allow_unsafe: bool, verbose: bool, trial: bool
) -> Answer:
    """Check versions; with MODEL, show what pruning and quantization can do with each of its layers, and what the
    converter makes of it.

    MODEL is whatever `model: {source: ...}` of a recipe may be.
    """
    from tfopt import api
    from tfopt.report.plan.text import doctor_text

    found = api.doctor(model, input_shape, num_outputs, allow_unsafe=allow_unsafe, trial=trial)
    return Answer(
        lambda: found,
        lambda terminal: doctor_text(
            found.environment, found.mismatches, found.layers, found.files, terminal.width, verbose, found.groups
        ),
        EnvironmentProblem.exit_code if found.mismatches else 0,
    )
