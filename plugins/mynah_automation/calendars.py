"""Calendars: iCalendar files of the data folder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mynah import MynahError

MOST_BYTES: Final = 512 * 1024
DAY: Final = timedelta(days=1)


class Calendars:
    """The calendars of the configuration, by name; a file that changed is read anew."""

    def __init__(self, files: Mapping[str, str], folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._read: dict[str, tuple[float, Any]] = {}

    def between(
        self, entity_id: str, event: str, begin: datetime, end: datetime
    ) -> list[tuple[datetime, Mapping[str, Any]]]:
        """Return the entries that start, or end, after `begin` and until `end`. Raises `MynahError`."""
        calendar = self._calendar(entity_id.removeprefix("calendar."))
        try:
            import recurring_ical_events

            entries = recurring_ical_events.of(calendar).between(begin - DAY, end + DAY)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise MynahError(f"the calendar {entity_id} cannot be read: {error}") from error
        found = []
        for entry in entries:
            starts, ends = (_moment(entry, name, begin) for name in ("DTSTART", "DTEND"))
            when = starts if event == "start" else ends
            if begin < when <= end:
                told = {"summary": str(entry.get("SUMMARY", "")), "description": str(entry.get("DESCRIPTION", "")),
                        "location": str(entry.get("LOCATION", "")), "start": starts.isoformat(),
                        "end": ends.isoformat()}  # fmt: skip
                found.append((when, told))
        return sorted(found, key=lambda each: each[0])

    def _calendar(self, name: str) -> Any:
        if name not in self._files:
            raise MynahError(f"there is no calendar {name!r}; name its file under 'automation: calendars:'")
        file = self._folder / self._files[name]
        try:
            import icalendar

            changed = file.stat()
            if changed.st_size > MOST_BYTES:
                raise MynahError(f"the calendar {file.name} has more than {MOST_BYTES // 1024} KiB")
            known = self._read.get(name)
            if known is None or known[0] != changed.st_mtime:
                known = self._read[name] = (changed.st_mtime, icalendar.Calendar.from_ical(file.read_bytes()))
        except ModuleNotFoundError:
            raise MynahError("calendars need icalendar; install it with: pip install 'mynah[automation]'") from None
        except OSError as error:
            raise MynahError(f"the calendar {file} cannot be read: {error.strerror}") from error
        except (ValueError, LookupError) as error:
            raise MynahError(f"the calendar {file.name} is damaged: {error}") from error
        return known[1]


def _moment(entry: Any, name: str, like: datetime) -> datetime:
    value = entry.get(name, entry.get("DTSTART")).dt
    if isinstance(value, datetime):
        return value.astimezone(like.tzinfo) if value.tzinfo else value.replace(tzinfo=like.tzinfo)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=like.tzinfo)
    return like
