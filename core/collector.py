"""Python's garbage collector in processes that live long.

A page or a task makes thousands of small objects, so the collector runs often. With all loaded code among what it looks
through, it took a quarter of a call's processor time (``bench/README.md``, "The API").
"""

import gc

# How many new objects lie about before the collector looks at them; Python's own 700 is less than one page makes.
YOUNG, MIDDLE, OLD = 10_000, 20, 20


def spare_loaded_code() -> None:
    """Take everything that is there now out of the collector's sight, and let it run less often.

    To be called once in a process, when its code is loaded and before it serves anybody.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
