// The web chat of Effen: one file, no framework. Speaks Rasa's socket.io protocol (channels/webchat.py).
//
//   <script src="https://chat.example/widget.js" data-creditor="KEY" async></script>
//
// Then `window.Effen` (announced by the event "effen:ready" on the document) has
//   identify(token)   the shop's signed token of a customer who is logged in; null when logged out
//   open(), close()
//   on(event, fn)     "ready", "open", "close", "message", "identified", "error"; gives a function that stops it
(() => {
  "use strict";
  const script = document.currentScript;
  if (window.Effen || !script?.dataset.creditor) return;
  const creditor = script.dataset.creditor;
  const origin = new URL(script.src).origin;
  const STORE = `effen:${creditor}:`;
  const ACK_MS = 10_000; // after this a message is shown as not sent; sending it again is safe, its id is the same
  const TYPING_MS = 30_000;
  const MAX_TEXT = 4_000;

  const STYLE = `
    :host { all: initial; --brand: #1f5f4a; --ink: #fff; --surface: #fff; --raised: #f1f3f2; --text: #17211d;
      --soft: #55615c; --line: #cfd6d3; --wrong: #a3201d; color-scheme: light;
      font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
    @media (prefers-color-scheme: dark) {
      :host { --surface: #17191a; --raised: #262a2c; --text: #eef2f0; --soft: #aab5b0; --line: #434a4d; --wrong: #ff9a94;
        color-scheme: dark; } }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    button, textarea, select { font: inherit; color: inherit; }
    button { cursor: pointer; }
    :focus-visible { outline: 3px solid var(--text); outline-offset: 2px; box-shadow: 0 0 0 2px var(--surface); }
    svg { width: 1em; height: 1em; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round;
      stroke-linejoin: round; flex: none; }
    .launcher { position: fixed; z-index: 2147483000; right: 20px; bottom: 20px; width: 60px; height: 60px; border: 0;
      border-radius: 50%; background: var(--brand); color: var(--ink); font-size: 28px; display: grid; place-items: center;
      box-shadow: 0 6px 24px rgb(0 0 0 / .28); transition: transform .15s; }
    .launcher:hover { transform: scale(1.06); }
    .unread { position: absolute; top: -2px; right: -2px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 11px;
      background: #c62828; color: #fff; font: 700 13px/22px system-ui, sans-serif; }
    .panel { position: fixed; z-index: 2147483000; right: 20px; bottom: 92px; width: 384px; height: 620px;
      max-height: calc(100vh - 112px); display: flex; flex-direction: column; overflow: hidden; border-radius: 18px;
      background: var(--surface); color: var(--text); border: 1px solid var(--line); box-shadow: 0 14px 48px rgb(0 0 0 / .28);
      animation: rise .18s ease-out; }
    @keyframes rise { from { opacity: 0; transform: translateY(14px); } }
    header { display: flex; align-items: center; gap: 10px; padding: 12px 10px 12px 16px; background: var(--brand);
      color: var(--ink); }
    header :focus-visible { outline-color: var(--ink); box-shadow: none; }
    .mark { width: 38px; height: 38px; border-radius: 50%; background: var(--ink); color: var(--brand); display: grid;
      place-items: center; font-weight: 700; font-size: 17px; flex: none; }
    .title { flex: 1; min-width: 0; }
    h2 { margin: 0; font-size: 17px; line-height: 1.25; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .with { font-size: 13px; }
    select { border: 1px solid; border-radius: 8px; background: transparent; padding: 5px 4px; font-size: 14px; }
    option { color: #17211d; background: #fff; }
    .close { border: 0; background: none; font-size: 24px; width: 44px; height: 44px; display: grid; place-items: center;
      border-radius: 10px; }
    .log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; display: flex; flex-direction: column;
      gap: 4px; }
    .entry { max-width: 86%; display: flex; flex-direction: column; align-items: flex-start; }
    .entry.person { align-self: flex-end; align-items: flex-end; }
    .entry.system { align-self: center; align-items: center; max-width: 94%; }
    .who { display: flex; align-items: center; gap: 6px; margin: 12px 2px 3px; font-size: 13px; color: var(--soft); }
    .who b { color: var(--text); font-weight: 600; }
    .badge { border: 1px solid var(--soft); border-radius: 5px; padding: 0 5px; font-size: 11px; font-weight: 700;
      letter-spacing: .04em; }
    .bubble { padding: 9px 13px; border-radius: 16px; background: var(--raised); white-space: pre-wrap;
      overflow-wrap: anywhere; border-top-left-radius: 5px; }
    .agent .bubble { box-shadow: inset 3px 0 0 var(--soft); border-radius: 5px 16px 16px 5px; }
    .person .bubble { background: var(--brand); color: var(--ink); border-radius: 16px 5px 16px 16px; }
    .person.again { margin-top: 2px; }
    .system .bubble { background: none; color: var(--soft); font-size: 14px; text-align: center; padding: 8px; }
    .bubble a { color: inherit; text-underline-offset: 2px; }
    .state { font-size: 12.5px; color: var(--soft); margin: 2px 4px; display: flex; gap: 8px; align-items: center; }
    .state.failed { color: var(--wrong); }
    .state button { border: 0; background: none; padding: 6px 2px; color: inherit; font-weight: 600; text-decoration: underline; }
    .qr { display: block; margin: 8px 0 0; padding: 10px; background: #fff; border: 1px solid var(--line); border-radius: 12px; }
    .qr img { display: block; width: 168px; height: 168px; image-rendering: pixelated; }
    .qr figcaption { max-width: 168px; margin-top: 6px; font-size: 13px; color: #3a4540; text-align: center; }
    .choices { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0 4px; }
    .choice { min-height: 40px; padding: 7px 14px; border: 1.5px solid var(--text); border-radius: 20px; background: var(--surface);
      color: var(--text); text-decoration: none; font-weight: 600; font-size: 15px; display: inline-flex; align-items: center;
      gap: 7px; text-align: left; }
    .choice:hover { background: var(--raised); }
    a.choice { background: var(--brand); border-color: var(--brand); color: var(--ink); }
    a.choice:hover { background: var(--brand); text-decoration: underline; }
    .typing { align-self: flex-start; margin-top: 8px; padding: 13px 14px; border-radius: 5px 16px 16px 16px;
      background: var(--raised); display: flex; gap: 5px; }
    .typing i { width: 7px; height: 7px; border-radius: 50%; background: var(--soft); animation: blink 1.2s infinite; }
    .typing i:nth-child(2) { animation-delay: .2s; } .typing i:nth-child(3) { animation-delay: .4s; }
    @keyframes blink { 30% { opacity: .25; } }
    .notice { padding: 8px 16px; font-size: 14px; background: var(--raised); border-top: 1px solid var(--line); }
    form { display: flex; align-items: flex-end; gap: 8px; padding: 10px 12px; border-top: 1px solid var(--line); }
    textarea { flex: 1; resize: none; min-height: 44px; max-height: 130px; padding: 10px 12px; border: 1.5px solid var(--soft);
      border-radius: 14px; background: var(--surface); line-height: 1.35; }
    textarea::placeholder { color: var(--soft); opacity: 1; }
    .send { width: 44px; height: 44px; border: 0; border-radius: 14px; background: var(--brand); color: var(--ink);
      font-size: 21px; display: grid; place-items: center; flex: none; }
    .foot { margin: 0; padding: 0 14px 10px; font-size: 12.5px; color: var(--soft); text-align: center; }
    .badge, .who svg { flex: none; }
    .only { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media (max-width: 480px) {
      .panel { inset: 0; width: auto; height: 100dvh; max-height: none; border: 0; border-radius: 0; }
      .panel:not([hidden]) ~ .launcher { display: none; } }
    @media (max-height: 480px) { .foot { display: none; } }
    @media (prefers-reduced-motion: reduce) { *, .panel { animation: none !important; transition: none !important; } }
    @media (forced-colors: active) { .bubble, .launcher, .send { border: 1px solid; } }
  `;

  const ICONS = {
    chat: "M4 5h16v11H10l-5 4v-4H4z M8 9.5h8 M8 12.5h5",
    close: "M6 6l12 12 M18 6L6 18",
    send: "M4 12l16-7-6 16-3-7z M11 14l9-9",
    person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M4.5 20a7.5 7.5 0 0 1 15 0",
    out: "M14 5h5v5 M19 5l-8 8 M17 14v5H5V7h5",
  };

  // --- small hands -----------------------------------------------------------------------------------------------
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  };
  // Storage may be forbidden (private mode, a sandboxed frame): then a session lasts as long as the page.
  const memory = new Map();
  const stored = (area, name) => {
    try {
      return window[area].getItem(STORE + name);
    } catch {
      return memory.get(name) ?? null;
    }
  };
  const store = (area, name, value) => {
    try {
      if (value === null) window[area].removeItem(STORE + name);
      else window[area].setItem(STORE + name, value);
    } catch {
      memory.set(name, value);
    }
  };
  // 128 random bits: an address that cannot be guessed.
  const secret = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  // Whom a token is about, to tell a new customer from a new page; whether it is true is for the server to say.
  const subject = (token) => {
    try {
      return String(JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub);
    } catch {
      return token;
    }
  };

  // --- state -----------------------------------------------------------------------------------------------------
  const listeners = new Map();
  const seen = new Set(); // ids of the messages that are shown
  const waiting = new Map(); // our own messages that the server has not acknowledged, by id
  let card, t, panel, launcher, log, field, notice, typing, unreadBadge;
  let socket = null;
  let confirmed = false; // the server knows our session on this line
  let token = null;
  let unread = 0;
  let lastSpeaker = ""; // whose name stands above the newest message
  let withAgent = false; // a person answers, in their own time
  let typingTimer = 0;

  const tell = (event, detail) => {
    for (const listener of listeners.get(event) ?? []) {
      try {
        listener(detail);
      } catch (error) {
        console.error(error); // a fault of the page must not break the chat
      }
    }
  };
  const session = () => {
    let value = stored("localStorage", "session");
    if (!value) store("localStorage", "session", (value = secret()));
    return value;
  };
  const locale = () =>
    stored("localStorage", "locale") || script.dataset.locale || document.documentElement.lang || navigator.language || "";
  const customData = (more) => ({ creditor, locale: card.locale, ...(token ? { token } : {}), ...more });

  // --- what is shown ---------------------------------------------------------------------------------------------
  const linked = (text) => {
    const pieces = document.createDocumentFragment();
    let from = 0;
    for (const match of text.matchAll(/https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'’”»]/g)) {
      pieces.append(text.slice(from, match.index), make("a", { href: match[0], target: "_blank", rel: "noopener noreferrer" }, match[0]));
      from = match.index + match[0].length;
    }
    pieces.append(text.slice(from));
    return pieces;
  };

  const time = (at) => {
    const moment = at ? new Date(at) : new Date();
    return Number.isNaN(moment.getTime()) ? "" : moment.toLocaleTimeString(card.locale, { hour: "2-digit", minute: "2-digit" });
  };

  const who = (author, name, at) => {
    const shown = { bot: name || card.name, agent: name || t.agent, person: t.you }[author];
    if (!shown) return null;
    const mark = author === "bot" ? make("span", { class: "badge" }, t.bot_mark) : author === "agent" ? icon("person") : null;
    const role = author === "agent" && name ? make("span", {}, t.agent) : null;
    return make("div", { class: "who" }, mark, make("b", {}, shown), role, make("time", {}, time(at)));
  };

  const picture = (address) => {
    const image = make("img", { src: address, alt: t.qr, width: 168, height: 168 });
    const figure = make("figure", { class: "qr" }, image, make("figcaption", { "aria-hidden": "true" }, t.qr));
    image.addEventListener("error", () => figure.remove());
    image.addEventListener("load", toEnd);
    return figure;
  };

  const buttons = (choices) =>
    make(
      "div",
      { class: "choices" },
      ...choices.map((choice) =>
        choice.url
          ? make("a", { class: "choice", href: choice.url, target: "_blank", rel: "noopener" }, choice.title, icon("out"), make("span", { class: "only" }, t.new_tab))
          : make("button", { class: "choice", type: "button", onclick: () => say(choice.title, choice.id) }, choice.title),
      ),
    );

  const show = ({ author, name, text, at, choices = [], image, id }) => {
    const entry = make("div", { class: `entry ${author}` });
    const speaker = `${author} ${name ?? ""}`;
    if (speaker !== lastSpeaker) entry.append(who(author, name, at) ?? "");
    else entry.classList.add("again");
    if (text) entry.append(make("div", { class: "bubble" }, linked(text)));
    const safe = choices.filter((choice) => !choice.url || /^https?:/.test(choice.url));
    if (safe.length) entry.append(buttons(safe));
    if (image && /^https?:/.test(image)) entry.append(picture(image));
    lastSpeaker = speaker;
    if (author !== "person") withAgent = author === "agent";
    log.insertBefore(entry, typing);
    if (id) seen.add(id);
    toEnd();
    return entry;
  };

  const toEnd = () => {
    log.scrollTop = log.scrollHeight;
  };
  const settle = () => {
    for (const old of log.querySelectorAll("button.choice")) old.parentElement.querySelector("a") ? old.remove() : old.parentElement.remove();
  };
  const expectAnswer = (yes) => {
    clearTimeout(typingTimer);
    typing.hidden = !yes;
    if (yes) typingTimer = setTimeout(() => expectAnswer(false), TYPING_MS);
    toEnd();
  };
  const inform = (text) => {
    notice.textContent = text;
    notice.hidden = !text;
  };
  const count = (number) => {
    unread = number;
    unreadBadge.textContent = String(number);
    unreadBadge.hidden = number === 0;
    launcher.setAttribute("aria-label", number ? `${t.open} (${t.unread})` : t.open);
  };

  const hear = (payload, fresh) => {
    const { id, author = "bot", name, at, choices, image } = { ...payload, ...payload.metadata };
    if (id && seen.has(id)) {
      const own = waiting.get(id);
      if (own) acknowledged(own);
      return;
    }
    if (!payload.text && !image) return;
    show({ id, author, name, text: payload.text, at, choices: choices ?? [], image });
    if (!fresh || author === "person") return;
    expectAnswer(false);
    if (panel.hidden) count(unread + 1);
    tell("message", { id, author, name: name ?? "", text: payload.text ?? "" });
  };

  // --- the line --------------------------------------------------------------------------------------------------
  const connect = async () => {
    if (socket) return;
    socket = {}; // taken, while the client is loaded
    try {
      const { io } = await import(`${origin}/widget/vendor/socket.io.esm.min.js`);
      socket = io(origin, { transports: ["websocket", "polling"], reconnectionDelayMax: 15_000, forceNew: true });
    } catch (error) {
      socket = null;
      inform(t.offline);
      tell("error", { code: "offline" });
      return;
    }
    socket.on("connect", request);
    socket.on("disconnect", (reason) => {
      confirmed = false;
      expectAnswer(false);
      if (reason === "io client disconnect") return; // we are calling again ourselves
      inform(t.offline);
      // The server has hung up: socket.io does not call again by itself.
      if (reason === "io server disconnect") setTimeout(() => socket.connect(), 3_000);
    });
    socket.on("connect_error", () => inform(t.offline));
    socket.io.on("reconnect_attempt", () => inform(t.offline));
    socket.on("session_confirm", (confirmation) => {
      const address = typeof confirmation === "string" ? confirmation : confirmation?.session_id;
      if (address && address !== session()) store("localStorage", "session", address);
      store("localStorage", "used", "yes");
      confirmed = true;
      inform("");
      for (const message of waiting.values()) transmit(message);
    });
    socket.on("history", (entries) => {
      for (const entry of entries) hear(entry, false);
      const last = entries.at(-1);
      // An answer that has come while the line was broken.
      if (last && last.metadata?.author !== "person") expectAnswer(false);
    });
    socket.on("bot_uttered", (payload) => hear(payload, true));
    socket.on("chat_error", ({ code }) => {
      inform(code === "slow_down" ? t.slow : t.unavailable);
      tell("error", { code });
    });
  };
  const request = () => socket.emit("session_request", { session_id: session(), customData: customData() });

  const say = (text, button = null) => {
    const message = { id: secret(), text: text.trim().slice(0, MAX_TEXT), button };
    if (!message.text) return;
    settle();
    message.entry = show({ id: message.id, author: "person", text: message.text });
    message.state = make("div", { class: "state", role: "status" });
    message.entry.append(message.state);
    waiting.set(message.id, message);
    connect();
    transmit(message);
  };
  const transmit = (message) => {
    message.state.className = "state";
    message.state.replaceChildren(t.sending);
    toEnd();
    clearTimeout(message.timer);
    message.timer = setTimeout(() => failed(message), ACK_MS);
    if (!confirmed) return; // goes out when the session is confirmed
    if (!withAgent) expectAnswer(true);
    socket.emit(
      "user_uttered",
      { message: message.text, session_id: session(), customData: customData({ message_id: message.id, ...(message.button ? { button: message.button } : {}) }) },
      (answer) => (answer?.error ? failed(message) : acknowledged(message)),
    );
  };
  const acknowledged = (message) => {
    clearTimeout(message.timer);
    waiting.delete(message.id);
    message.state.replaceChildren();
  };
  const failed = (message) => {
    clearTimeout(message.timer);
    if (!waiting.has(message.id)) return;
    expectAnswer(false);
    message.state.className = "state failed";
    message.state.replaceChildren(t.failed, make("button", { type: "button", onclick: () => transmit(message) }, t.retry));
    toEnd();
  };

  const restart = () => {
    for (const message of waiting.values()) clearTimeout(message.timer);
    for (const entry of log.querySelectorAll(".entry")) entry.remove();
    waiting.clear();
    seen.clear();
    lastSpeaker = "";
    withAgent = false;
    confirmed = false;
    expectAnswer(false);
    count(0);
    // A new line, so that nothing of the old session is still on its way.
    if (socket?.connected) socket.disconnect().connect();
  };

  // --- the window ------------------------------------------------------------------------------------------------
  const open = () => {
    if (!panel.hidden) return;
    panel.hidden = false;
    launcher.setAttribute("aria-expanded", "true");
    launcher.replaceChildren(icon("close"), unreadBadge);
    count(0);
    launcher.setAttribute("aria-label", t.close);
    connect();
    toEnd();
    field.focus();
    tell("open");
  };
  const close = () => {
    if (panel.hidden) return;
    const inside = panel.contains(root.activeElement);
    panel.hidden = true;
    launcher.setAttribute("aria-expanded", "false");
    launcher.replaceChildren(icon("chat"), unreadBadge);
    count(0);
    if (inside) launcher.focus();
    tell("close");
  };
  const phone = window.matchMedia("(max-width: 480px)");
  const keys = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab" && phone.matches) {
      // Full screen: the page behind cannot be seen, so the focus stays in here.
      const stops = [...panel.querySelectorAll("button, a[href], textarea, select")].filter((stop) => stop.offsetParent);
      const edge = event.shiftKey ? stops[0] : stops.at(-1);
      if (root.activeElement === edge) {
        event.preventDefault();
        (event.shiftKey ? stops.at(-1) : stops[0]).focus();
      }
    }
  };
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 3, 130)}px`;
  };
  const submit = (event) => {
    event?.preventDefault();
    const text = field.value;
    field.value = "";
    grow();
    say(text);
    field.focus();
  };

  const build = () => {
    const languages = Object.entries(card.languages);
    const choice = languages.length > 1 &&
      make(
        "select",
        { "aria-label": t.language, onchange: (event) => speak(event.target.value) },
        ...languages.map(([code, name]) => make("option", { value: code, selected: code === card.locale, "aria-label": name, title: name }, code.toUpperCase())),
      );
    log = make("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": t.log, tabindex: "0" });
    typing = make("div", { class: "typing", hidden: true }, make("span", { class: "only" }, t.typing), make("i"), make("i"), make("i"));
    log.append(typing);
    notice = make("div", { class: "notice", role: "status", hidden: true });
    field = make("textarea", {
      rows: 1,
      maxlength: MAX_TEXT,
      placeholder: t.field,
      "aria-label": t.field,
      autocomplete: "off",
      oninput: grow,
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
      },
    });
    panel = make(
      "section",
      { class: "panel", role: "dialog", "aria-label": t.title, "aria-modal": String(phone.matches), hidden: true, lang: card.locale, onkeydown: keys },
      make(
        "header",
        {},
        make("span", { class: "mark", "aria-hidden": "true" }, card.name.slice(0, 1)),
        make("div", { class: "title" }, make("h2", {}, card.name), make("div", { class: "with" }, t.with)),
        choice || null,
        make("button", { class: "close", type: "button", "aria-label": t.close, onclick: close }, icon("close")),
      ),
      log,
      notice,
      make("form", { onsubmit: submit }, field, make("button", { class: "send", type: "submit", "aria-label": t.send }, icon("send"))),
      make("p", { class: "foot" }, t.foot),
    );
    unreadBadge = make("span", { class: "unread", hidden: true, "aria-hidden": "true" });
    launcher = make(
      "button",
      { class: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => (panel.hidden ? open() : close()) },
      icon("chat"),
      unreadBadge,
    );
    root.replaceChildren(panel, launcher);
    count(0);
  };

  const host = document.createElement("effen-chat");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet(); // allowed under a page's policy without inline styles
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  phone.addEventListener("change", () => panel?.setAttribute("aria-modal", String(phone.matches)));

  const load = async () => {
    const response = await fetch(`${origin}/widget/${encodeURIComponent(creditor)}.json?lang=${encodeURIComponent(locale().slice(0, 2))}`);
    if (!response.ok) throw new Error(`Effen: no chat for “${creditor}” (${response.status})`);
    card = await response.json();
    t = card.texts;
    host.style.setProperty("--brand", card.color);
    host.style.setProperty("--ink", card.ink);
  };
  const speak = async (language) => {
    store("localStorage", "locale", language);
    await load();
    seen.clear();
    waiting.clear();
    lastSpeaker = "";
    build();
    panel.hidden = false;
    launcher.setAttribute("aria-expanded", "true");
    launcher.replaceChildren(icon("close"), unreadBadge);
    launcher.setAttribute("aria-label", t.close);
    panel.querySelector("select").focus();
    if (socket?.connected) request();
  };

  const started = load().then(() => {
    build();
    document.body.append(host);
    tell("ready");
    // Someone who has talked to us before hears what comes in; anybody else is not connected before they open the chat.
    if (stored("localStorage", "used")) connect();
  });
  started.catch((error) => console.error(error));

  window.Effen = {
    async identify(given) {
      await started;
      const about = given ? subject(given) : null;
      const known = stored("sessionStorage", "subject");
      token = given || null;
      if (about !== known) {
        // A fresh session: nobody who knew the old one's address reads on, and nothing of it is left on the screen.
        store("localStorage", "session", secret());
        store("sessionStorage", "subject", about);
        restart();
      } else if (socket?.connected) request();
      tell("identified", { identified: Boolean(token) });
    },
    async open() {
      await started;
      open();
    },
    async close() {
      await started;
      close();
    },
    on(event, listener) {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(listener);
      return () => listeners.get(event).delete(listener);
    },
  };
  document.dispatchEvent(new CustomEvent("effen:ready"));
})();
