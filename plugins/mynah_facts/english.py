"""What the answerer knows of English: short lists of words. They do no harm to knowledge in other languages."""

from __future__ import annotations


def listed(text: str) -> frozenset[str]:
    """Return the words of `text`."""
    return frozenset(text.split())


EXPANDED = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "let's": "let us",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "dunno": "do not know",
    "whereabouts": "where",
    "telly": "television",
}
"""Words that stand for several, or are said in two ways."""

ENDINGS = {"n't": "not", "'re": "are", "'ve": "have", "'ll": "will", "'m": "am", "'d": "would"}
"""What is left of words after an apostrophe."""

BEFORE_IS = listed("what who where when how why that it he she there here which")
"""After these, 's is "is"; after anything else it is a possessive, which says nothing more than the word itself."""

IRREGULAR = {
    "ate": "eat", "eaten": "eat", "fed": "feed", "slept": "sleep", "lives": "live", "living": "live", "lived": "live",
    "children": "child", "kids": "kid", "babies": "baby", "mice": "mouse", "feet": "foot", "teeth": "tooth",
    "leaves": "leaf", "wolves": "wolf", "lying": "lie", "dying": "die", "died": "die", "dies": "die", "ran": "run",
    "bred": "breed", "grew": "grow", "grown": "grow", "lost": "lose", "found": "find", "won": "win", "shoes": "shoe",
    "mum": "mother", "mummy": "mother", "mom": "mother", "mommy": "mother", "mama": "mother", "mums": "mother",
    "dad": "father", "daddy": "father", "papa": "father", "dads": "father", "species": "species",
    "meters": "metre", "meter": "metre", "favorite": "favourite", "color": "colour", "caught": "catch", "got": "get",
    "heard": "hear", "saw": "see", "seen": "see", "made": "make", "built": "build", "kept": "keep", "bitten": "bite",
    "told": "tell", "gave": "give", "given": "give", "took": "take", "taken": "take", "came": "come", "bought": "buy",
    "flew": "fly", "flown": "fly", "swam": "swim", "drank": "drink", "laid": "lay", "stood": "stand", "sat": "sit",
    "has": "have", "had": "have", "does": "do", "did": "do", "was": "is", "were": "are", "went": "go", "gone": "go",
}  # fmt: skip
"""Stems that no rule finds."""

NUMBERS = listed(
    """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million"""
)

FUNCTION_WORDS = listed(
    """a about actual actually after again ah all already also although always am an and any anybody anyone anything
    anyway anywhere are around as ask asked asking at aunt away back be beast because been before being bet between
    big bit both boy brother but by can child come could creature daddy daughter day days dear different do does
    during each either else em er erm even ever every everybody everything everywhere exactly excuse family father
    first for friend from get girl give go going grandchildren grandfather grandma grandmother grandpa grandson granny
    guess had half has have having he hello her here hers hey hi him his how huh husband i if in into is it its just
    kid kind last least let like little long look lot lots lovely madam make many may maybe me mean mhm might mine
    miss more most mother much mummy must my need needs nephew never next nice niece no not nothing now of off often
    oh ok okay old on one ones only or other others our ours out over own perhaps please poor possibly probably
    question quite rather really reckon right roughly said same say says see shall she should since sir sister small
    so some somebody someone something sometimes somewhere son sorry sort still such suppose sure take teacher tell
    than that the their theirs them then there these they thing things think this those though through time times to
    today too true uh um uncle until up us usually normally very want wanted wants was way we well were what when
    where which while who whole whom whose why wife will with without wonder wondering would yeah yes yet you your
    yours animal animals creatures nearby down"""
)
"""Words that ask, connect or tell who asks, and seldom say what a question is about."""

ARTICLES = listed("a an the")
GENERIC = listed("animal creature beast")
"""Stems that may stand for any subject."""

PRONOUNS = listed("it its they them their theirs he she him his her hers this that these those one ones")
"""Words that may stand for a subject named before."""

STAND_INS = listed("it its they them their he him his she")
"""Those pronouns that take the place of a name and leave the question as it is."""

JUST_NAMED = listed("and what about how or then so ok okay also but with for the a an is are now well")
"""Beside a name these make a follow-up: "and what about tigers"."""

ASKING = listed("which what whose many")
"""The word after one of these is what a question wants named or counted."""

ASKS_YES_OR_NO = listed("is are was does do can could would will has have")
QUESTION_WORDS = ASKS_YES_OR_NO | listed("what how where when which who why")
ASKS_FOR_ONE = listed("which who")
SCOPE = listed("zoo world earth here all known one kind sort")
"""Words that tell where a superlative is to hold."""

DEGREES = listed("more most less least")
"""With these an adjective is compared that no attribute may know: "the most dangerous"."""

JOINED = listed("and or")

FRAMES = (
    r"^.*?\b(?:wants?|would like|'d like|would love|like|trying|dying|curious)"
    r" to (?:know|ask|hear|find out)(?: you)?\b[\s,:]*",
    r"^(?:and )?(?:do|does) (?:you|anyone|anybody) (?:happen to )?know\b"
    r"(?=\s+(?:what|how|where|when|why|if|whether|who))\s*",
    r"^.*?\b(?:i wonder|i was wondering|i am wondering|i'm wondering)\b[\s,:]*(?:if|whether)?\s*",
)
"""Openings that say nothing of what is asked: "my son wants to know"."""
