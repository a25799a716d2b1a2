"""`python -m fer_zoo` is the command `fer-zoo`."""

from fer_zoo.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
