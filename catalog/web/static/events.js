// Server-sent events: decisions of other windows and commands, and the progress of a scan. If the stream fails the page
// asks for the status every five seconds.
import {ask, one, state} from "./page.js";
const POLL = 5000;
// start gives the number of the latest decision that the page shows, null if it shows none.
export function listen(onChange, start = () => null) {
  let seen = null, timer = null;
  const take = (value) => {
    showScan(value.scan);
    const before = seen ?? start();
    if (before !== null && value.seen !== before) onChange(value);
    seen = value.seen;
  };
  const stream = new EventSource("/api/events");
  stream.onmessage = (event) => take(JSON.parse(event.data));
  stream.onopen = () => { clearInterval(timer); timer = null; };
  stream.onerror = () => {
    if (timer || state.ended) return;
    timer = setInterval(async () => {
      if (state.ended) { clearInterval(timer); return; }
      try { const status = await ask("/api/status"); take({seen: status.seen, status, scan: status.scan}); } catch { /* shown by the next answer */ }
    }, POLL);
  };
  addEventListener("pagehide", () => { stream.close(); clearInterval(timer); });
}
function showScan(scan) {
  const line = one("#scan");
  if (!line) return;
  line.hidden = !scan;
  if (scan) one("#scan-count").textContent = `${scan.photos.toLocaleString("en")} photos`;
}
