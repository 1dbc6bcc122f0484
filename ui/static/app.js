// Sign-in and sign-out. Every page can be read without this.
const own = { "X-VWMP-Request": "1" };

const signOut = document.querySelector("[data-sign-out]");
if (signOut) {
  signOut.hidden = false;
  signOut.addEventListener("click", async () => {
    await fetch("/api/vwmp/auth/logout/", { method: "POST", headers: own });
    location.assign("/vwmp/");
  });
}

/** What a form's fields say; names and tokens may have been pasted with blanks around them. */
function credentials({ user, password, token }) {
  return token ? { token: token.value.trim() } : { user: user.value.trim().toLowerCase(), password: password.value };
}

async function refusal(answer) {
  if (!answer) return "The server did not answer. Check that it runs, then try again.";
  const wait = answer.status === 429 ? Number(answer.headers.get("Retry-After")) : 0;
  if (wait > 0) return `Too many attempts failed. Try again in ${wait} ${wait === 1 ? "second" : "seconds"}.`;
  const problem = await answer.json().catch(() => null);
  const text = problem?.detail ?? `The server answered with status ${answer.status}. Try again.`;
  return `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

for (const form of document.querySelectorAll("[data-sign-in]")) {
  form.hidden = false;
  const fields = [...form.querySelectorAll("input")];
  const wrong = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  if (form.classList.contains("first")) fields[0].focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    wrong.hidden = true;
    const answer = await fetch("/api/vwmp/auth/login/", {
      method: "POST",
      headers: { ...own, "Content-Type": "application/json" },
      body: JSON.stringify(credentials(form.elements)),
    }).catch(() => null);
    if (answer?.ok) {
      location.assign(form.dataset.next || "/vwmp/");
      return;
    }
    wrong.textContent = await refusal(answer);
    wrong.hidden = false;
    button.removeAttribute("aria-disabled");
    for (const field of fields) field.setAttribute("aria-invalid", "true");
    const last = fields.at(-1);
    last.focus();
    last.select();
  });
}
