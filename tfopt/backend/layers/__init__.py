"""Layers of tfopt's own that models are made of, where tf_keras has none; saved files name them `tfopt>...`.

Loading a `.keras` file with one of them outside of tfopt needs `import tfopt.backend.layers` first.

| file | question it answers |
|---|---|
| `grouped_query_attention` | causal attention whose query heads share key and value heads, with rotary positions |
| `rotary` | how do positions turn queries and keys? |
| `rms_normalization` | normalization by the root mean square |
| `position_embedding` | a learned vector for each position, added |
| `tied_embedding` | one table that is the embedding and the last layer, too |
| `audio_features` | log-mel energies or MFCCs of samples, inside of a model |
| `gelu_tanh` | the GELU of GPT-2 |
"""

from tfopt.backend.layers.audio_features import AudioFeatures
from tfopt.backend.layers.gelu_tanh import gelu_tanh
from tfopt.backend.layers.grouped_query_attention import GroupedQueryAttention
from tfopt.backend.layers.position_embedding import PositionEmbedding
from tfopt.backend.layers.rms_normalization import RMSNormalization
from tfopt.backend.layers.tied_embedding import TiedEmbedding, TiedLogits

__all__ = [
    "AudioFeatures",
    "GroupedQueryAttention",
    "PositionEmbedding",
    "RMSNormalization",
    "TiedEmbedding",
    "TiedLogits",
    "gelu_tanh",
]
