"""What plain tfmot scripts get wrong without a word, and the same task in tfopt.

Scripts of tfmot that train are slow: its releases are pinned, so they prove the same each time. CI has tfopt's half of
each failure, and the scripts that train nothing.
"""
