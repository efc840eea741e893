"""The door of scripts/bench."""

# A process that a rebuild starts reads this file too, and would import every contender before it folds.
if __name__ == "__main__":
    from scripts.benchmarks.door import main

    main()
