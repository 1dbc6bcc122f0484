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
      location.assign(form.dataset.next || "/vwmp/");
      return;
    }
    const problem = await answer?.json().catch(() => null);
    wrong.textContent = problem?.detail ?? "The server did not answer. Try again.";
    wrong.hidden = false;
    form.elements.token.setAttribute("aria-invalid", "true");
    form.elements.token.focus();
  });
}
