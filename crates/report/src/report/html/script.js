// Nothing here is needed to read the page: it opens what a link points to, filters, copies, and switches the theme.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const store = {
    get: () => { try { return localStorage.getItem("batchproof-theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("batchproof-theme", value); } catch { /* private window */ } },
  };
  for (const element of all("[data-js]")) element.hidden = false;

  // Theme
  const root = document.documentElement;
  const saved = store.get();
  if (saved === "light" || saved === "dark") root.dataset.theme = saved;
  const toggle = document.getElementById("theme");
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const name = () => { toggle.textContent = dark() ? "Light" : "Dark"; };
  toggle.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    store.set(root.dataset.theme);
    name();
  });
  name();

  // Deep links open what they point to.
  const reveal = () => {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const element = id && document.getElementById(id);
    if (!element) return;
    for (let at = element; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
      if (at.hidden) at.hidden = false;
    }
    element.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    // A second click on the same link changes no hash.
    if (link && link.getAttribute("href") === location.hash) reveal();
  });
  reveal();

  // Filters
  const text = document.getElementById("filter-text");
  if (text) {
    const level = document.getElementById("filter-level");
    const family = document.getElementById("filter-family");
    const shown = document.getElementById("filter-shown");
    const cards = all("details[data-level]").map((card) => ({
      card,
      words: card.querySelector("summary").textContent.toLowerCase() + " " + card.dataset.find.toLowerCase(),
    }));
    const filter = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const { card, words: mine } of cards) {
        const fits = (!level.value || card.dataset.level === level.value)
          && (!family.value || card.dataset.family === family.value)
          && words.every((word) => mine.includes(word));
        card.hidden = !fits;
        count += fits ? 1 : 0;
      }
      shown.textContent = count === cards.length ? "" : `${count} of ${cards.length} shown`;
    };
    for (const input of [text, level, family]) input.addEventListener("input", filter);
    const open = document.getElementById("open-all");
    open.addEventListener("click", () => {
      const visible = cards.filter(({ card }) => !card.hidden);
      const any = visible.some(({ card }) => !card.open);
      for (const { card } of visible) card.open = any;
      open.textContent = any ? "Close all" : "Open all";
    });
    addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
        event.preventDefault();
        text.focus();
      }
    });
  }

  // Copying, without the permission that a page opened from a file has not got.
  for (const button of all("button.copy")) {
    button.addEventListener("click", async () => {
      const source = button.parentElement.querySelector("pre");
      let done = false;
      try {
        await navigator.clipboard.writeText(source.textContent);
        done = true;
      } catch {
        const range = document.createRange();
        range.selectNodeContents(source);
        const selection = getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        done = document.execCommand("copy");
      }
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
})();
