"""What of a model can be removed, and the model without it.

| file | question it answers |
|---|---|
| `types` | What is a unit, a group of units, and what is kept of them? |
| `groups` | Which groups does a model have, and what cannot be changed? |
| `blocks` | Which residual branches can be left out? |
| `labels` | Which positions of tensors go together? |
| `call` | What does the rule of a layer see of one of its calls? |
| `trace` | How are units followed through a model? |
| `rules/` | Where are the units of a type of layer? |
| `closed` | Which nested models stay as they are? |
| `activations` | Does an activation treat each value by itself? |
| `remove` | What is the model without some units? |
| `factorize` | Which kernels can be two smaller ones? |
| `masked` | What is the model in which they are silent? |
| `masked_layers` | Which layers does that need? |
| `replay` | How is a model made again with other layers? |
| `cost` | What does a model cost, and which widths do kernels like? |
| `products` | What do layers compute that multiply tensors with each other, without some units? |
"""

from tfopt.backend.shrinking.graph.cost import cost, rounded
from tfopt.backend.shrinking.graph.factorize import rank_groups, singular_values
from tfopt.backend.shrinking.graph.groups import groups_of
from tfopt.backend.shrinking.graph.masked import MaskedTwin, masked
from tfopt.backend.shrinking.graph.remove import remove
from tfopt.backend.shrinking.graph.types import Cost, Kept, Kind, Member, OutputSite, Role, ShrinkGroup, ShrinkGroups

__all__ = [
    "Cost",
    "Kept",
    "Kind",
    "MaskedTwin",
    "Member",
    "OutputSite",
    "Role",
    "ShrinkGroup",
    "ShrinkGroups",
    "cost",
    "groups_of",
    "masked",
    "rank_groups",
    "remove",
    "rounded",
    "singular_values",
]
