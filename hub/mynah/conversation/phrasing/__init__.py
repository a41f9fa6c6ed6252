"""From the tokens of a reply to phrases that can be spoken: where they end, and what is never said aloud."""

from mynah.conversation.phrasing.phrases import PhraseSplitter, SplitPhrase, split_text

__all__ = ["PhraseSplitter", "SplitPhrase", "split_text"]
