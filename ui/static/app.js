// Sign-in, sign-out, and fresh content while executions go on. Every page
// can be read without this.
const own = { "X-VWMP-Request": "1" };

const signOut = document.querySelector("[data-sign-out]");
if (signOut) {
  signOut.hidden = false;
  signOut.addEventListener("click", async () => {
    await fetch("/api/vwmp/auth/logout/", { method: "POST", headers: own });
    location.assign("/vwmp/");
  });
}

const form = document.querySelector("[data-sign-in]");
if (form) {
  form.hidden = false;
  const wrong = document.getElementById("token-error");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    const answer = await fetch("/api/vwmp/auth/login/", {
      method: "POST",
      headers: { ...own, "Content-Type": "application/json" },
      body: JSON.stringify({ token: form.elements.token.value.trim() }),
    }).catch(() => null);
    if (answer?.ok) {
      location.assign("/vwmp/");
      return;
    }
    const problem = await answer?.json().catch(() => null);
    wrong.textContent = problem?.detail ?? "The server did not answer. Try again.";
    wrong.hidden = false;
    form.elements.token.setAttribute("aria-invalid", "true");
    form.elements.token.focus();
  });
}

// The overview is asked for again when an execution starts, changes or ends.
if (document.querySelector("meta[name=live]")) {
  follow();
}

function follow() {
  let due = 0;
  const refresh = async () => {
    due = 0;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    if (next) document.getElementById("main").replaceWith(next);
  };
  let wait = 1000;
  const connect = () => {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/vwmp/events`);
    socket.addEventListener("open", () => {
      // What happened while there was no connection was not heard of.
      if (wait > 1000) due ||= setTimeout(refresh, 300);
      wait = 1000;
    });
    socket.addEventListener("message", () => {
      due ||= setTimeout(refresh, 300);
    });
    socket.addEventListener("close", (event) => {
      // 4401: signed out; trying again would not help.
      if (event.code === 4401) return;
      wait = Math.min(wait * 2, 30000);
      setTimeout(connect, wait);
    });
  };
  connect();
}
