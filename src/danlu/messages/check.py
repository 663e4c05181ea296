"""Sentences of the certificate before a run."""

from __future__ import annotations

from danlu.errors import Sentence

ABOUT_CHECK = Sentence(
    "try a recipe before training it: gradients against a plain loop, dead parts, overfitting, cost",
    "训练前检查配方：梯度与手写循环对照、不起作用的部分、能否过拟合、开销",
)
MORE_CHECK = Sentence(
    "train does this by itself (--no-check leaves it out). A page is kept by recipe, code, data and machine, and shown again at no cost. "
    "Exit code 3 if a line failed.",
    "train 会自动做这项检查（--no-check 可跳过）。结果按配方、代码、数据与机器保存，再次运行时直接取用。若有一行未通过，退出码为 3。",
)
FLAG_AGAIN = Sentence("look again, even if a page is kept", "即使已有保存的结果也重新检查")
FLAG_NO_CHECK = Sentence("train without trying the recipe first", "跳过训练前的检查")
CHECK_VERDICTS = {"ok": Sentence("ok", "通过"), "note": Sentence("note", "留意"), "failed": Sentence("FAILED", "未过")}
CHECK_TITLES = {
    "rows": Sentence("rows", "数据行"),
    "start": Sentence("start", "初始损失"),
    "gradient": Sentence("gradient", "梯度"),
    "steps": Sentence("steps", "逐步对照"),
    "tensors": Sentence("tensors", "各张量"),
    "overfit": Sentence("overfit", "过拟合"),
    "techniques": Sentence("techniques", "技巧"),
    "settings": Sentence("settings", "设置"),
    "cost": Sentence("cost", "开销"),
}
CHECK_SUM = Sentence(
    "{ok} ok, {note} to note, {failed} failed, in {seconds:.1f} s", "通过 {ok}，留意 {note}，未过 {failed}，用时 {seconds:.1f} 秒"
)
CHECK_KEPT = Sentence(" (kept from {made}; --again looks anew)", "（取自 {made} 的检查；--again 重新检查）")
CHECK_REFUSED = Sentence(
    "the check before the run failed: {title}: {says}\nchange the recipe, or train it as it is with --no-check (danlu check shows the whole page)",
    "训练前的检查未通过：{title}：{says}\n请修改配方，或用 --no-check 照样训练（danlu check 可查看整页结果）",
)
CHECK_TOLD_OK = Sentence("checked: all {count} lines are ok", "已检查：{count} 项全部通过")
CHECK_TOLD = Sentence("check: {title}: {says}", "检查：{title}：{says}")

CHECK_LATE = Sentence("not looked at: {seconds:.0f} s had gone by already", "未检查：已用去 {seconds:.0f} 秒")
CHECK_NOT_LOOKED = Sentence("could not be looked at: {reason}", "无法检查：{reason}")

CHECK_INPUTS = Sentence("inputs", "输入")
CHECK_TARGETS = Sentence("targets", "目标")
CHECK_ROWS_OK = Sentence(
    "{rows} rows bring the same inputs and targets together, one by one and in another order; an epoch has each row once",
    "{rows} 行数据一起取、逐行取、换序取，输入与目标都一致；每轮每行恰好一次",
)
CHECK_ROWS_DRAWN = Sentence(
    "the inputs of a row differ each time it is fetched (targets do not): the data draws numbers of its own, so a run cannot be resumed or "
    "repeated bit for bit; draw them from the row's id and `draw`",
    "同一行的输入每次取到的都不同（目标一致）：数据自己抽取随机数，训练无法逐位续训或重现；请由行号与 `draw` 决定随机数",
)
CHECK_ROWS_DIFFER = Sentence(
    "the {what} of a row depend on which rows it is fetched with, so inputs and targets do not belong together; fetch(ids) must return row k for ids[k]",
    "同一行的{what}随一起取的行而变，输入与目标对不上；fetch(ids) 的第 k 行必须是 ids[k] 那一行",
)
CHECK_ROWS_ONCE = Sentence(
    "an epoch shows {seen} of {rows} rows instead of each of them once", "一轮只见到 {rows} 行中的 {seen} 行，而不是每行一次"
)

CHECK_START_OK = Sentence(
    "loss {loss:.4g} of the fresh model; one that knows nothing should have {zero:.4g} to {drawn:.4g}",
    "初始模型的损失为 {loss:.4g}；一无所知的模型应在 {zero:.4g} 到 {drawn:.4g}",
)
CHECK_START_UNKNOWN = Sentence(
    "loss {loss:.4g} of the fresh model; what to expect of this loss cannot be told",
    "初始模型的损失为 {loss:.4g}；这种损失无法预知应为多少",
)
CHECK_START_NAN = Sentence(
    "the loss of the fresh model is {loss}; look for a logarithm or a division by zero, and at the inputs (danlu look)",
    "初始模型的损失为 {loss}；请检查对数、除以零，以及输入数据（danlu look）",
)
CHECK_START_HIGH = Sentence(
    "loss {loss:.4g} of the fresh model, {ratio:.3g} times what one that knows nothing should have ({expected:.4g}): its outputs are far too "
    "large; initialise the last layer smaller, normalise the inputs or standardise the targets",
    "初始模型的损失为 {loss:.4g}，是一无所知的模型（{expected:.4g}）的 {ratio:.3g} 倍：输出过大；请减小最后一层的初始化、归一化输入或标准化目标",
)
CHECK_START_LOW = Sentence(
    "loss {loss:.4g} of the fresh model, well below the {zero:.4g} of one that knows nothing: it was trained before, the targets are in the "
    "inputs, or one class has nearly all rows",
    "初始模型的损失为 {loss:.4g}，明显低于一无所知的模型（{zero:.4g}）：它可能训练过、输入里含有目标，或绝大多数行属于同一类",
)

CHECK_WHOLE = Sentence("the batch at once", "整批一次计算")
CHECK_SPLIT = Sentence("{micro} micro-batches", "{micro} 个微批")
CHECK_GRADIENT_OK = Sentence(
    "{how}, in {precision}, is {error:.1e} from a plain loop over the {rows} rows (bound {bound:.1e})",
    "{how}，{precision}：与对这 {rows} 行的手写循环相差 {error:.1e}（上限 {bound:.1e}）",
)
CHECK_GRADIENT_KINK = Sentence(
    "{error:.1e} apart from a plain loop in {precision}, more than rounding explains ({bound:.1e}), but {exact:.1e} in float64: some unit sits right on "
    "a kink (a ReLU at zero)",
    "{precision} 下与手写循环相差 {error:.1e}，超过舍入能解释的 {bound:.1e}；但 float64 下只差 {exact:.1e}：有单元恰在折点上（如 ReLU 的零点）",
)
CHECK_GRADIENT_LENGTH = Sentence(
    "the gradient is {ratio:.4g} times that of the plain loss over the same {rows} rows ({how}, {precision}): the loss is divided by the "
    "wrong count; return sums with the count that divides them, or wrap a mean in danlu.mean_loss",
    "梯度是同样 {rows} 行上普通损失梯度的 {ratio:.4g} 倍（{how}，{precision}）：损失除以了错误的数；请返回总和并给出对应的分母，"
    "或用 danlu.mean_loss 包装均值",
)
CHECK_GRADIENT_WRONG = Sentence(
    "the gradient is {error:.1e} apart from a plain loop over the same {rows} rows ({how}, {precision}; bound {bound:.1e}): a batch "
    "does not give what its rows give; look for a loss that is no sum over rows, and for layers that mix rows",
    "梯度与同样 {rows} 行上的手写循环相差 {error:.1e}（{how}，{precision}；上限 {bound:.1e}）：整批的结果不等于各行之和；"
    "请检查不是按行求和的损失，以及把不同行混在一起的层",
)

CHECK_NO_FLOAT64 = Sentence("not looked at: {device} has no float64; device=cpu has", "未检查：{device} 不支持 float64；可用 device=cpu")
CHECK_STEPS_OK = Sentence(
    "{steps} steps in float64 end {error:.1e} from a plain loop with torch's optimiser (bound {bound:.0e})",
    "float64 下 {steps} 步后，与使用 torch 优化器的手写循环相差 {error:.1e}（上限 {bound:.0e}）",
)
CHECK_STEPS_WRONG = Sentence(
    "after {steps} steps in float64 `{name}` is {error:.1e} from a plain loop with torch's optimiser (bound {bound:.0e})",
    "float64 下 {steps} 步后，`{name}` 与使用 torch 优化器的手写循环相差 {error:.1e}（上限 {bound:.0e}）",
)
CHECK_STEPS_UPDATE = Sentence(
    "; the first gradients agree, so it is the update (optimiser, rate, schedule, buffers) or a later batch",
    "；第一步的梯度一致，因此问题在更新（优化器、学习率、调度、缓冲区）或后面的批次",
)
CHECK_STEPS_GRADIENT = Sentence(
    "; the first gradients already differ ({gradient:.1e}): the loss is no sum over rows, or is divided by the wrong count",
    "；第一步的梯度就已不同（{gradient:.1e}）：损失不是按行求和，或除以了错误的数",
)

CHECK_TOUCHED_OK = Sentence(
    "all {tensors} trained tensors get a gradient within {steps} steps", "要训练的 {tensors} 个张量在 {steps} 步内都得到了梯度"
)
CHECK_CUT_OFF = Sentence(
    "the loss depends on {names}, yet no gradient arrives there in {steps} steps: look for detach(), no_grad() or .data on the way, or freeze it "
    "on purpose (requires_grad_(False))",
    "损失依赖 {names}，但 {steps} 步内都没有梯度到达：请检查途中的 detach()、no_grad() 或 .data，或者有意冻结它（requires_grad_(False)）",
)
CHECK_UNUSED = Sentence(
    "{count} of {tensors} trained tensors get no gradient and change nothing on these rows (unused?): {names}",
    "要训练的 {tensors} 个张量中有 {count} 个没有梯度，对这些行的损失也没有影响（未被使用？）：{names}",
)

CHECK_OVERFIT_OK = Sentence(
    "loss {first:.4g} to {best:.4g} on {rows} rows in {steps} steps at lr {lr:.3g}",
    "在 {rows} 行上以学习率 {lr:.3g} 训练 {steps} 步，损失由 {first:.4g} 降到 {best:.4g}",
)
CHECK_OVERFIT_ON_THE_WAY = Sentence(
    "loss {first:.4g} to {best:.4g} on {rows} rows in {steps} steps at lr {lr:.3g}, which is enough for the {total} steps of the recipe",
    "在 {rows} 行上以学习率 {lr:.3g} 训练 {steps} 步，损失由 {first:.4g} 降到 {best:.4g}；对配方的 {total} 步来说足够",
)
CHECK_OVERFIT_SLOW = Sentence(
    "slow: loss {first:.4g} to {best:.4g} on one batch in {steps} steps at lr {lr:.3g}; the recipe's {total} steps would take off {share:.2g} % at "
    "that pace; a larger rate or more steps may be needed",
    "缓慢：在同一批上以学习率 {lr:.3g} 训练 {steps} 步，损失由 {first:.4g} 降到 {best:.4g}；照此速度配方的 {total} 步只能降低 {share:.2g} %；"
    "可能需要更大的学习率或更多步",
)
CHECK_OVERFIT_BACK = Sentence(
    "the loss on one batch went from {first:.4g} down to {best:.4g} and up to {last:.4g} in {steps} steps: the rate {lr:.3g} is high",
    "同一批上的损失在 {steps} 步内由 {first:.4g} 降到 {best:.4g} 又升到 {last:.4g}：学习率 {lr:.3g} 偏高",
)
CHECK_OVERFIT_RISES = Sentence(
    "one batch cannot be learned: the loss goes from {first:.4g} up to {last:.4g} in {steps} steps at lr {lr:.3g}; lower the rate",
    "连一个批次也学不会：以学习率 {lr:.3g} 训练 {steps} 步，损失由 {first:.4g} 升到 {last:.4g}；请降低学习率",
)
CHECK_OVERFIT_STANDS = Sentence(
    "one batch cannot be learned: {steps} steps at lr {lr:.3g} take the loss from {first:.4g} to {best:.4g}, and all {total} of the recipe would take "
    "off {share:.2g} %; raise the rate, or look whether the inputs reach the output",
    "连一个批次也学不会：以学习率 {lr:.3g} 训练 {steps} 步，损失只由 {first:.4g} 变到 {best:.4g}，配方的全部 {total} 步也只能降低 {share:.2g} %；"
    "请提高学习率，或检查输入是否真的传到了输出",
)
CHECK_OVERFIT_NAN = Sentence(
    "one batch cannot be learned: the loss goes from {first:.4g} to {last} in {steps} steps at lr {lr:.3g}; lower the rate, or add --with clip",
    "连一个批次也学不会：以学习率 {lr:.3g} 训练 {steps} 步，损失由 {first:.4g} 变成 {last}；请降低学习率，或加上 --with clip",
)

CHECK_NO_TECHNIQUES = Sentence("there are none", "没有使用技巧")
CHECK_ALIVE = Sentence("each makes a difference: {names}", "每一个都起作用：{names}")
CHECK_LATER = Sentence("; later in a run than was looked at: {later}", "；在更靠后的训练中才起作用：{later}")
CHECK_IDLE = Sentence(
    "{names}: no difference in {steps} steps at the rate's top nor in the last ones; other settings do make one, so its limit may not be reached yet",
    "{names}：在学习率最高处的 {steps} 步和最后几步中都没有影响；换一组设置则有影响，因此可能只是尚未达到它的界限",
)
CHECK_DEAD = Sentence(
    "{names}: no difference at all, at its own settings, at its example's, and at the end of the run; something ignores it (or it does "
    "nothing): repair it, or leave it out with --without",
    "{names}：无论用自身设置、示例设置，还是在训练末尾，都没有任何影响；它被忽略了（或什么也没做）：请修好它，或用 --without 去掉",
)

CHECK_NO_SETTINGS = Sentence("nothing is set to another value than its default", "没有与默认值不同的设置")
CHECK_SETTINGS_OK = Sentence("each of {count} makes a difference: {names}", "{count} 个设置都起作用：{names}")
CHECK_WITHOUT = Sentence(
    "as good as at the default, in {steps} steps: {names}; is it read anywhere?",
    "在 {steps} 步内与默认值没有差别：{names}；它们有被用到吗？",
)
CHECK_UNTRIED = Sentence("; not tried: {untried}", "；未尝试：{untried}")

CHECK_COST = Sentence(
    "a step of {rows} rows takes {step} and about {bytes}; {total} steps take {whole} and the validation",
    "{rows} 行的一步约需 {step}、{bytes}；{total} 步约需 {whole}，另加验证",
)
CHECK_COST_LAID = Sentence(
    "a step takes about {step} and {bytes} (measured on {rows} rows); {total} steps take {whole} and the validation",
    "一步约需 {step}、{bytes}（在 {rows} 行上测得）；{total} 步约需 {whole}，另加验证",
)
