"""The words of the wire: addresses, query strings, content codings and text. Pure, no I/O."""
