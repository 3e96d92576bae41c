"""The run of the first recipe, from which the notebooks have their trained stages."""

from tests.end_to_end.conftest import first_out as first_out
