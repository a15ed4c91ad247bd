// The demo shop: logs a customer in with a token, as a shop's own server would.
(() => {
  "use strict";
  const chosen = document.getElementById("customer");
  const REMEMBERED = "shop:customer";

  const login = async () => {
    const number = chosen.value;
    sessionStorage.setItem(REMEMBERED, number);
    if (!number) return window.Effen.identify(null);
    const response = await fetch(`/demo/shop/token?customer=${encodeURIComponent(number)}`);
    return response.ok ? window.Effen.identify((await response.json()).token) : undefined;
  };

  const start = () => {
    chosen.value = sessionStorage.getItem(REMEMBERED) ?? "";
    if (chosen.value) login();
    chosen.addEventListener("change", login);
    document.getElementById("ask").addEventListener("click", () => window.Effen.open());
  };
  if (window.Effen) start();
  else document.addEventListener("effen:ready", start, { once: true });
})();
