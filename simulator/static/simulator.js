"use strict";

// The phones of one person: drawn anew when anything has changed on them.

const phone = document.getElementById("phone");
const creditor = document.getElementById("creditor");
const problem = document.getElementById("problem");
const sections = [...document.querySelectorAll(".phone")];
const drawn = new Map(); // channel → what it shows, as text
const TICKS = { queued: "🕓", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "✗" };
const LINK = /https?:\/\/[^\s<>"]+/g;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function withLinks(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(/[.,;:!?)]+$/, "");
    parts.push(text.slice(end, match.index));
    parts.push(element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address));
    end = match.index + address.length;
  }
  parts.push(text.slice(end));
  return parts;
}

function bubbleOf(channel, bubble) {
  const item = element("li", { class: bubble.mine ? "mine" : "theirs" });
  const box = element("div", { class: "bubble" });
  if (bubble.image) box.append(element("img", { src: bubble.image, alt: "Picture", class: "picture" }));
  box.append(element("p", {}, ...withLinks(bubble.text)));
  const at = new Date(bubble.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const foot = element("small", {}, at);
  if (bubble.mine && bubble.status) foot.append(" · ", element("b", {}, bubble.status));
  if (!bubble.mine && TICKS[bubble.status]) {
    foot.append(" ", element("span", { class: `tick ${bubble.status}`, title: bubble.status }, TICKS[bubble.status]));
  }
  box.append(foot);
  item.append(box);
  if (bubble.choices.length) {
    const row = element("div", { class: "choices" });
    for (const choice of bubble.choices) {
      if (choice.url) {
        row.append(element("a", { href: choice.url, target: "_blank", rel: "noopener noreferrer" }, `${choice.title} ↗`));
        continue;
      }
      const button = element("button", { type: "button" }, choice.title);
      button.addEventListener("click", () => say({ channel, bubble: bubble.id, choice: choice.id }));
      row.append(button);
    }
    item.append(row);
  }
  return item;
}

function draw(section, shown) {
  const channel = section.dataset.channel;
  section.hidden = !shown;
  const text = JSON.stringify(shown ?? null);
  if (!shown || drawn.get(channel) === text) return;
  drawn.set(channel, text);
  section.querySelector(".ours").textContent = shown.ours;
  section.classList.toggle("blocked", shown.blocked);
  const talk = section.querySelector(".talk");
  const more = talk.childElementCount < shown.bubbles.length;
  const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 40;
  const before = talk.scrollTop;
  const toEnd = () => {
    if (more || atEnd) talk.scrollTop = talk.scrollHeight;
  };
  talk.replaceChildren(...shown.bubbles.map((bubble) => bubbleOf(channel, bubble)));
  for (const picture of talk.querySelectorAll("img")) picture.addEventListener("load", toEnd);
  talk.scrollTop = before;
  toEnd();
  const block = section.querySelector(".block");
  if (block) block.textContent = shown.blocked ? "Unblock" : "Block";
  const start = section.querySelector(".start");
  if (start) start.hidden = shown.bubbles.length > 0;
  section.querySelector(".write").classList.toggle("unseen", Boolean(start) && !start.hidden);
}

function tell(text) {
  problem.hidden = !text;
  problem.textContent = text;
}

async function look() {
  const asked = new URLSearchParams({ phone: phone.value, creditor: creditor.value });
  const key = asked.toString();
  try {
    const response = await fetch(`/simulator/phones?${asked}`);
    const shown = await response.json();
    if (key !== new URLSearchParams({ phone: phone.value, creditor: creditor.value }).toString()) return;
    for (const section of sections) draw(section, shown[section.dataset.channel]);
    tell("");
  } catch {
    tell("The app does not answer.");
  }
}

async function say(what) {
  const response = await fetch("/simulator/say", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ phone: phone.value, creditor: creditor.value, ...what }),
  });
  await look();
  if (!response.ok) tell((await response.json()).detail);
}

for (const section of sections) {
  const channel = section.dataset.channel;
  const form = section.querySelector(".write");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.elements.text.value;
    form.elements.text.value = "";
    if (text.trim()) say({ channel, text });
  });
  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  section.querySelector(".start")?.addEventListener("click", () => say({ channel, text: "/start" }));
  section.querySelector(".block")?.addEventListener("click", () => {
    say({ channel, blocked: !section.classList.contains("blocked") });
  });
}
for (const chosen of [phone, creditor]) {
  chosen.addEventListener("change", () => {
    drawn.clear();
    look();
  });
}

// One look after the other, while the page is seen.
(async () => {
  for (;;) {
    if (!document.hidden) await look();
    await new Promise((done) => setTimeout(done, 700));
  }
})();
