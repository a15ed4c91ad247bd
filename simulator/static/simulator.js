"use strict";

// The phones of one person: drawn anew when anything has changed on them.

const phone = document.getElementById("phone");
const creditor = document.getElementById("creditor");
const problem = document.getElementById("problem");
const sections = [...document.querySelectorAll(".phone")];
const drawn = new Map(); // channel → what it shows, as text
const TICKS = { queued: "🕓", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "✗" };
const NO_ANSWER = "The app does not answer.";
const PICTURES = ["image/jpeg", "image/png"];
const MOST = 5 * 1024 * 1024; // bytes of a picture
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
  if (bubble.text) box.append(element("p", {}, ...withLinks(bubble.text)));
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
    if (problem.textContent === NO_ANSWER) tell("");
  } catch {
    tell(NO_ANSWER);
  }
}

async function say(what) {
  tell("");
  const response = await fetch("/simulator/say", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ phone: phone.value, creditor: creditor.value, ...what }),
  });
  await look();
  if (!response.ok) tell((await response.json()).detail);
}

// What is wrong with a file as a picture; nothing where it can be sent.
function faultOf(file) {
  if (!PICTURES.includes(file.type)) return `${file.name} is no JPEG or PNG: choose another picture.`;
  if (file.size <= MOST) return "";
  const size = (Math.ceil((file.size / 1024 / 1024) * 10) / 10).toFixed(1);
  return `${file.name} has ${size} MB, and a picture can have 5 MB: choose a smaller one.`;
}

function base64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result.slice(reader.result.indexOf(",") + 1)));
    reader.addEventListener("error", () => failed(reader.error));
    reader.readAsDataURL(file);
  });
}

// A picture is chosen first, and goes with what is written under it.
function showChosen(form) {
  const [file] = form.elements.picture.files;
  form.querySelector(".chosen").hidden = !file;
  form.querySelector(".chosen span").textContent = file ? `Picture: ${file.name}` : "";
  form.elements.text.focus();
}

function withClip(form) {
  const input = form.elements.picture;
  form.querySelector(".clip").addEventListener("click", () => input.click());
  form.querySelector(".drop").addEventListener("click", () => {
    input.value = "";
    showChosen(form);
  });
  input.addEventListener("change", () => {
    const fault = input.files.length ? faultOf(input.files[0]) : "";
    if (fault) input.value = "";
    tell(fault);
    showChosen(form);
  });
}

async function sayWithPicture(channel, text, file) {
  let picture;
  try {
    picture = await base64(file);
  } catch {
    tell(`${file.name} cannot be read: choose it again.`);
    return;
  }
  await say({ channel, text, picture });
}

for (const section of sections) {
  const channel = section.dataset.channel;
  const form = section.querySelector(".write");
  const pictures = form.elements.picture; // not on an SMS
  if (pictures) withClip(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.elements.text.value;
    const file = pictures?.files[0];
    form.reset();
    if (file) {
      showChosen(form);
      sayWithPicture(channel, text, file);
    } else if (text.trim()) {
      say({ channel, text });
    }
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
