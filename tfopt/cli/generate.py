"""`tfopt generate`: text from a generative file, as it comes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfopt.cli.options import common
from tfopt.cli.session import Answer, Session

if TYPE_CHECKING:
    from tfopt.core.records.generation import Generation


@click.command(
    name="generate",
    short_help="Continue a prompt with a generative file, and measure how fast.",
    epilog="""\b
Examples:
  tfopt generate generate_int8.tflite --prompt "ROMEO:"
  tfopt generate shakespeare-gpt --variant int4 --prompt "ROMEO:" --temperature 0.8 --top-k 40
  tfopt generate generate_float32.tflite --prompt "ROMEO:" --draft small/generate_int8.tflite
  tfopt generate generate_int8.litertlm --prompt "ROMEO:" --json
""",
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE|RUN")
@click.option("--prompt", required=True, help="The text to continue; - reads it from stdin.")
@click.option(
    "--max-tokens", default=128, show_default=True, type=click.IntRange(min=1), help="Most tokens to generate."
)
@click.option(
    "--temperature",
    default=0.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="0 takes the most probable token; above it, tokens are drawn.",
)
@click.option("--top-k", type=click.IntRange(min=1), help="Draw from the K most probable tokens.")
@click.option(
    "--top-p",
    default=1.0,
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="Draw from the most probable tokens that together have this probability.",
)
@click.option(
    "--repetition-penalty",
    default=1.0,
    type=click.FloatRange(min=0, min_open=True),
    help="Above 1: tokens that occurred become less probable.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of the random numbers.")
@click.option(
    "--draft",
    type=click.Path(path_type=Path),
    metavar="FILE|RUN",
    help="A smaller file that proposes tokens; the text is distributed as without it (speculative decoding).",
)
@click.option(
    "--tokenizer", type=click.Path(path_type=Path), help="tokenizer.json or .model in place of the file's own."
)
@click.option("--stop", multiple=True, metavar="TOKEN", help="A token that ends the text; may be repeated.")
@click.option("--variant", help="Which generative file of a run, such as int8.")
@click.option("--allow-unknown", is_flag=True, help="Take unknown words as the tokenizer's unknown token.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1), help="Threads of the CPU.")
@click.option("--out", default="saved_models", show_default=True, metavar="DIR", help="Folder of the runs.")
@common
@click.pass_obj
def command(
    session: Session,
    file: Path,
    prompt: str,
    max_tokens: int,
    temperature: float,
    top_k: int | None,
    top_p: float,
    repetition_penalty: float,
    seed: int,
    draft: Path | None,
    tokenizer: Path | None,
    stop: tuple[str, ...],
    variant: str | None,
    allow_unknown: bool,
    threads: int,
    out: str,
) -> Answer:
    """Continue a prompt with a .tflite or .litertlm that export.generate wrote: the text goes to stdout as it comes,
    the speed to stderr. TensorFlow is not needed.

    The figures are of this machine, with the file open and one call of each signature made before. Acceptance is
    the share of the draft's tokens that the large model takes.
    """
    from tfopt import api

    text = sys.stdin.read() if prompt == "-" else prompt

    def show(piece: str) -> None:
        click.echo(piece, nl=False, file=session.stdout)
        session.stdout.flush()

    found = api.generate(
        file,
        text,
        max_tokens=max_tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        repetition_penalty=repetition_penalty,
        seed=seed,
        draft=draft,
        tokenizer=tokenizer,
        stop=stop,
        threads=threads,
        variant=variant,
        allow_unknown=allow_unknown,
        out=out,
        on_text=None if session.json else show,
    )
    if not session.json:
        click.echo(file=session.stdout)
        _print_speed(found)
    return Answer(lambda: found, lambda terminal: ())


def _print_speed(found: Generation) -> None:
    from tfopt.report.files.generation import generation_lines

    for line in generation_lines(found):
        click.echo(click.style(line, dim=True), err=True)
