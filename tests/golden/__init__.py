"""The replay of what Node's request did, recorded, through requite: ``python -m tests.golden`` from the root of the repository.

``corpus`` reads the recordings, ``values`` turns their value tokens into Python's, ``world`` is the machine as the recordings assume it
(names, clock, environment), ``drive`` makes the calls, ``observe`` notes what came of them, ``compare`` says where that differs from Node,
``decided`` and ``situations`` list where it is meant to differ, ``replay`` puts one case through all of them, ``__main__`` counts.
"""
