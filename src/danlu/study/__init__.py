"""Studies: many seeds trained as one program, claims with a test behind them, results that pages read, figures in two languages.

A study goes through four files, and each can be used without the others:

    from danlu.study.ensemble import ensemble, sweep         # recipes -> losses, metrics and weights of every member
    from danlu.study.results import Results, measured        # numbers with seeds and intervals; `results.json`
    from danlu.study.claims import read_claims, judge        # `claims.yaml` -> SUPPORTED, NOT SUPPORTED or INCONCLUSIVE
    from danlu.study.figure import Axes, Curve, Theory, draw # one run -> `name.en.svg` and `name.zh.svg`

In short:

    found = ensemble(sweep(recipe, seeds=range(5), **{"optimizer.lr": [0.03, 0.1, 0.3]}))
    arms = {f"lr_{name}": found.where(**{"optimizer.lr": lr}) for name, lr in (("low", 0.03), ("high", 0.3))}
    values = {f"{arm}.val_accuracy": measured(part.last("val_accuracy")) for arm, part in arms.items()}
    results = Results.of("03", values, inputs=["lesson.py", "claims.yaml"], claims=read_claims("claims.yaml"))
    results.write("results.json")                            # and `Results.read("results.json")`

A value's key is `ARM.METRIC`; a claim names a metric and two arms, so it compares the values `A.METRIC` and `B.METRIC`, paired by seed.
"""
