/* The editor of a storefront's look; without this file the button "Preview" does the same. */
(() => {
  "use strict";
  document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("form.editor");
    if (!form) return;
    form.classList.add("has-script");
    const list = form.querySelector(".editor-sections");
    const frame = form.querySelector("[data-look-preview]");
    const holder = form.querySelector(".editor-frame");
    list.classList.add("is-live");
    list.querySelectorAll("[data-move]").forEach((button) => { button.hidden = false; });

    /* A desktop page is shown smaller, as a whole, where there is less room than it needs. */
    const fit = () => {
      const phone = holder.dataset.device === "phone";
      const wide = phone ? 0 : 1280, room = holder.clientWidth;
      const share = wide && room < wide ? room / wide : 1;
      frame.style.width = share < 1 ? `${wide}px` : "";
      frame.style.height = share < 1 ? `${holder.clientHeight / share}px` : "";
      frame.style.transform = share < 1 ? `scale(${share})` : "";
    };
    new ResizeObserver(fit).observe(holder);
    fit();

    form.addEventListener("click", (event) => {
      const device = event.target.closest("[data-device]:is(button)");
      if (device) {
        holder.dataset.device = device.dataset.device;
        form.querySelectorAll("button[data-device]").forEach((item) => item.setAttribute("aria-pressed", String(item === device)));
        fit();
      }
      const move = event.target.closest("[data-move]");
      if (move) {
        event.preventDefault();
        const row = move.closest("[data-section]");
        const up = move.dataset.move === "-1", other = up ? row.previousElementSibling : row.nextElementSibling;
        if (other) list.insertBefore(up ? row : other, up ? other : row);
        [...list.children].forEach((item, place) => { item.querySelector(".editor-place input").value = place + 1; });
        move.focus();
        form.dispatchEvent(new Event("look-moved"));
      }
    });

    document.body.addEventListener("look-saved", () => {
      form.querySelectorAll("input[type=file]").forEach((input) => { input.value = ""; });
      form.querySelectorAll("input[type=checkbox][name$=_clear]").forEach((input) => { input.checked = false; });
      const place = frame.contentWindow.scrollY;
      frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, place), { once: true });
      frame.contentWindow.location.reload();
    });
  });
})();
