"""Attention: products of heads that are computed in integers.

| file | what it rewrites |
|---|---|
| `multi_head_attention` | MultiHeadAttention of tf_keras and Keras 3 |
| `single_head` | Attention and AdditiveAttention |
| `grouped_query_attention` | GroupQueryAttention of Keras 3 |
| `own_attention` | GroupedQueryAttention of tfopt, with rotary positions |
"""
