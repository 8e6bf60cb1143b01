// What keeps the site usable without a connection. FILES (path: what its bytes are) and VERSION stand above it, which the
// build writes. Large files are kept under names of their own, by page/keeping.js as they are used.

const SCOPE = new URL("./", self.location).href;
const PAGE = `diml-page ${SCOPE} `; // and the version
const LARGE = `diml-large ${SCOPE}`;
const addressOf = (path) => new URL(path, SCOPE).href;

self.addEventListener("install", (event) => {
  event.waitUntil(keepPage());
});

async function keepPage() {
  const cache = await caches.open(PAGE + VERSION);
  // Past the browser's own cache, which may hold the release before; all of one release, or none of it.
  await cache.addAll(FILES.map((path) => new Request(addressOf(path), { cache: "no-cache" })));
}

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers().then(() => self.clients.claim()));
});

async function forgetOthers() {
  const old = (await caches.keys()).filter((name) => name.startsWith(PAGE) && name !== PAGE + VERSION);
  await Promise.all(old.map((name) => caches.delete(name)));
  const large = await caches.open(LARGE);
  const needed = new Set(LARGE_FILES.map(addressOf));
  const left = (await large.keys()).filter(({ url }) => !needed.has(url));
  await Promise.all(left.map((request) => large.delete(request)));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.url.startsWith(SCOPE)) event.respondWith(answer(request));
});

async function answer(request) {
  const url = new URL(request.url);
  url.search = url.hash = ""; // of a link to a view
  if (url.href === SCOPE) url.pathname += "index.html";
  const kept = await (await caches.open(PAGE + VERSION)).match(url.href);
  const response = kept ?? (await caches.open(LARGE).then((cache) => cache.match(url.href))) ?? (await fetch(request));
  return isolated(response);
}

// With these headers a browser gives WebAssembly more than one thread. A static host does not send them.
function isolated(response) {
  if (response.type === "opaque" || response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
