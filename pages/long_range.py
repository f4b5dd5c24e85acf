"""Long range: the problem of long-term dependencies, seen in gradients, in gates, and on a task whose gap is a dial."""

from pages.common import frame  # first: sets the threads before torch is there
from pages.common.long_range import choice, clipping, dial, gradient, memory, rerun

page = frame.begin(choice.STATE, sidebar_model=False)
show = {"gradient": gradient.show, "memory": memory.show, "dial": dial.show, "clipping": clipping.show}[page.section]
show(page.models)
page.end()
if page.section == "dial":  # last, for it goes on as long as the person lets it
    rerun.show()
