"""Evaluates an exported task with Inspect, by models that answer from a script; prints what came.

    python inspecting.py TASK LOGS < scenarios.json

Run by the Python that has inspect-ai; it needs nothing of whyset. A scenario has `arguments` for
the task, `answers` (what must stand in the question → what the model under test says) and
`grades` (what must stand in the grader's prompt → what the grader says, one time after another).
"""

import json
import math
import sys
from collections.abc import Callable
from typing import Any

from inspect_ai import eval
from inspect_ai.model import ChatMessage, ModelOutput, ModelUsage, get_model

Answer = Callable[[list[ChatMessage], Any, Any, Any], ModelOutput]


def main() -> None:
    """Run every scenario of standard input."""
    task, logs = sys.argv[1:]
    run = [_evaluated(task, logs, scenario) for scenario in json.load(sys.stdin)]
    sys.stdout.write(json.dumps(run))


def _evaluated(task: str, logs: str, scenario: dict[str, Any]) -> dict[str, Any]:
    prompts: list[str] = []
    subject = get_model("mockllm/subject", custom_outputs=_subject(scenario["answers"]))
    grader = get_model("mockllm/grader", custom_outputs=_grader(scenario["grades"], prompts))
    (log,) = eval(
        task,
        model=subject,
        model_roles={"grader": grader},
        task_args=scenario["arguments"],
        log_dir=logs,
        display="none",
    )
    assert log.results is not None, log.error
    (scored,) = log.results.scores
    return {
        "status": log.status,
        "unscored": scored.unscored_samples,
        "metrics": {name: _number(metric.value) for name, metric in scored.metrics.items()},
        "samples": {sample.id: _sample(sample) for sample in log.samples or ()},
        "prompts": prompts,
    }


def _sample(sample: Any) -> dict[str, Any]:
    (score,) = sample.scores.values()
    return {
        "value": _number(score.value),
        "reason": score.reason,
        "explanation": score.explanation,
        "metadata": score.metadata,
        "asked": sample.messages[0].text,
    }


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _subject(answers: list[list[str]]) -> Answer:
    def answer(messages: list[ChatMessage], *_: Any) -> ModelOutput:
        asked = messages[-1].text
        return _output(next((said for mark, said in answers if mark in asked), "I cannot say."))

    return answer


def _grader(grades: list[list[Any]], prompts: list[str]) -> Answer:
    def answer(messages: list[ChatMessage], *_: Any) -> ModelOutput:
        shown = messages[1].text
        prompts.append(shown)
        said = next((said for mark, said in grades if mark in shown), ["no idea"])
        times = sum(message.role == "assistant" for message in messages)
        text = said[min(times, len(said) - 1)]
        return _output(text.removeprefix("[cut]"), cut=text.startswith("[cut]"))

    return answer


def _output(text: str, *, cut: bool = False) -> ModelOutput:
    stop = "max_tokens" if cut else "stop"
    output = ModelOutput.from_content("mockllm", text, stop_reason=stop)
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output


if __name__ == "__main__":
    main()
