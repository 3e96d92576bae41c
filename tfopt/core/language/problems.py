"""Pydantic's errors as problems of a recipe.

Pydantic's location is a path of its own, with the tags of unions in it (`schedule.polynomial.final`), reports one
error per member of a union, and speaks of its own types. Here each mistake becomes one `Problem`: its path is the
one in the recipe, its message says what was received, what was expected and how to fix it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

from tfopt.core.language.annotations import blocks_at, keys_of
from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.docstrings import key_docstrings
from tfopt.core.language.mistakes import RecipePath
from tfopt.core.language.plain import look_up, own_key
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import KIND_MISMATCH, name_of, quote, remark, sentence, with_stop
from tfopt.errors import Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

KEY = "[key]"
"""Pydantic's last item of a location when a mapping's key is wrong, not its value."""


@dataclass(frozen=True)
class _Found:
    """One error of pydantic.

    Args:
        path: where, in the document.
        location: where, in pydantic's words.
        branch: length of `path` at which a member of a union was entered; None where there is no union.
        error: type, message, context and input.
    """

    path: RecipePath
    location: RecipePath
    branch: int | None
    error: ErrorDetails

    @property
    def refuses_kind(self) -> bool:
        """Whether it only reports that the value is not of this union member's kind."""
        return self.branch is not None and self.branch == len(self.path) and self.error["type"] in KIND_MISMATCH


def problems_from(
    error: ValidationError,
    document: object,
    block: type[Block],
    path: RecipePath = (),
    label: str = "",
    also_known: Sequence[str] = (),
) -> list[Problem]:
    """Every mistake that pydantic found, once.

    Args:
        error: what validating `document` as `block` raised.
        document: the plain value as the user wrote it.
        block: the class it was read as.
        path: location of `document` in the recipe.
        label: the user's name for that location, e.g. `prune_2`; empty for the recipe itself.
        also_known: keys that are allowed in addition to the fields of `block`, for suggestions.
    """
    found = [_place(item, document) for item in error.errors(include_url=False) if not _is_consequence(item)]
    translator = _Translator(document, block, path, label, tuple(also_known))
    groups = _one_per_mistake(found)
    misspelt = {translator.meant(group[0]) for group in groups if group[0].error["type"] == "extra_forbidden"}
    return list(dict.fromkeys(translator.problem(group) for group in groups if group[0].path not in misspelt))


def code_of(kind: str) -> str:
    """The error code for one of pydantic's types of error."""
    if kind in KIND_MISMATCH:
        return "wrong_type"
    return _CODES.get(kind, "invalid_value")


def _is_consequence(error: ErrorDetails) -> bool:
    """Whether pydantic counted entries only after others had failed: the list is not too short as written."""
    return error["type"] == "too_short" and bool(len(error["input"]) >= error["ctx"]["min_length"])


def _place(error: ErrorDetails, document: object) -> _Found:
    """Walks the document along pydantic's location, so that tags of unions fall away."""
    path: RecipePath = ()
    branch = None
    value = document
    location: RecipePath = error["loc"]
    for index, item in enumerate(location):
        at_end = index == len(location) - 1
        if isinstance(value, Mapping) and own_key(value, item):
            path, value = (*path, item), value[own_key(value, item)[0]]
        elif isinstance(value, (list, tuple)) and isinstance(item, int) and item < len(value):
            path, value = (*path, item), value[item]
        elif at_end and error["type"] == "missing":
            path = (*path, item)
        elif branch is None and item != KEY:
            branch = len(path)
    return _Found(path, location, branch, error)


def _one_per_mistake(found: Sequence[_Found]) -> list[list[_Found]]:
    """Groups the errors that different members of one union gave for one value."""
    groups: list[list[_Found]] = []
    for item in found:
        if item.branch is None:
            groups.append([item])
            continue
        union = item.path[: item.branch]
        same = [other for other in found if other.branch is not None and other.path[: other.branch] == union]
        telling = [other for other in same if not other.refuses_kind]
        if item in telling:
            groups.append([item])
        elif not telling and item is same[0]:
            groups.append(same)
    return groups


@dataclass(frozen=True)
class _Translator:
    """Turns errors of pydantic into problems; see `problems_from` for its values."""

    document: object
    block: type[Block]
    path: RecipePath
    label: str
    also_known: tuple[str, ...]

    def problem(self, group: Sequence[_Found]) -> Problem:
        first = group[0]
        if len(group) > 1:
            expected = [sentence(item.error) for item in group]
            return self._received(first.path, " or ".join(dict.fromkeys(expected)), None, code="wrong_type")
        if first.location and first.location[-1] == KEY:
            return self.key_of_mapping(first)
        special = _SPECIAL.get(first.error["type"])
        if special:
            return special(self, first)
        return self._received(first.path, sentence(first.error), first.error, code=code_of(first.error["type"]))

    def _name(self, path: RecipePath) -> str:
        return name_of(self.label, path)

    def _problem(self, path: RecipePath, message: str, hint: str = "", on_key: bool = False, *, code: str) -> Problem:
        return Problem((*self.path, *path), message, hint, on_key, code=code)

    def _received(self, path: RecipePath, expected: str, error: Mapping[str, object] | None, code: str) -> Problem:
        value = look_up(self.document, path)
        hint = remark(error, value) if error else ""
        return self._problem(path, f"{self._name(path)} must be {expected}. Got {quote(value)}{hint}.", code=code)

    def missing(self, found: _Found) -> Problem:
        *parent, key = found.path
        if isinstance(key, int):
            # One error per entry that is missing; only their common location helps the user.
            value = look_up(self.document, parent)
            return self._problem(
                tuple(parent),
                f"{self._name(tuple(parent))} must be a list with more entries. Got {quote(value)}.",
                code="wrong_length",
            )
        what = next(
            (
                key_docstrings(block).get(key, "")
                for block in blocks_at(self.block, found.location[:-1])
                if key in block.model_fields
            ),
            "",
        )
        what = " ".join(what.split())
        said = f": {what[0].lower()}{what[1:].rstrip('.')}" if what else ""
        where = self._name(tuple(parent))
        return self._problem(found.path, f"{where} needs the key {key!r}{said}.", code="missing_key")

    def _known_beside(self, found: _Found) -> list[str]:
        known = keys_of(blocks_at(self.block, found.location[:-1]))
        return known + [key for key in self.also_known if len(found.path) == 1 and key not in known]

    def meant(self, found: _Found) -> RecipePath:
        """Path of the key that an unknown key was probably meant to be: that one is misspelt, not also missing."""
        from difflib import get_close_matches  # only needed where something is wrong

        *parent, key = found.path
        return (*parent, *get_close_matches(str(key), self._known_beside(found), n=1))

    def unknown_key(self, found: _Found) -> Problem:
        *parent, key = found.path
        known = self._known_beside(found)
        guess = closest(str(key), known).strip() or f"Its keys: {', '.join(sorted(known))}."
        return self._problem(
            found.path, f"{self._name(tuple(parent))} has no key {str(key)!r}.", guess, on_key=True, code="unknown_key"
        )

    def no_kind(self, found: _Found) -> Problem:
        kind = found.error["ctx"]["discriminator"].strip("'")
        known = self._kinds(found, kind)
        return self._problem(
            found.path, f"{self._name(found.path)} needs the key {kind!r}: {_either(known)}.", code="missing_key"
        )

    def wrong_kind(self, found: _Found) -> Problem:
        context = found.error["ctx"]
        kind = context["discriminator"].strip("'")
        known = [name.strip("' ") for name in context["expected_tags"].split(",")]
        path = (*found.path, kind)
        value = look_up(self.document, path)
        return self._problem(
            path,
            f"{self._name(path)} must be {_either(known)}. Got {quote(value)}.",
            closest(str(value), known).strip(),
            code="not_a_choice",
        )

    def _kinds(self, found: _Found, key: str) -> list[str]:
        fields = [block.model_fields.get(key) for block in blocks_at(self.block, found.location)]
        return [str(name) for field in fields if field is not None for name in get_args(field.annotation)]

    def literal(self, found: _Found) -> Problem:
        expected = found.error["ctx"]["expected"]
        known = [name.strip("' ") for name in expected.replace(" or ", ", ").split(",")]
        value = look_up(self.document, found.path)
        guess = closest(value, known).strip() if isinstance(value, str) else ""
        return self._problem(
            found.path,
            f"{self._name(found.path)} must be {_either(known)}. Got {quote(value)}.",
            guess,
            code="not_a_choice",
        )

    def key_of_mapping(self, found: _Found) -> Problem:
        *parent, key = found.path
        return self._problem(
            found.path,
            f"the keys of {self._name(tuple(parent))} must be {sentence(found.error)}. Got {quote(key)}.",
            on_key=True,
            code="invalid_key",
        )

    def own_message(self, found: _Found) -> Problem:
        """A validator of ours, whose text continues the name of the key (`must be ...`) or is a sentence."""
        cause = found.error["ctx"]["error"]
        text, path, on_key, code = str(cause).rstrip("."), found.path, False, "invalid_value"
        if isinstance(cause, KeyMistake):
            path, on_key, code = _existing(self.document, (*path, *cause.path)), cause.on_key, cause.code
        if text.startswith("must") and not isinstance(cause, KeyMistake):
            value = look_up(self.document, path)
            main, fix = _split_remedy(text)
            message = f"{self._name(path)} {main}. Got {quote(value)}{fix}."
            return self._problem(path, message, code=code)
        continues = text.split(" ", 1)[0] in ("must", "says", "names", "cannot", "needs", "has", "is")
        return self._problem(
            path, f"{self._name(found.path)}{' ' if continues else ': '}{with_stop(text)}", on_key=on_key, code=code
        )


def _existing(document: object, path: RecipePath) -> RecipePath:
    """The part of `path` that the user wrote: a default that does not fit has no location in the file."""
    value = document
    for index, item in enumerate(path):
        if isinstance(value, Mapping) and own_key(value, item):
            value = value[own_key(value, item)[0]]
        elif isinstance(value, list) and isinstance(item, int) and item < len(value):
            value = value[item]
        else:
            return path[:index]
    return path


def _either(known: Sequence[str]) -> str:
    return known[0] if len(known) == 1 else f"{', '.join(known[:-1])} or {known[-1]}"


def _split_remedy(text: str) -> tuple[str, str]:
    """`must be x (write y)` as its claim and its remedy, between which the received value is put."""
    if text.endswith(")") and " (" in text:
        main, fix = text.split(" (", 1)
        return main, f" ({fix}"
    return text, ""


_CODES = {
    "int_parsing_size": "out_of_range",
    "finite_number": "out_of_range",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "multiple_of": "out_of_range",
    "string_too_short": "wrong_length",
    "string_too_long": "wrong_length",
    "too_short": "wrong_length",
    "too_long": "wrong_length",
}
"""Error codes by pydantic's type of error; the types of `KIND_MISMATCH` are `wrong_type`."""

_SPECIAL: dict[str, Callable[[_Translator, _Found], Problem]] = {
    "missing": _Translator.missing,
    "extra_forbidden": _Translator.unknown_key,
    "invalid_key": _Translator.unknown_key,
    "union_tag_not_found": _Translator.no_kind,
    "union_tag_invalid": _Translator.wrong_kind,
    "literal_error": _Translator.literal,
    "value_error": _Translator.own_message,
}
