"""The core's own keys of the configuration; plugins add theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import voluptuous as vol

from mynah.specs import ENGINE_KINDS, ComponentSpec, EngineKind, EngineSpec, Spec

NAME: Final = vol.All(
    str,
    vol.Match(r"^[a-z0-9][a-z0-9_-]{0,63}\Z", msg="a name has only small letters, digits, '_' and '-' (64 at most)"),
)
LANGUAGE: Final = vol.All(
    str, vol.Match(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*\Z", msg="a language is written as a tag such as en or pt-BR")
)
TEXT: Final = vol.All(str, vol.Length(min=1))


def whole(low: int, high: int) -> vol.All:
    """Return a validator for whole numbers from `low` to `high`."""
    return vol.All(int, vol.Range(min=low, max=high))


def number(low: float, high: float) -> vol.All:
    """Return a validator for numbers from `low` to `high`."""
    return vol.All(float, vol.Range(min=low, max=high))


def key(name: str, description: str, default: Any = vol.UNDEFINED) -> vol.Optional:
    """Return an optional key with its meaning, and its default if it has one."""
    return vol.Optional(name, default=default, description=description)


LOG: Final = {
    key("level", "The least important messages that are logged.", "info"): vol.In(
        ["debug", "info", "warning", "error"]
    ),
    key("format", "`text` for people, `json` for log collectors: one object a line.", "text"): vol.In(["text", "json"]),
    key("file", "A file to log to as well, relative to this file's folder.", None): vol.Any(None, TEXT),
}

PLUGINS: Final = {
    key("disabled", "Names of plugins that are not loaded.", list): [str],
    key("folder", "A folder of single-file plugins (`*.py`), relative to this file's folder.", None): vol.Any(
        None, TEXT
    ),
}

KIND_TITLES: Final[Mapping[EngineKind, str]] = {
    "stt": "Speech to text",
    "tts": "Text to speech",
    "llm": "Language models",
    "translator": "Translators",
    "vad": "Voice activity detectors",
}
ENGINES: Final = {
    key(kind, f"{KIND_TITLES[kind]}, in the order in which they are tried; none: the embedded ones.", list): [
        vol.Any(str, dict)
    ]
    for kind in ENGINE_KINDS
}
ENGINE_ENTRY: Final = {
    vol.Required("engine", description="The engine's name."): str,
    key("first_timeout", "Seconds to wait for the engine's first output.", 10.0): number(0.1, 600),
    key("next_timeout", "Seconds to wait for each further output.", 5.0): number(0.1, 600),
    key("failures", "Failures in a row after which the engine rests and the next one is used at once.", 3): whole(
        1, 1000
    ),
    key("retry_after", "Seconds that it rests, twice as long after each new attempt that fails.", 10.0): number(
        0.1, 3600
    ),
}

VOICE: Final = {
    key("name", "The engine's own name of the voice; empty: the engine chooses."): str,
    key("gender", "Wanted where the engine chooses the voice."): vol.In(["", "female", "male"]),
    key("rate", "Speed; 1 is as it comes."): number(0.25, 4),
    key("pitch", "Pitch; 1 is as it comes."): number(0.25, 4),
    key("volume", "Loudness; 1 is as it comes."): number(0, 4),
}
SAID: Final = vol.Any(TEXT, {LANGUAGE: TEXT}, msg="expected text, or a text for each language")
SAID_OR_NOT: Final = vol.Any(str, {LANGUAGE: str}, msg="expected text, or a text for each language")
INTERPRET: Final = {
    vol.Required("target", description="The language into which it is put, as a tag such as es."): LANGUAGE,
    key(
        "source", "The language that is expected; null: the one that the recogniser tells, else the persona's."
    ): vol.Any(None, LANGUAGE),
    key("original", "Whether the original is voiced too, as a track of its own."): bool,
    key("parallel", "Whether it is voiced as soon as it is known, rather than when its translation is."): bool,
    key("both_ways", "Whether what is said in `target` is put into `source`: two people at one device."): bool,
}
# No defaults: a key that is left out keeps what the plugin's persona of this name says. A new persona's are those of
# `mynah.PersonaSpec`.
PERSONA: Final = {
    key("title", "Who speaks, in a few words. A new persona needs this or a prompt."): TEXT,
    key("prompt", "Instructions for a language model."): SAID_OR_NOT,
    key("language", "The language spoken, as a tag such as en or pt-BR; en for a new persona."): LANGUAGE,
    key("voice", "How it sounds."): VOICE,
    key("greeting", "Said when a conversation begins; `{subject}` is what stands at the speaker."): SAID_OR_NOT,
    key("unknown", "Said when the answer is not known."): SAID,
    key("not_understood", "Said when the question was not understood."): SAID,
    key("acknowledgement", "Said when the reply is long in coming; empty: nothing."): SAID_OR_NOT,
    key("tools", "Tools that a language model may use; time_of_day, volume and stop for a new persona."): [TEXT],
    key("knowledge", "YAML files of facts, relative to this file's folder; they replace the plugin's."): [TEXT],
    key("context_key", "The entry of the context that says what `it` is; exhibit for a new persona."): TEXT,
    key("first_phrase_words", "Words after which the first phrase is spoken; 4 for a new persona."): whole(2, 8),
    key("interpret", "Answer nothing, but put what is said into another language; null: answer."): vol.Any(
        None, INTERPRET
    ),
    key("description", "A note for people."): str,
}

SPEAKER: Final = {
    key("name", "Its name for people; empty: its id.", ""): str,
    key("area", "Where it stands.", None): vol.Any(None, NAME),
    key("persona", "Who speaks there; null: the default persona.", None): vol.Any(None, str),
    key("language", "The language spoken there; null: the persona's.", None): vol.Any(None, LANGUAGE),
    key("context", "Plain facts about the place, such as `exhibit: lion`.", dict): {str: str},
}

SESSIONS: Final = {
    key("max", "Conversations at once; more are refused.", 100): whole(1, 100_000),
    key("idle_timeout", "Seconds without any input or output after which one is closed.", 3600.0): number(1, 604_800),
    key("max_age", "Seconds after which one is closed in any case.", 86_400.0): number(1, 31_536_000),
    key(
        "resume_grace",
        "Seconds that a client has to come back to a running reply; then its session is put away until it comes.",
        30.0,
    ): number(0, 3600),
    key("history_turns", "Turns that a language model is told of.", 20): whole(0, 1000),
    key(
        "keep_days",
        "Days for which finished exchanges are kept on disk, so that a conversation outlasts the hub; 0: nothing is.",
        30.0,
    ): number(0, 36_500),
    key(
        "audio_days", "Days for which the audio of what was said and replied is kept as well; 0: none is.", 0.0
    ): number(0, 36_500),
    key("audio_mb", "MiB of such audio at most; the oldest goes first.", 500): whole(1, 1_048_576),
}

LISTENING: Final = {
    key("silence_ms", "Milliseconds of silence that end an utterance.", 600): whole(100, 10_000),
    key("pre_roll_ms", "Milliseconds kept from before speech was noticed.", 300): whole(0, 5000),
    key("max_seconds", "The longest utterance, in seconds.", 30.0): number(1, 600),
    key("threshold", "The probability of speech that counts as speech.", 0.5): number(0, 1),
    key("min_speech_ms", "Milliseconds of speech below which a sound is noise.", 150): whole(0, 5000),
    key(
        "arbitration_ms",
        "Milliseconds within which open microphones of one area hear the same person; only one answers. 0: all do.",
        250,
    ): whole(0, 2000),
    key("arbitration_buttons", "Whether microphones that were opened by a button take part in that.", False): bool,
}

LIMITS: Final = {
    key("transcribe", "Seconds for a transcript after the end of speech.", 20.0): number(0.1, 3600),
    key("translate", "Seconds to put one sentence into another language.", 20.0): number(0.1, 3600),
    key("reply", "Seconds for a whole reply of the language model.", 60.0): number(0.1, 3600),
    key("speak", "Seconds to synthesise one phrase.", 30.0): number(0.1, 3600),
    key("audio_ahead_ms", "Milliseconds of speech made ahead of what is heard.", 20_000): whole(500, 600_000),
    key("utterance_seconds", "The longest recording that is accepted, in seconds.", 60.0): number(1, 3600),
    key("chunk_kb", "The largest piece of recorded audio that is accepted, in KiB.", 1024): whole(1, 16_384),
    key("text_chars", "The longest text that is accepted, in characters.", 4000): whole(1, 1_000_000),
    key("play_seconds", "The longest sound that is played from a file or an address, in seconds.", 600.0): number(
        1, 86_400
    ),
    key("play_mb", "The largest sound that is fetched from an address, in MiB.", 50): whole(1, 4096),
}

SPEECH_CACHE: Final = {
    key("memory_mb", "MiB of memory for speech that was made before; 0: none.", 16): whole(0, 65_536),
    key("disk_mb", "MiB of the data folder for the same; 0: none.", 200): whole(0, 1_048_576),
    key("stock_phrases", "Make greetings, apologies and the like of every persona ahead.", True): bool,
}

TRANSLATION: Final = {
    key("cache", "Translations that are remembered of each translator; 0: none.", 1000): whole(0, 1_000_000),
    key("glossary", "Terms that are put as given: language → text, each.", list): [{LANGUAGE: TEXT}],
}

LATENCY: Final = {
    key("drafts", "Begin a reply on words that are not final yet; it is dropped if they change.", True): bool,
    key(
        "acknowledge_after", "Seconds after which a reply that has not begun is acknowledged; null: never.", 1.5
    ): vol.Any(None, number(0, 60)),
    key("early_phrase", "Speak the first phrase before its sentence is complete.", True): bool,
    key("long_phrases", "Voice later sentences together while plenty is to be heard.", True): bool,
    key(
        "warm_up",
        "Make engines ready for a persona before its first turn.",
        True,
    ): bool,
}

SHUTDOWN: Final = {key("grace", "Seconds that running replies have to end.", 5.0): number(0, 300)}

CORE: Final = {
    key("data", "The data folder, relative to this file's folder.", "data"): TEXT,
    key("log", "Logging.", dict): LOG,
    key("persona", "Who speaks by default; null: a plugin's default persona, else the first by name.", None): vol.Any(
        None, str
    ),
    key("plugins", "Which plugins are loaded.", dict): PLUGINS,
    key("engines", "Engines by kind; the first is used and the others stand by.", dict): ENGINES,
    key("personas", "Who can speak; one of the name of a plugin's persona changes that one.", dict): {NAME: PERSONA},
    key("speakers", "Devices that play and may listen, by id.", dict): {NAME: SPEAKER},
    key("groups", "Groups of speakers: ids of speakers, and areas.", dict): {NAME: [str]},
    key("sessions", "Conversations.", dict): SESSIONS,
    key("listening", "When an utterance begins and ends.", dict): LISTENING,
    key("limits", "Limits of each stage of a turn.", dict): LIMITS,
    key("speech_cache", "Speech is kept, so that the same words need not be made again.", dict): SPEECH_CACHE,
    key("translation", "What all translators get: a memory, and a glossary.", dict): TRANSLATION,
    key("latency", "What is done to be heard sooner; each can be switched off.", dict): LATENCY,
    key("shutdown", "Stopping the hub.", dict): SHUTDOWN,
}
CORE_NAMES: Final = tuple(str(each) for each in CORE)


def components(specs: Iterable[Spec]) -> list[ComponentSpec]:
    """Return the components among `specs`, by name."""
    return sorted((spec for spec in specs if isinstance(spec, ComponentSpec)), key=lambda spec: spec.name)


def engines(specs: Iterable[Spec], kind: EngineKind) -> dict[str, EngineSpec]:
    """Return the engines of one kind among `specs`, by name."""
    found = [spec for spec in specs if isinstance(spec, EngineSpec) and spec.kind == kind]
    return {spec.name: spec for spec in sorted(found, key=lambda spec: spec.name)}


def whole_schema(specs: Sequence[Spec]) -> dict[Any, Any]:
    """Return the schema of the whole file. Entries of `engines` are loose here; see `entry_schema`."""
    sections = {
        key(spec.name, spec.description or f"The {spec.name} component.", dict): spec.schema
        for spec in components(specs)
        if spec.name not in CORE_NAMES
    }
    return {**CORE, **sections, **further_sections(specs)}


def further_sections(specs: Iterable[Spec]) -> dict[Any, Any]:
    """Return the sections that components have beside those of their names."""
    return {key: schema for spec in components(specs) for key, schema in spec.sections.items()}


def entry_schema(spec: EngineSpec) -> dict[Any, Any]:
    """Return the schema of an entry for this engine: the keys of every engine, and its own."""
    own = spec.schema.schema if isinstance(spec.schema, vol.Schema) else spec.schema
    return {**ENGINE_ENTRY, **own}


def own_options(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the engine's own keys of a validated entry, as its `open` takes them."""
    common = {str(each) for each in ENGINE_ENTRY}
    return {name: value for name, value in entry.items() if name not in common}
