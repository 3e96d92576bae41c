"""What of a model can be removed, and the model without it.

| file | question it answers |
|---|---|
| `types` | What is a unit, a group of units, and what is kept of them? |
"""

from tfopt.backend.shrinking.graph.types import Cost, Kept, Kind, Member, OutputSite, Role, ShrinkGroup, ShrinkGroups

__all__ = ["Cost", "Kept", "Kind", "Member", "OutputSite", "Role", "ShrinkGroup", "ShrinkGroups"]
