/* Inside the preview links and forms lead nowhere: it shows one page of a draft. */
(() => {
  "use strict";
  document.addEventListener("click", (event) => { if (event.target.closest("a, button:not([data-theme-toggle])")) event.preventDefault(); }, true);
  document.addEventListener("submit", (event) => event.preventDefault(), true);
})();
