"use strict";
// The token is in the fragment. It is removed from the history before it is used.
(async () => {
  const token = location.hash.slice(1);
  history.replaceState(null, "", "/enter");
  const message = document.getElementById("message");
  try {
    const response = await fetch("/session", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({token}),
    });
    if (response.ok) { location.replace("/"); return; }
    message.textContent = (await response.json()).message;
  } catch {
    message.textContent = "The review has ended. Run catalog review again.";
  }
})();
