"""Training: a text through a model's life, from random to trained, and a model of one's own."""

from pages.common import frame  # first: sets the threads before torch is there
from pages.common.training import bias, choice, here, life

lives, damaged = life.shipped()
page = frame.begin(choice.STATE, tuple(lives), sidebar_model=False, damaged=damaged)
{"life": life.show, "bias": bias.show, "here": here.show}[page.section](lives)
page.end()
