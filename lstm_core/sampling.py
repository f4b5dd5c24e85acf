"""Writing text from a model, one character at a time."""

from __future__ import annotations

import torch

from lstm_core.errors import InputError
from lstm_core.model import CharModel
from lstm_core.words import tr


def sample(model: CharModel, prompt: str, length: int, temperature: float = 1.0, seed: int = 0) -> str:
    """Writes `length` characters after `prompt` with `model` (the prompt is not returned).

    prompt: 1 to 20,000 characters. length: 0 or more; a model that reads bytes writes so many bytes, and U+FFFD where
    they are no UTF-8. temperature: above 0; 1 is the model's own distribution, lower is
    more certain; 0 takes the likeliest character each time. seed: the same seed writes the same text.
    Raises text.TextError for an empty or too long prompt, InputError for a negative length or temperature.
    Source: Graves 2013.
    """
    if length < 0:
        raise InputError(tr("the length must be 0 or more, not {length}", length=length))
    if not 0 <= temperature < float("inf"):
        raise InputError(tr("the temperature must be 0 or more, not {temperature}", temperature=temperature))
    generator = torch.Generator().manual_seed(seed)
    ids, written = torch.from_numpy(model.vocabulary.encode(prompt).ids.copy())[:, None], []
    step_fused = model.cell.kernel != "lstm"  # torch's LSTM packs its weights anew at each call, longer than a step takes
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        logits, states = model(ids)
        for _ in range(length):
            last = logits[-1, 0].double()
            last -= last.max()  # so that no temperature, however low, makes an infinity of the likeliest
            if temperature == 0:
                choice = last.argmax()
            else:
                choice = torch.multinomial(torch.softmax(last / temperature, -1), 1, generator=generator)[0]
            written.append(int(choice))
            logits, states = model(choice.reshape(1, 1), states, fused=step_fused)
    model.train(was_training)
    return model.vocabulary.text(written)
