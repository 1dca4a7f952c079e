"""``python -m requite``: alone the prompt, see ``requite.interactive``; with arguments the command line, see ``requite.cli``."""

from __future__ import annotations

import sys

if __name__ == '__main__':
    if len(sys.argv) == 1:
        import requite
        from requite.interactive import prompt

        sys.exit(prompt({'request': requite.request, 'pipe': requite.pipe, 'requite': requite}))
    from requite.cli import main

    sys.exit(main())
