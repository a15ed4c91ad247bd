"use strict";
// The desk's pages work without this file. With it they keep themselves fresh, have shortcuts, and lose no text.
(() => {
  const body = document.body;
  const page = body.dataset.page;
  const byId = (id) => document.getElementById(id);

  // Forms: a second click sends nothing; an answer is sent without leaving the page.

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "dialog") return;
    if (form.dataset.busy) return event.preventDefault();
    form.dataset.busy = "yes";
    if ("write" in form.dataset) {
      event.preventDefault();
      write(form).finally(() => delete form.dataset.busy);
    }
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-busy]").forEach((form) => delete form.dataset.busy));

  async function write(form) {
    const field = form.elements.text;
    const sent = field.value;
    if (!sent.trim()) return;
    let told;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "application/json" },
      });
      told = await answer.json();
    } catch {
      // The same key goes along with the next try: if it did arrive, it is not sent twice.
      return problem(body.dataset.liveUnreachable);
    }
    if (told.key) form.elements.key.value = told.key;
    if (told.error) return problem(told.error);
    problem("");
    if (field.value === sent) field.value = "";
    say(told.notice);
    refresh(true);
  }

  function problem(text) {
    const shown = byId("problem");
    if (!shown) return;
    shown.textContent = text;
    shown.hidden = !text;
  }

  function unsent() {
    const field = byId("text");
    return field && field.value.trim() && field.value !== field.defaultValue;
  }
  addEventListener("beforeunload", (event) => {
    if (unsent() && !byId("text").form.dataset.busy) event.preventDefault();
  });

  function say(text) {
    const said = byId("said");
    if (said) said.textContent = text;
  }

  // Shortcuts: single keys, so that they can be switched off (WCAG 2.2, 2.1.4).

  const dialog = byId("keys");
  const keysOn = byId("keys-on");
  if (dialog) {
    byId("keys-open").hidden = false;
    byId("keys-open").addEventListener("click", () => dialog.showModal());
    keysOn.checked = localStorage.getItem("desk.keys") !== "off";
    keysOn.addEventListener("change", () => localStorage.setItem("desk.keys", keysOn.checked ? "on" : "off"));
    document.addEventListener("keydown", pressed);
  }

  function pressed(event) {
    const typing = event.target.closest("textarea, input:not([type=checkbox]), select");
    if (typing) {
      if (event.key === "Escape") typing.blur();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && typing.id === "text") typing.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || !keysOn.checked) return;
    const deed = {
      j: () => step(1),
      k: () => step(-1),
      r: () => byId("text"),
      t: () => document.querySelector("[data-key=take]"),
      q: () => document.querySelector("[data-key=queue]"),
      "?": () => byId("keys-open"),
    }[event.key] ?? (/^[1-5]$/.test(event.key) ? () => document.querySelectorAll(".tabs a")[event.key - 1] : null);
    const target = deed && deed();
    if (!target) return;
    event.preventDefault();
    if (event.key === "r" || event.key === "j" || event.key === "k") {
      target.focus();
      target.scrollIntoView({ block: "nearest" });
    } else target.click();
  }

  function step(by) {
    const links = [...document.querySelectorAll("#rows a")];
    const at = links.indexOf(document.activeElement);
    return links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by))];
  }

  // Freshness: the page asks for itself again, and takes over what has changed.

  if (!page) return;
  const scroll = byId("scroll");
  if (scroll) scroll.scrollTop = scroll.scrollHeight;
  // Who has just taken a conversation wants to write.
  if (new URLSearchParams(location.search).get("notice") === "taken") byId("text")?.focus();
  const title = document.title;
  addEventListener("focus", () => (document.title = title));

  let asking = false;
  let again = false;
  let refreshed = Date.now();
  async function refresh(toEnd) {
    if (asking) return void (again = true);
    asking = true;
    again = false;
    try {
      const answer = await fetch(location.href, { headers: { "X-Desk-Live": "yes" } });
      if (answer.status === 401) return gone();
      if (answer.status === 403 || answer.status === 404) return unsent() || location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      if (answer.redirected) return unsent() || location.assign(answer.url);
      update(new DOMParser().parseFromString(await answer.text(), "text/html"), toEnd);
      refreshed = Date.now();
      light();
    } catch {
      light(body.dataset.liveUnreachable);
    } finally {
      asking = false;
      if (again) setTimeout(refresh, 200);
    }
  }

  function gone() {
    // Somebody else's messages do not stay on a screen that nobody is logged in at.
    if (!unsent()) return location.reload();
    light(body.dataset.liveGone);
    problem(body.dataset.liveGone);
  }

  function update(fresh, toEnd) {
    const atEnd = scroll && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
    // A new login elsewhere has a new token.
    if (fresh.body.dataset.csrf !== body.dataset.csrf) {
      body.dataset.csrf = fresh.body.dataset.csrf;
      document.querySelectorAll("input[name=csrf]").forEach((field) => (field.value = body.dataset.csrf));
    }
    let changed = false;
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (!now) continue;
      if (old.dataset.live === "list") changed = merge(old, now) || changed;
      else replace(old, now);
    }
    if (!changed) return;
    if (scroll && (atEnd || toEnd)) scroll.scrollTop = scroll.scrollHeight;
    const queue = fresh.getElementById("queue");
    if (queue && queue.dataset.announce !== byId("queue").dataset.announce) {
      byId("queue").dataset.announce = queue.dataset.announce;
      say(queue.dataset.announce);
      if (document.hidden) document.title = "● " + title;
    }
    if (page === "talk" && document.hidden) document.title = "● " + title;
  }

  function replace(old, now) {
    if (old.dataset.version !== undefined ? old.dataset.version === now.dataset.version : old.outerHTML === now.outerHTML) return;
    if (old.contains(byId("text")) && unsent()) return;
    if (old.querySelector("details[open]")) return; // in the middle of a decision
    const held = old.contains(document.activeElement) ? document.activeElement.textContent : null;
    old.replaceWith(now);
    if (held !== null) ([...now.querySelectorAll("a, button")].find((each) => each.textContent === held) ?? byId("main")).focus();
  }

  function merge(list, fresh) {
    const left = new Map([...list.children].map((child) => [child.id, child]));
    let changed = false;
    let at = list.firstElementChild;
    for (const wanted of [...fresh.children]) {
      let have = left.get(wanted.id);
      left.delete(wanted.id);
      if (!have) changed = true;
      else if (have.outerHTML !== wanted.outerHTML) {
        const focused = have.contains(document.activeElement);
        if (have === at) at = wanted;
        have.replaceWith(wanted);
        if (focused) wanted.querySelector("a, button")?.focus();
        have = wanted;
      }
      have ??= wanted;
      if (have === at) at = at.nextElementSibling;
      else list.insertBefore(have, at);
    }
    for (const child of left.values()) {
      changed = true;
      const beside = child.contains(document.activeElement) && (child.nextElementSibling ?? child.previousElementSibling);
      child.remove();
      if (beside) beside.querySelector("a")?.focus();
    }
    return changed;
  }

  // The socket says that something has changed, and no more (Engine.IO 4, Socket.IO 5, over a web socket alone).

  let live = false;
  let heard = 0;
  let pause = 1000;
  let socket;
  function light(trouble) {
    const lamp = byId("live");
    lamp.hidden = false;
    lamp.className = trouble ? "live bad" : live ? "live on" : "live off";
    const text = trouble || (live ? body.dataset.liveOn : body.dataset.liveOff);
    if (lamp.textContent !== text) lamp.textContent = text;
  }

  function connect() {
    const address = new URL("/socket.io/?EIO=4&transport=websocket", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    socket = new WebSocket(address);
    socket.onmessage = ({ data }) => {
      heard = Date.now();
      if (data[0] === "0") {
        socket.send("40/desk," + JSON.stringify({ csrf: body.dataset.csrf, conversation: body.dataset.conversation ?? null }));
      } else if (data === "2") socket.send("3");
      else if (data.startsWith("40/desk,")) {
        live = true;
        pause = 1000;
        refresh();
      } else if (data.startsWith("42/desk,")) refresh();
      else if (data.startsWith("41/desk") || data.startsWith("44/desk")) socket.close();
    };
    socket.onclose = () => {
      live = false;
      light();
      setTimeout(connect, pause);
      pause = Math.min(60000, pause * 2);
    };
  }
  connect();

  // A socket that is up still misses things: look once a minute then, every ten seconds otherwise.
  setInterval(() => {
    if (live && Date.now() - heard > 60000) socket.close();
    if (!live || Date.now() - refreshed > 55000) refresh();
  }, 10000);
})();
