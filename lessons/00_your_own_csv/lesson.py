"""Your own CSV: a classifier and a regressor from one table, judged beside simple methods, used and exported."""

# %% setup
import contextlib
import csv
import io
import json
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from danlu.cli.main import main
from danlu.data.find_files import dataset_folder
from danlu.errors import Sentence
from danlu.recipes.tabular import tabular  # noqa: F401 (the command loads it by its name; imported, a change in it is noticed)
from danlu.study.figure import Axes, bars
from danlu.study.results import measured

URL = "https://raw.githubusercontent.com/jbrownlee/Datasets/master/"
FILES = {
    "winequality-red.csv": "c9614512e980f1cbd221c796daa97f00c4898c3cd1716863abac60f6cd1a522e",
    "winequality-white.csv": "659d419fff887f225bf977d20520bb64a64cae203e460087f809721d4430ba27",
}
MEASUREMENTS = (
    "fixed_acidity", "volatile_acidity", "citric_acid", "residual_sugar", "chlorides", "free_sulfur_dioxide", "total_sulfur_dioxide",
    "density", "ph", "sulphates", "alcohol",
)  # fmt: skip
STEPS, WIDTH = 250, 64
KEPT = 2000  # different wines of the table that are used, with all their copies: all of them would take more than a minute
TEST, VAL = 0.2, 0.1  # shares of the rows


# %% table
def wines() -> list[dict[str, str]]:
    """A row a wine: what was measured, the mark that tasters gave, its colour."""
    folder, found = dataset_folder("wine_quality", FILES, URL), []
    for colour in ("red", "white"):
        with (folder / f"winequality-{colour}.csv").open(encoding="utf-8") as file:
            found += [{**dict(zip((*MEASUREMENTS, "quality"), row)), "colour": colour} for row in csv.reader(file)]
    different = list(dict.fromkeys(map(same, found)))
    kept = set(random.Random(0).sample(different, KEPT))
    return [row for row in found if same(row) in kept]


def same(row: dict[str, str]) -> tuple[str, ...]:
    """What makes two rows the same wine to a model: every number that it is given."""
    return tuple(row[name] for name in MEASUREMENTS)


def write(path, rows) -> Path:
    """A CSV of rows, with a line of names."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return Path(path)


# %% command
def danlu(*words: str) -> str:
    """What `danlu WORDS` says in a terminal."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main([str(word) for word in words])
    if code:
        raise SystemExit(code)
    return said.getvalue()


# %% train
def train(table: Path, target: str, task: str, leave_out: str, seed: int) -> tuple[Path, float]:
    """The folder of a run that learned to say `target`, and its test figure; a column `part` says which rows are for what."""
    run = table.with_name(f"{table.stem}-{target}")
    settings = (f"steps={STEPS}", f"model.width={WIDTH}", "model.depth=1", f"seed={seed}")
    columns = (f"data.path={table}", f"data.target={target}", f"data.task={task}", f"data.ignore=[{leave_out}]", "data.split=part")
    metric = {"classify": "accuracy", "regress": "rmse"}[task]
    told = danlu("train", "tabular", *columns, *settings, f"metrics=[{metric}]", "--out", run, "--quiet", "--no-check", "--json")
    return run, json.loads(told)["test"][f"test_{metric}"]


# %% evaluate
def judged(run: Path, metric: str) -> dict[str, float]:
    """A metric on the test rows: of the network, and of simple methods trained on the same rows."""
    found = json.loads(danlu("evaluate", run, "--baselines", "--json"))
    return {"network": found["metrics"][metric], **{each["name"]: each["metrics"][metric] for each in found["baselines"]}}


# %% predict
def rmse(said: Path) -> float:
    """By hand, from a table with a column `quality` and a column `prediction`: the root of the mean squared error."""
    with said.open(encoding="utf-8") as file:
        errors = [float(row["quality"]) - float(row["prediction"]) for row in csv.DictReader(file)]
    return math.sqrt(sum(error**2 for error in errors) / len(errors))


# %% twins
def dealt(rows, seed: int):
    """Rows dealt to train, val and test, twice: with the training twins of test rows in, and out. The test rows are the same."""
    rows = [dict(row) for row in rows]
    draw = random.Random(seed)
    for row in rows:
        chance = draw.random()
        row["part"] = "test" if chance < TEST else "val" if chance < TEST + VAL else "train"
    tested = {same(row) for row in rows if row["part"] == "test"}
    twins = [row for row in rows if row["part"] != "test" and same(row) in tested]
    others = draw.sample([row for row in rows if row["part"] != "test" and same(row) not in tested], len(twins))
    out, instead = {id(row) for row in twins}, {id(row) for row in others}
    return [row for row in rows if id(row) not in instead], [row for row in rows if id(row) not in out], len(twins)


# %% elsewhere
def elsewhere(run: Path, table: Path) -> float:
    """The largest difference between what danlu and the exported folder, which needs no danlu, say of the same rows."""
    bundle, here, there = run / "bundle", run / "here.csv", run / "there.csv"
    danlu("export", run, "--to", "bundle", "--out", bundle)
    danlu("predict", run, table, "--out", here)
    subprocess.run([sys.executable, bundle / "predict.py", table, "--out", there], check=True, capture_output=True)
    pairs = zip(*(csv.DictReader(path.open(encoding="utf-8")) for path in (here, there)))
    return max(abs(float(a["prediction"]) - float(b["prediction"])) for a, b in pairs)


# %% measure
def one_seed(rows, seed: int, folder: Path) -> dict[str, float]:
    """Both questions, and the twins, for one way of dealing the rows."""
    with_twins, without, count = dealt(rows, seed)
    twins_in, twins_out = write(folder / "twins_in.csv", with_twins), write(folder / "twins_out.csv", without)
    good, _ = train(twins_out, "quality", "regress", "colour", seed)
    _, flattered = train(twins_in, "quality", "regress", "colour", seed)
    colour, _ = train(twins_out, "colour", "classify", "quality", seed)
    hard, easy = judged(good, "rmse"), judged(colour, "accuracy")
    test = write(folder / "test.csv", [row for row in without if row["part"] == "test"])
    danlu("predict", good, test, "--out", folder / "said.csv")
    return {
        **{f"{name}.rmse": value for name, value in hard.items()},
        **{f"{name}.accuracy": value for name, value in easy.items()},
        "twins_out.rmse": hard["network"],
        "twins_in.rmse": flattered,
        "by_hand.rmse": rmse(folder / "said.csv"),
        "twins.rows": count,
        **({"bundle.gap": elsewhere(good, test)} if seed == 0 else {}),
    }


def measure(seeds):
    """Everything that the page shows."""
    rows, found = wines(), {}
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            for key, value in one_seed(rows, seed, Path(folder)).items():
                found.setdefault(key, {})[seed] = value
    gap = found.pop("bundle.gap")
    values = {key: measured(by_seed) for key, by_seed in found.items()}
    values["bundle.gap"] = measured(next(iter(gap.values())))
    values["all.rows"] = measured(len(rows))
    values["repeated.rows"] = measured(len(rows) - len({same(row) for row in rows}))
    marks = [float(row["quality"]) for row in rows]
    values["marks.deviation"] = measured(math.sqrt(sum((mark - sum(marks) / len(marks)) ** 2 for mark in marks) / len(marks)))
    return values, {}


# %% pictures
NAMES = {
    "baseline": Sentence("no model", "不用模型"),
    "linear": Sentence("linear", "线性"),
    "network": Sentence("network", "网络"),
    "boosting": Sentence("boosting", "梯度提升"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    value = lambda arm, metric: results.value(f"{arm}.{metric}").values
    wrong = lambda arm: [100 * (1 - share) for share in value(arm, "accuracy")]
    bars(
        folder / "easy",
        Axes(Sentence("Red or white?", "红还是白？"), Sentence("", ""), Sentence("wrong answers, %", "答错的比例（%）")),
        [(NAMES[name], wrong(arm)) for name, arm in (("baseline", "majority"), *((n, n) for n in list(NAMES)[1:]))],
    )
    bars(
        folder / "hard",
        Axes(Sentence("How good is it?", "有多好？"), Sentence("", ""), Sentence("error (rmse), marks", "误差（rmse，分）")),
        [(NAMES[name], value(arm, "rmse")) for name, arm in (("baseline", "mean"), *((n, n) for n in list(NAMES)[1:]))],
    )
    less = lambda a, b: [one - other for one, other in zip(value(a, "rmse"), value(b, "rmse"))]
    bars(
        folder / "flattery",
        Axes(Sentence("Earned, and given away", "挣来的，和白送的"), Sentence("", ""), Sentence("error saved, marks", "误差减少（分）")),
        [
            (Sentence("network instead of a line", "用网络代替直线"), less("linear", "network")),
            (Sentence("twins of test rows in training", "测试行的孪生行留在训练集"), less("twins_out", "twins_in")),
        ],
    )


# %% look
if __name__ == "__main__":
    for key, value in measure(range(2))[0].items():
        print(f"{key:24} {value.mean:.4g}")
