/* Starts Swagger UI on the page of the API: our own document, our own host, nothing from elsewhere. */
(() => {
  "use strict";
  const place = document.getElementById("calls");
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => root.classList.toggle("dark-mode", root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  new MutationObserver(paint).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  dark.addEventListener("change", paint);
  paint();
  window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    requestSnippetsEnabled: true,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
})();
