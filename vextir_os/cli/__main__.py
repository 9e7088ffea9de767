"""`python -m vextir_os.cli` is `vextir`."""

from vextir_os.cli import main

if __name__ == "__main__":
    main()
