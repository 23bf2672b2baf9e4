"""Loaded by Python before Inspect: its mock model counts tokens without fetching a vocabulary.

`mockllm` estimates the usage of its default output with a tokenizer that tiktoken downloads; here
a byte is a token. Nothing else of Inspect is touched.
"""

import tiktoken


def _bytes_alone(encoding_name: str) -> tiktoken.Encoding:
    ranks = {bytes([value]): value for value in range(256)}
    return tiktoken.Encoding(
        encoding_name, pat_str=r"[\s\S]", mergeable_ranks=ranks, special_tokens={}
    )


tiktoken.get_encoding = _bytes_alone
