// The pages are complete without this. It starts GOV.UK Frontend's components, and reads anew, every few seconds, each
// region that says where it comes from (data-refresh: seconds). Whoever types or selects in a region is left alone.
import { initAll } from "./govuk-frontend.min.js";

document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("govuk-frontend-supported");
initAll();

function left_alone(region) {
  return document.hidden || region.contains(document.activeElement) || !getSelection().isCollapsed;
}

async function refresh(region) {
  if (left_alone(region)) return;
  const answer = await fetch(location.pathname + location.search, { headers: { "X-Dolen-Part": region.id } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(region.id);
  if (fresh && fresh.innerHTML !== region.innerHTML && !left_alone(region)) region.replaceChildren(...fresh.childNodes);
}

for (const region of document.querySelectorAll("[data-refresh]")) {
  setInterval(() => refresh(region).catch(() => undefined), 1000 * Math.max(2, Number(region.dataset.refresh)));
}
