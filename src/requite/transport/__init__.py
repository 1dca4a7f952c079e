"""The only I/O of the library: a hop goes in, a reply comes out."""
