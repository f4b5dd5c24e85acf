"""Compare: several models on one text, two texts through one model, and what each cell costs."""

from pages.common import frame  # first: sets the threads before torch is there
from pages.common.compare import choice, family, texts
from pages.common.compare import models as several_models

page = frame.begin(choice.STATE, fewest=choice.FEWEST, sidebar_model={"texts"})
show = {"models": several_models.show, "texts": texts.show, "family": family.show}[page.section]
page.end(show(page.models, page.query))
