"""Distillation in any training stage; `tfopt.core.config.distillation` declares its keys.

| file | question it answers |
|---|---|
| `distiller` | which hook teaches a stage? |
| `step` | what does the teacher add to each training step? |
| `teachers` | what are the outputs of one teacher, or of several? |
| `moving_average` | how is the student its own teacher? |
| `cache` | where are outputs of teachers kept that are computed once? |
| `compared` | which outputs are compared, each with which loss? |
| `loss` | of which parts does the loss consist? |
| `response_losses`, `feature_losses` | how are outputs, and layers, compared? |
| `feature_extractor`, `projections` | how are layers read, and fitted to each other? |
| `narrowed` | how does a teacher's wide table of embeddings become a narrower one? |
| `outputs` | are outputs probabilities or logits, and at which temperature? |
| `ramps` | how do temperature and weight change over the steps? |
| `preflight` | what is wrong with a teacher before any training? |
"""

from tfopt.backend.distillation.distiller import Distiller
from tfopt.backend.distillation.preflight import teacher_preflight

__all__ = ["Distiller", "teacher_preflight"]
