"""`python -m console`: the same as the command `dolen`."""

from console.main import main

if __name__ == "__main__":
    main()
