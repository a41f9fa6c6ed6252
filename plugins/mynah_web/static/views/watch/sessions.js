// Who converses with the hub at present.

import { h, replace } from "../../parts/dom.js";
import { ago, clock } from "../../parts/live.js";

const MOST = 100; // sessions that are shown

/** Returns {element, show(sessions, names)}; `names` are those of speakers by their ids. */
export function sessionsCard(house, admin) {
  const { t } = house;
  const list = h("ul", { class: "plain rows" });
  const more = h("p", { class: "muted small" });
  const rows = new Map();

  const close = async (id) => {
    try {
      await house.api("POST", `/api/v1/sessions/${encodeURIComponent(id)}/close`);
      rows.get(id)?.element.remove();
    } catch (error) {
      if (error.status !== 404) house.say(error); // it has ended by itself
    }
  };
  const row = (session, name) => {
    const state = h("span", { class: "muted small state" });
    const element = h("li", { class: "line", "data-session": session.id },
      h("span", { class: "who" }, h("strong", {}, name), " ", h("span", { class: "muted small" }, session.origin)),
      h("span", { class: "small" }, `${session.persona} · ${session.language}`), state,
      h("button", { disabled: !admin, title: admin ? null : t("watch.viewer"), "aria-label": t("watch.close_of", { name }), onclick: () => close(session.id) },
        t("watch.close")));
    return { element, state };
  };
  return {
    element: h("section", { class: "card", "aria-labelledby": "watch-sessions" }, h("h2", { id: "watch-sessions" }, t("watch.sessions")), list, more),
    show: (sessions, names) => {
      const shown = [...sessions].sort((a, b) => b.last_active - a.last_active).slice(0, MOST);
      const known = new Set(shown.map((session) => session.id));
      for (const id of [...rows.keys()].filter((each) => !known.has(each))) rows.delete(id);
      const elements = shown.map((session) => {
        if (!rows.has(session.id)) rows.set(session.id, row(session, names[session.speaker] ?? session.speaker ?? session.id.slice(0, 8)));
        const { element, state } = rows.get(session.id);
        const doing = session.attached ? (session.busy ? "busy" : "idle") : "detached";
        const told = t(`watch.session_${doing}`, { since: clock(t, session.created), turns: session.turns, active: ago(t, session.last_active) });
        if (state.textContent !== told) state.textContent = told;
        return element;
      });
      if (!elements.length) replace(list, h("li", { class: "empty" }, t("watch.no_sessions")));
      else if (elements.some((each, n) => list.children[n] !== each) || list.children.length !== elements.length) replace(list, elements);
      more.textContent = sessions.length > MOST ? t("watch.more_sessions", { count: sessions.length - MOST }) : "";
    },
  };
}
