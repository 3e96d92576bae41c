"""Executors of trials: processes of this machine, or a Ray cluster.

| file | question it answers |
|---|---|
| `base` | what must an executor do? |
| `start` | which executor is used, with how many jobs and threads? |
| `local` | how are worker processes started, fed and stopped? |
| `worker` | what does a worker process do? |
| `ray` | how do trials run as Ray tasks? |
"""
