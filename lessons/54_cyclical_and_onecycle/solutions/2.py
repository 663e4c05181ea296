"""For each seed the others choose, for each schedule by itself."""


def fair_gaps(a: dict[float, list[float]], b: dict[float, list[float]]) -> list[float]:
    def judged(losses: dict[float, list[float]], seed: int) -> float:
        others = {rate: sum(found[:seed] + found[seed + 1 :]) for rate, found in losses.items()}
        return losses[min(sorted(losses), key=lambda rate: others[rate])][seed]

    seeds = range(len(next(iter(a.values()))))
    return [judged(a, seed) - judged(b, seed) for seed in seeds]
