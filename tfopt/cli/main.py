"""The command `tfopt`: finds the verb, runs it, prints its answer or its error, owns the exit code."""

from __future__ import annotations

import os
from importlib import import_module

import click

import tfopt
from tfopt.cli.errors import error_document, error_text
from tfopt.cli.options import debug
from tfopt.cli.session import Answer, Session, write
from tfopt.errors import EXIT_INTERRUPTED, TfoptError

VERBS = {
    "init": "tfopt.cli.init",
    "ls": "tfopt.cli.ls",
    "validate": "tfopt.cli.validate",
    "schema": "tfopt.cli.schema",
    "plan": "tfopt.cli.plan",
    "run": "tfopt.cli.run",
    "sweep": "tfopt.cli.sweep",
    "compare": "tfopt.cli.compare",
    "show": "tfopt.cli.show",
    "inspect": "tfopt.cli.inspect",
    "bench": "tfopt.cli.bench",
    "generate": "tfopt.cli.generate",
    "doctor": "tfopt.cli.doctor",
    "gc": "tfopt.cli.gc",
}
"""Each verb's module, in the order of a user's day; it is imported when the verb is asked for."""

RUN_NO_CODE = frozenset({"init", "ls", "validate", "schema"})
"""Verbs that run nothing of the user: searching all installed packages for plugins of pydantic would only cost time."""

EPILOG = """\b
Examples:
  tfopt init digits                     write a commented recipe to start from
  tfopt validate digits.yaml            every mistake at once, without TensorFlow
  tfopt plan digits.yaml                what would run, and what to know before
  tfopt run digits.yaml                 train, optimize, export, prove
  tfopt show digits-prune-qat           the report of the latest run
  tfopt inspect model.tflite            what a file really contains

\b
Exit codes: 0 ok, 1 bug in tfopt, 2 usage, 3 recipe, 4 environment, 5 stage or export,
6 store, 7 a claim is broken or a budget not met, 130 interrupted.
"""


class Verbs(click.Group):
    """Imports a verb when it is asked for, and is the one place where errors are caught and printed."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        if name in RUN_NO_CODE:
            os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        command: click.Command = import_module(VERBS[name]).command
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0]
        if name not in VERBS:
            from difflib import get_close_matches

            near = get_close_matches(name, VERBS, 1)
            advice = f"Did you mean '{near[0]}'?" if near else f"Verbs: {', '.join(VERBS)}."
            raise click.UsageError(f"tfopt has no verb '{name}'. {advice}", context)
        return name, self.get_command(context, name), arguments[1:]

    def invoke(self, context: click.Context) -> None:
        session = context.ensure_object(Session)
        try:
            answer = super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            context.exit(EXIT_INTERRUPTED)
        except TfoptError as error:
            _fail(error_text(error), error_document(error), session)
            context.exit(error.exit_code)
        except Exception as error:  # noqa: BLE001 the edge: whatever is not a TfoptError is a bug, and is said to be one
            _fail(*_bug(error, session), session)
            context.exit(1)
        try:
            write(answer, session)
        except BrokenPipeError:
            raise  # `tfopt ls | head -1`: click ends quietly
        except Exception as error:  # noqa: BLE001 the edge, once more: drawing the answer failed
            _fail(*_bug(error, session), session)
            context.exit(1)
        context.exit(answer.exit_code)


def _bug(error: Exception, session: Session) -> tuple[str, dict[str, object]]:
    """What is said of an error that tfopt did not raise on purpose, as text and as a document."""
    name = type(error).__name__
    advice = "" if session.debug else "\nRun the same command with --debug to see where, and please report it."
    document: dict[str, object] = {
        "error": {"kind": name, "code": "internal_error", "exit_code": 1, "message": str(error)}
    }
    return f"tfopt has a bug: {name}: {error}{advice}", document


def _fail(text: str, document: dict[str, object], session: Session) -> None:
    """An error on stderr, after its traceback if that was asked for; with `--json` on stdout too."""
    if session.debug:
        import traceback

        click.echo(traceback.format_exc(), err=True)
    click.echo(text, err=True)
    if session.json:
        write(Answer(lambda: document, lambda terminal: ()), session)


@click.group(
    cls=Verbs, epilog=EPILOG, subcommand_metavar="VERB ...", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(tfopt.__version__, prog_name="tfopt", message="%(prog)s %(version)s")
@debug
def main() -> None:
    """One recipe carries a Keras model to a small, fast and proven TFLite file."""
