"""The cases of `../shared/cases`: models of the kinds that users reported, each with what it should give."""
