// Sets the theme before anything is painted. Loaded as a script of its own,
// since the policy of the pages allows none inside them.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try {
    chosen = localStorage.getItem("vwmp.theme");
  } catch {
    // Storage can be switched off; the system's theme is right then.
  }
  const theme = chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light";
  document.documentElement.dataset.theme = theme;
})();
