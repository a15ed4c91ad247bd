"""What does this message say? Language, intent, care and values of one text; see `Understanding.parse`.

`load` a model that `train` made. Nothing here knows of conversations, stores or channels. Python 3.10 and later: the
engine reads the same model.
"""

from understanding.model import Understanding, load
from understanding.parse import Intent, Parse

__all__ = ["Intent", "Parse", "Understanding", "load"]
