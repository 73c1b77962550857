/* Small conveniences; every page works without them. */
(() => {
  "use strict";
  const root = document.documentElement;

  document.addEventListener("click", (event) => {
    const theme = event.target.closest("[data-theme-toggle]");
    if (theme) {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      document.cookie = `bss_theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax${location.protocol === "https:" ? ";secure" : ""}`;
    }
    const copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => {
        const before = copy.getAttribute("aria-label") || "";
        copy.setAttribute("aria-label", copy.dataset.copied || "✓");
        copy.classList.add("tone-success");
        setTimeout(() => { copy.setAttribute("aria-label", before); copy.classList.remove("tone-success"); }, 1500);
      });
    }
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog) { event.preventDefault(); dialog.showModal(); }
    }
    if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
    const side = event.target.closest("[data-side-toggle]");
    if (side) document.querySelector(".side")?.classList.toggle("is-open");
    else if (!event.target.closest(".side")) document.querySelector(".side.is-open")?.classList.remove("is-open");
    const step = event.target.closest("[data-step]");
    if (step) {
      const input = step.parentElement.querySelector("input");
      const low = Number(input.min || 1), high = Number(input.max || 1e6);
      input.value = Math.min(high, Math.max(low, (Number(input.value) || low) + Number(step.dataset.step)));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
    if (event.key === "/" && !event.target.closest("input, textarea, select, [contenteditable]")) {
      const search = document.querySelector("[data-search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
  });

  /* A form is sent once; the button says that it is under way. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    const button = event.submitter || form.querySelector("button[type=submit], button:not([type])");
    if (button) { button.classList.add("is-busy"); button.setAttribute("aria-busy", "true"); }
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll(".is-busy").forEach((button) => { button.classList.remove("is-busy"); button.removeAttribute("aria-busy"); });
  }));

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (form) form.requestSubmit();
    const all = event.target.closest("[data-select-all]");
    if (all) all.closest("form").querySelectorAll("input[name=row]").forEach((box) => { box.checked = all.checked; });
    showFields(document);
    countSelected(document);
  });

  /* Rows that are chosen: how many, and the bulk bar. */
  const countSelected = (scope) => scope.querySelectorAll("[data-selected-count]").forEach((place) => {
    const chosen = place.closest("form").querySelectorAll("input[name=row]:checked");
    place.textContent = String(chosen.length);
    place.closest("form").querySelectorAll("tr").forEach((row) => row.classList.toggle("is-selected", !!row.querySelector("input[name=row]:checked")));
    place.closest("[data-bulk]").hidden = chosen.length === 0;
  });

  /* Fields that only apply to a certain answer of another field. */
  const showFields = (scope) => scope.querySelectorAll("[data-show-field].field").forEach((field) => {
    const form = field.closest("form");
    const name = field.dataset.showField;
    const inputs = [...form.elements].filter((item) => item.name && (item.name === name || item.name.endsWith("-" + name)));
    if (!inputs.length) return;
    const value = inputs[0].type === "checkbox" ? (inputs[0].checked ? "true" : "") : inputs[0].type === "radio" ? (inputs.find((item) => item.checked)?.value ?? "") : inputs[0].value;
    field.hidden = !field.dataset.showValue.split("|").includes(value);
  });

  /* A table row as a link for the mouse; the keyboard has the link inside it. */
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-href]");
    if (row && !event.target.closest("a, button, input, label, select") && !getSelection().toString()) location.assign(row.dataset.href);
  });
  document.addEventListener("keydown", (event) => {
    const row = event.target.closest && event.target.closest("tr[data-href]");
    if (!row || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    const next = event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
    const link = next && next.querySelector("a");
    if (link) { event.preventDefault(); link.focus(); }
  });

  const ready = (scope) => { showFields(scope); countSelected(scope); };
  document.addEventListener("DOMContentLoaded", () => { ready(document); document.querySelector("[data-focus]")?.focus(); document.querySelector("form[data-submit-now]")?.requestSubmit(); });
  document.addEventListener("htmx:afterSettle", () => ready(document));
})();
