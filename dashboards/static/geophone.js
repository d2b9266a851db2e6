// What is nicer with a script. Everything works without it: every link leads to a page, every form posts.

const drawer = document.getElementById("drawer");
const queue = document.getElementById("queue");
let opener = null;

// Markup comes from one place only: our own server, which escapes every value. Trusted Types holds us to it.
const policy = window.trustedTypes
  ? window.trustedTypes.createPolicy("geophone-fragments", { createHTML: (markup) => markup })
  : { createHTML: (markup) => markup };

async function fragment(url, options = {}) {
  const target = new URL(url, location.href);
  if (target.origin !== location.origin) throw new Error("not our origin");
  const response = await fetch(target, { ...options, headers: { "X-Fragment": "1" }, credentials: "same-origin", redirect: "error" });
  if (!(response.headers.get("content-type") || "").startsWith("text/html")) throw new Error("not a fragment");
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(await response.text());
  // an error answers with a whole page, not with a fragment: leave the drawer as it is and go there
  return { ok: response.ok, content: template.content };
}

const queueLink = (open) => {
  const url = new URL(location.href);
  if (url.pathname !== "/security/alerts") return null;
  url.searchParams.delete("open");
  if (open) url.searchParams.set("open", open);
  return url;
};

// ---- the alert beside the queue

function markCurrent(id) {
  for (const row of document.querySelectorAll("tr.alert[data-id]")) row.classList.toggle("current", row.dataset.id === id);
}

function fill(content) {
  drawer.replaceChildren(content);
  drawer.hidden = false;
  drawer.scrollTop = 0;
  drawer.querySelector(".title")?.focus({ preventScroll: true });
}

async function openAlert(id, remember = true) {
  const page = `/security/alerts/${id}`;
  try {
    const answer = await fragment(page);
    if (!answer.ok || !answer.content.querySelector("[data-detail]")) throw new Error("no alert");
    fill(answer.content);
  } catch {
    location.assign(page);
    return;
  }
  markCurrent(id);
  if (remember) history.pushState({ open: id }, "", queueLink(id));
}

function closeAlert(remember = true) {
  if (!drawer || drawer.hidden) return;
  const id = drawer.querySelector("[data-detail]")?.dataset.detail;
  drawer.hidden = true;
  drawer.replaceChildren();
  markCurrent("");
  if (remember) history.pushState({}, "", queueLink(""));
  const row = document.querySelector(`tr.alert[data-id="${id}"] a.cover`);
  (opener?.isConnected ? opener : row)?.focus();
  opener = null;
}

async function refreshQueue() {
  if (!queue) return;
  const answer = await fragment(queueLink("") || location.href);
  if (!answer.ok) return;
  queue.replaceChildren(answer.content);
  markCurrent(drawer?.querySelector("[data-detail]")?.dataset.detail || "");
  watch();
}

if (drawer && queue) {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a");
    if (!link) return;
    if (link.dataset.alert) {
      event.preventDefault();
      if (!drawer.contains(link)) opener = link;
      openAlert(link.dataset.alert);
    } else if ("close" in link.dataset) {
      event.preventDefault();
      closeAlert();
    }
  });
  window.addEventListener("popstate", () => {
    const id = new URL(location.href).searchParams.get("open");
    if (id) openAlert(id, false);
    else closeAlert(false);
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!("decide" in form.dataset) || !drawer.contains(form)) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    // getAttribute: a button named like a property would shadow it
    const url = form.getAttribute("action");
    try {
      const answer = await fragment(url, { method: "POST", body });
      if (!answer.content.querySelector("[data-detail]")) throw new Error("no alert");
      fill(answer.content);
      await refreshQueue();
    } catch {
      form.submit();
    }
  });
}

// ---- choosing a zone filters at once

document.addEventListener("change", (event) => {
  if (event.target.matches(".search select")) event.target.form.requestSubmit();
});

// ---- "3 new: show": asked for, never pushed into what is being read

let timer = 0;
function watch() {
  clearInterval(timer);
  const bar = document.getElementById("newer");
  if (!bar) return;
  timer = setInterval(async () => {
    if (document.hidden) return;
    try {
      const response = await fetch(bar.dataset.poll, { credentials: "same-origin" });
      if (!response.ok) return;
      const { newer } = await response.json();
      bar.hidden = newer === 0;
      bar.textContent = `${newer} new alert${newer === 1 ? "" : "s"}: show`;
    } catch {
      // the server is away: the next round asks again
    }
  }, Number(bar.dataset.seconds) * 1000);
}
watch();

// ---- keys: / j k Enter a Esc

function step(by) {
  const rows = [...document.querySelectorAll("tr.alert a.cover")];
  if (!rows.length) return;
  const open = document.querySelector("tr.alert.current a.cover");
  const from = rows.indexOf(document.activeElement.closest?.("a.cover") || open);
  const next = rows[from < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, from + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    const open = document.querySelector("details.custom[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else closeAlert();
    return;
  }
  if (event.target.closest("input, textarea, select")) return;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  } else if (event.key === "j" || event.key === "k") {
    step(event.key === "j" ? 1 : -1);
  } else if (event.key === "a") {
    document.querySelector("[data-decide] [data-key=a]")?.click();
  }
});

// ---- reading values off a chart

const SVG = "http://www.w3.org/2000/svg";
const shape = (name, attributes) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

for (const chart of document.querySelectorAll("svg[data-chart]")) {
  const data = JSON.parse(chart.dataset.chart);
  const cross = chart.querySelector("[data-cross]");
  const reading = chart.parentElement.querySelector(".reading");
  const steps = data.rows.p50.length;
  const leave = () => {
    cross.replaceChildren();
    reading.hidden = true;
  };
  chart.addEventListener("pointerleave", leave);
  chart.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    const pitch = steps > 1 ? (data.last - data.first) / (steps - 1) : 1;
    const index = Math.round((at.x - data.first) / pitch);
    if (index < 0 || index >= steps) return leave();
    const x = data.first + index * pitch;
    cross.replaceChildren(shape("line", { x1: x, x2: x, y1: data.top, y2: data.base }));
    const moment = new Date((data.start + index * data.step) * 1000).toISOString();
    const words = ["p50", "p95", "p99"].filter((name) => data.rows[name][index] !== null).map((name) => `${name} ${data.rows[name][index]} ms`);
    if (data.rows.bad[index] !== null) words.push(`${data.strip} ${data.rows.bad[index]} %`);
    reading.textContent = `${moment.slice(8, 10)} ${moment.slice(11, 16)} UTC  ${words.join(" · ") || "no data"}`;
    reading.hidden = false;
    const box = chart.getBoundingClientRect();
    const outer = chart.parentElement.getBoundingClientRect();
    const left = event.clientX - outer.left + chart.parentElement.scrollLeft;
    const room = left + 16 + reading.offsetWidth < box.right - outer.left + chart.parentElement.scrollLeft;
    // a property of the style object, not an attribute: the policy allows the first and refuses the second
    reading.style.left = `${room ? left + 16 : left - reading.offsetWidth - 16}px`;
  });
}
