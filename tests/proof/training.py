"""A reasoning model to train: everything of it made here, nothing downloaded, small enough for two
steps in a second.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import equal
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

TEMPLATE = (Path(__file__).parent / "reasoner.jinja").read_text(encoding="utf-8")
IGNORED = -100


def tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of bytes: whatever is asked of it comes back as it was."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {token: number for number, token in enumerate([*special, *alphabet])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=TEMPLATE,
    )


def model(words: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A model of some thousand parameters, drawn at random."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=8192,
            pad_token_id=words.pad_token_id,
            eos_token_id=words.eos_token_id,
            bos_token_id=words.eos_token_id,
        )
    )


_STEPS = {
    "max_steps": 2,
    "per_device_train_batch_size": 2,
    "use_cpu": True,
    "bf16": False,
    "report_to": "none",
    "save_strategy": "no",
    "max_length": None,
    "disable_tqdm": True,
    "activation_checkpointing": False,
}


def loaded(file: Path, cache: Path) -> Any:
    """Read rows as everybody does who trains on them."""
    form = "parquet" if file.suffix == ".parquet" else "json"
    # By its name here it would be a folder of ours.
    return import_module("datasets").load_dataset(
        form, data_files=str(file), split="train", cache_dir=str(cache)
    )


def finetuned(file: Path, folder: Path, **config: Any) -> list[tuple[str, str]]:
    """Run two steps of fine-tuning; return what is read and what is learned of each row."""
    words = tokenizer()
    trained = model(words)
    trainer = SFTTrainer(
        model=trained,
        args=SFTConfig(output_dir=str(folder), **_STEPS, **config),
        train_dataset=loaded(file, folder),
        processing_class=words,
    )
    _took_two_steps(trainer, trained)
    rows = [trainer.data_collator([row]) for row in trainer.train_dataset]
    read = [words.decode(row["input_ids"][0].tolist()) for row in rows]
    learned = [
        words.decode([label for label in row["labels"][0].tolist() if label != IGNORED])
        for row in rows
    ]
    return list(zip(read, learned, strict=True))


def preferred(file: Path, folder: Path) -> list[tuple[str, str, str]]:
    """Run two steps of DPO; return prompt, chosen and rejected response of each row."""
    words = tokenizer()
    trained = model(words)
    trainer = DPOTrainer(
        model=trained,
        ref_model=model(words),
        args=DPOConfig(output_dir=str(folder), **_STEPS),
        train_dataset=loaded(file, folder),
        processing_class=words,
    )
    _took_two_steps(trainer, trained)
    names = ("prompt_ids", "chosen_ids", "rejected_ids")
    return [tuple(words.decode(row[name]) for name in names) for row in trainer.train_dataset]


def _took_two_steps(trainer: SFTTrainer | DPOTrainer, trained: LlamaForCausalLM) -> None:
    before = trained.model.embed_tokens.weight.detach().clone()
    result = trainer.train()
    assert result.global_step == 2
    assert 0 < result.training_loss < 100
    assert not equal(before, trained.model.embed_tokens.weight)
