"""From the copies of feeds to what the news host knows: headlines, each item, each source, and what items are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from mynah import Fact, Knowledge, Subject
from mynah_news_host.feeds import Copy, Feed, Item
from mynah_news_host.text import sentence, shortened

ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
MOST_TOPICS: Final = 300
MOST_ABOUT: Final = 3
_MOST_SAID: Final = 600

_NO_TOPIC: Final = frozenset(
    word
    for line in (
        "a about after again against all also an and any are as at back be because been before being between but by",
        "can could day days do does down during each every first five for four from get gets had has have he her his",
        "how in into is it its just last latest like live make makes many may more most must never new news next no",
        "not now of off on one only or other our out over own people put report reports said say says second set she",
        "should show shows since six some still story take takes ten than that the their them then there these they",
        "third this those three time times to today told too two under until up us very via video was watch way we",
        "week were what when where which while who why will with without would year years yes you your headline",
        "headlines source sources",
    )
    for word in line.split()
)
_NO_FEEDS: Final = (
    "I have no news, because no news feeds are configured. Whoever runs this hub can add them to the configuration, "
    "under news host, feeds."
)
_NOT_YET: Final = "I could not fetch any news yet from {names}. I go on trying, please ask again later."
_WORD: Final = re.compile(r"[^\W\d_][\w'’-]*")


class Told(NamedTuple):
    """An item and where it is from."""

    source: str
    item: Item


def knowledge(news: Mapping[Feed, Copy], feeds: Sequence[Feed], at_once: int) -> Knowledge:
    """Return what is known of the news. Without any, that there are none yet."""
    told = sorted(_items(news), key=lambda each: -each.item.published)
    subjects = [_news(news, feeds, told, at_once), *_positions(told), *_sources(news, at_once), *_topics(told)]
    found: dict[str, Subject] = {}
    for subject in subjects:
        found.setdefault(subject.id, subject)
    return Knowledge(found, language="en")


def _items(news: Mapping[Feed, Copy]) -> Iterator[Told]:
    """Yield every item once, with the time at which it was fetched where its own is not told or lies ahead."""
    seen = set()
    for feed, copy in news.items():
        for item in copy.items:
            if item.title.casefold() not in seen:
                seen.add(item.title.casefold())
                published = item.published if 0 < item.published <= copy.fetched else copy.fetched
                yield Told(feed.name, Item(item.title, item.summary, published))


def _news(news: Mapping[Feed, Copy], feeds: Sequence[Feed], told: Sequence[Told], at_once: int) -> Subject:
    names = _listed([feed.name for feed in feeds])
    if not told:
        none = (Fact(_NOT_YET.format(names=names) if feeds else _NO_FEEDS),)
        return Subject(
            "news", "news", "news", facts=dict.fromkeys(("headlines", "more_headlines", "age", "sources"), none)
        )
    fetched = {feed.name: copy.fetched for feed, copy in news.items()}
    ages = " ".join(f"{feed.name} was fetched {moment(copy.fetched)}." for feed, copy in news.items())
    missing = [feed.name for feed in feeds if feed not in news]
    sorry = f" I have nothing from {_listed(missing)} yet." if missing else ""
    facts = {
        "headlines": (_page("Here are the headlines", told[:at_once], 0, fetched),),
        "more_headlines": (_page("Here are more headlines", told[at_once : 2 * at_once], at_once, fetched),),
        "age": (Fact(f"{shortened(ages, _MOST_SAID)}{sorry}"),),
        "sources": (Fact(f"I have news from {names}."),),
    }
    return Subject("news", "news", "news", facts=facts)


def _page(opening: str, told: Sequence[Told], start: int, fetched: Mapping[str, float]) -> Fact:
    """Return some headlines, and when the oldest of their sources was fetched."""
    told = told[: len(ORDINALS) - start]
    if not told:
        return Fact("There are no more headlines.")
    oldest = moment(min(fetched[each.source] for each in told))
    return Fact(f"{opening}, fetched {oldest}. {_counted(told, start=start)}")


def _positions(told: Sequence[Told]) -> Iterator[Subject]:
    for ordinal, each in zip(ORDINALS, told, strict=False):
        yield _position(ordinal, _whole(each))
    for ordinal in ORDINALS[len(told) :]:
        none = f"There is no {ordinal} headline. I have only {len(told)}." if told else "There are no news yet."
        yield _position(ordinal, none)
    if told:
        last = told[: len(ORDINALS)][-1]
        yield _position("last", _whole(last))


def _position(ordinal: str, says: str) -> Subject:
    also = (f"{ordinal} headline", f"{ordinal} story", f"{ordinal} item", f"{ordinal} news", ordinal)
    return Subject(f"headline_{ordinal}", f"{ordinal} one", f"{ordinal} ones", also, facts=_facts(says))


def _sources(news: Mapping[Feed, Copy], at_once: int) -> Iterator[Subject]:
    for number, (feed, copy) in enumerate(news.items()):
        items = [Told(feed.name, item) for item in copy.items[:at_once]]
        says = _counted(items, sourced=False) or "There is nothing in it."
        yield Subject(
            f"source_{number}", feed.name.lower(), feed.name.lower(), kind="source",
            facts=_facts(f"{feed.name}, fetched {moment(copy.fetched)}. {says}"),
        )  # fmt: skip


def _topics(told: Sequence[Told]) -> Iterator[Subject]:
    """Yield a subject for each word that a title is about, with the newest items about it."""
    about: dict[str, list[Told]] = {}
    for each in told:
        for word in dict.fromkeys(_telling(each.item.title)):
            about.setdefault(word, []).append(each)
    for word, items in list(about.items())[:MOST_TOPICS]:
        says = _whole(items[0]) if len(items) == 1 else _counted(items[:MOST_ABOUT])
        yield Subject(f"topic_{word}", word, word, kind="topic", facts=_facts(says))


def _telling(title: str) -> Iterable[str]:
    for word in _WORD.findall(title):
        name = word.removesuffix("'s").removesuffix("’s").strip("'’-")
        if name.casefold() not in _NO_TOPIC and (len(name) > 3 or (len(name) > 1 and name.isupper())):
            yield name.casefold()


def _facts(says: str) -> Mapping[str, tuple[Fact, ...]]:
    """Return the one thing that there is to say about a subject, however it is asked for."""
    fact = (Fact(says),)
    return {"more": fact, "about": fact, "from_source": fact}


def _whole(told: Told) -> str:
    summary = f" {sentence(told.item.summary)}" if told.item.summary else ""
    return f"From {told.source}: {sentence(told.item.title)}{summary}"


def _counted(items: Sequence[Told], *, sourced: bool = True, start: int = 0) -> str:
    return " ".join(
        f"{ordinal.capitalize()}{f', from {each.source}' if sourced else ''}: {sentence(each.item.title)}"
        for ordinal, each in zip(ORDINALS[start:], items, strict=False)
    )


def moment(seconds: float) -> str:
    """Return a time as it is spoken; always with its day, as nobody knows when it will be told."""
    then = datetime.fromtimestamp(seconds).astimezone()
    return f"at {then.hour}:{then.minute:02} on {then:%A}, {then.day} {then:%B}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
