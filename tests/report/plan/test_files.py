"""What the converter makes of a model, in the terminal."""

from __future__ import annotations

from tests.support.console import printed
from tfopt.core.contracts.trial import TrialConversion, looked_at
from tfopt.report.plan.files import files_text

FILES = (
    TrialConversion("small", "none", {"CONV_2D": 1, "ELU": 2}, {"CONV_2D": 1, "ELU": 2}),
    TrialConversion("tiny", "int8", {"CONV_2D": 1, "ELU": 2}, {"ELU": 2}, ("bend",)),
    TrialConversion("never", "float16", refused="the converter crashed with SIGSEGV"),
)


def test_each_file_has_its_operators_or_why_it_cannot_be_made() -> None:
    lines = [line.split() for line in printed(files_text(FILES), 120).splitlines()]
    shown = [" ".join(line) for line in lines]
    assert "small ELU 2, CONV_2D 1" in shown
    assert "tiny ELU 2, CONV_2D 1; in float: ELU 2 (layers bend)" in shown
    assert "never cannot be made: the converter crashed with SIGSEGV" in shown
    assert files_text([]) == []


def test_files_that_find_out_sizes_name_the_key_that_leaves_that_out() -> None:
    sizes = {"CONV_2D": 1, "SHAPE": 2, "PACK": 2}
    files = (TrialConversion("any", "int8", sizes), TrialConversion("one", "int8", sizes, batch=1), FILES[0])
    (line,) = [line for line in printed(files_text(files), 200).splitlines() if "SHAPE, with" in line]
    assert line.startswith("any: 2 operators SHAPE")
    assert "`batch: 1`" in line
    assert "batch: 1" not in printed(files_text(files[1:]), 200)


def test_the_table_of_layers_shows_an_integer_file_where_there_is_one() -> None:
    assert looked_at(FILES) is FILES[1]
    assert looked_at(FILES[::2]) is FILES[0]
    assert looked_at(FILES[2:]) is None
