"""Where the interval lies, beside the smallest gain that matters; zero plays no part."""


def conclusion(low: float, high: float, effect: float) -> str:
    return "yes" if low >= effect else "no" if high < effect else "open"
