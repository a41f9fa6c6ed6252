"""What hooks return: plain data, a name, a schema of its configuration, and a callable."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mynah.automation import ActionSpec, ConditionSpec, IntentSpec, TriggerSpec
from mynah.errors import Problem
from mynah.session_protocol import Interpretation, Session
from mynah.values import Text, Voice

if TYPE_CHECKING:
    from mynah.hub_protocol import Hub


EngineKind = Literal["stt", "tts", "llm", "translator", "vad"]


ENGINE_KINDS: tuple[EngineKind, ...] = ("stt", "tts", "llm", "translator", "vad")


Access = Literal["open", "viewer", "speaker", "admin"]


Schema = Mapping[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """An engine that can be configured under `engines: <kind>:`.

    `open(config, folder)` gives the engine as an async context manager; `folder` is where it may keep models and
    caches. Heavy imports belong in there, off the event loop. An `embedded` engine makes the chain of its kind where
    none is configured. `max_parallel` (None: any number) and `stagger_ms` protect an engine that cannot take many
    calls at once. `accepts_audio(config)` says whether a language model takes the person's words as an `AudioClip`, so
    that a turn needs no transcript. A voice that is `cached` says a text always alike, and slowly enough for its audio
    to be worth keeping.
    """

    name: str
    kind: EngineKind
    open: Callable[[Mapping[str, Any], Path], AbstractAsyncContextManager[Any]]
    schema: Schema = field(default_factory=dict)
    embedded: bool = False
    max_parallel: int | None = None
    stagger_ms: int = 0
    accepts_audio: Callable[[Mapping[str, Any]], bool] = lambda config: False
    cached: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSpec:
    """Something long-running, such as a transport; configured under its `name` at the top level.

    `run(hub, config, ready)` calls `ready()` when it is usable and runs until cancelled; it is started again with
    growing pauses if it raises. Components start after those named in `after` are ready, and stop before them.
    `sections` is the schema of further sections of the configuration that are its own; they are found in `Hub.config`.
    `check(values, specs, folder)` finds what schemas cannot: it is given the file's data as it was written and every
    plugin's specs, and yields problems with their `where`. A component that `reloads` follows changes of its sections
    while it runs: they are told by `ConfigChanged`.
    """

    name: str
    run: Callable[[Hub, Mapping[str, Any], Callable[[], None]], Awaitable[None]]
    schema: Schema = field(default_factory=dict)
    after: tuple[str, ...] = ()
    sections: Schema = field(default_factory=dict)
    check: Callable[[Mapping[str, Any], Sequence[Spec], Path], Iterable[Problem]] = lambda values, specs, folder: ()
    reloads: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaSpec:
    """Who speaks. A persona in YAML under `personas:` has the same keys, and may override those of one of its name.

    `knowledge` lists YAML files; `context_key` names the entry of a session's context that holds the subject of
    "it" when none was named yet (the exhibit a speaker stands at). `{subject}` in a greeting is that subject's plural.
    `acknowledgement` is said when the reply is long in coming; `tools` are those that a language model may use.
    `expects(language)` gives what else people may say to it, besides what its knowledge answers, for recognisers.

    A persona in several languages gives each of these texts by language, and knowledge files that say theirs.
    `language` is the one it speaks where nothing else is known. A `default` persona speaks where the configuration
    names nobody. One with `interpret` answers nothing, but puts what is said into another language. Of a `renewable`
    one a component may renew the knowledge while the hub runs, by `Hub.renew_knowledge`.
    """

    name: str
    title: str
    prompt: Text = ""
    language: str = "en"
    voice: Voice = field(default_factory=Voice)
    greeting: Text = ""
    unknown: Text = "I'm sorry, I don't know that."
    not_understood: Text = "Sorry, I did not understand that."
    acknowledgement: Text = "Let me think."
    tools: tuple[str, ...] = ("time_of_day", "volume", "stop")
    knowledge: tuple[Path, ...] = ()
    context_key: str = "exhibit"
    expects: Callable[[str], Iterable[str]] = lambda language: ()
    first_phrase_words: int = 4
    interpret: Interpretation | None = None
    default: bool = False
    renewable: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec:
    """An HTTP route, served by the http plugin.

    `handle(hub, request)` is an aiohttp handler that also gets the hub; what it returns is a response, or data to be
    sent as JSON (None: 204). `access` says who may call it where the hub is open to the network. `body` is a schema
    for a JSON body; the handler finds it checked as `request["body"]`. `request["access"]` is the caller's role and
    for whom, or None where an open route is called without a token. `InputError` is answered by 404 where the path
    has a parameter, else by 400; `LimitError` by 503, `SizeError` by 413; aiohttp's own exceptions by their status.
    `answer` describes the result for the OpenAPI document, as a JSON schema.
    """

    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handle: Callable[[Hub, Any], Awaitable[Any]]
    access: Access = "admin"
    summary: str = ""
    body: Schema | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """A command of the `mynah` program: `run(arguments)` returns its exit status.

    One that `asks_hub` takes the arguments that say which hub is meant; `arguments.hub` is that `RunningHub`.
    """

    name: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    asks_hub: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """Something that a language model may do while it answers.

    `run(hub, session, arguments)` gets arguments that fit `schema` and returns what the model is told: text, or data
    that is told as JSON. A `MynahError` that it raises is told to the model in its words, another error in general
    ones; so is a run of more than `timeout_s`. `description` is for the model.
    """

    name: str
    run: Callable[[Hub, Session, Mapping[str, Any]], Awaitable[Any]]
    schema: Schema = field(default_factory=dict)
    timeout_s: float = 5.0
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkSpec:
    """A scenario of `mynah bench`.

    `run(bench)` measures and returns rows; see `Bench` for what it is given. It is run in the process of `mynah bench`,
    which has nothing else to do meanwhile.
    """

    name: str
    run: Callable[[Bench], Awaitable[Sequence[Mapping[str, Any]]]]
    description: str = ""


Spec = (
    EngineSpec
    | ComponentSpec
    | PersonaSpec
    | RouteSpec
    | CommandSpec
    | ToolSpec
    | BenchmarkSpec
    | TriggerSpec
    | ConditionSpec
    | ActionSpec
    | IntentSpec
)


class Bench(Protocol):
    """What a scenario of `mynah bench` is given."""

    @property
    def runs(self) -> int:
        """How often each thing is to be measured."""
        ...

    @property
    def sessions(self) -> Sequence[int]:
        """With how many sessions at once, one row each."""
        ...

    @property
    def folder(self) -> Path:
        """A folder of its own that is deleted afterwards."""
        ...
