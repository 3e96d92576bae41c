"""Records and tables in files: TFRecord shards, Parquet, Arrow, folders of Hugging Face `datasets`.

| file | question it answers |
|---|---|
| `shards` | Which files belong to which split? |
| `tfrecords` | Where does each record of a shard begin, and is the shard complete? |
| `compressed` | What is read in place of shards that are compressed? |
| `examples` | How do features of records become inputs and targets? |
| `tables` | How do columns of Parquet and Arrow files become inputs and targets? |
| `columns` | What is a column, and how do its values become an array? |
"""
