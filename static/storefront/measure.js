/* Google Analytics, loaded only on pages of visitors who agreed; the server leaves this file out for everybody else. */
(() => {
  "use strict";
  const id = document.currentScript?.dataset.measure || "";
  if (!/^G-[A-Z0-9]{4,16}$/.test(id)) return;
  window.dataLayer = window.dataLayer || [];
  function gtag() { window.dataLayer.push(arguments); }
  gtag("js", new Date());
  gtag("config", id, { anonymize_ip: true });
  const script = document.createElement("script");
  script.async = true;
  script.src = `https://www.googletagmanager.com/gtag/js?id=${id}`;
  document.head.append(script);
})();
