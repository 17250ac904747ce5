// Starts the page: shows what the address asks for, and goes along when it changes.

const main = document.getElementById('main');
const places = new Map();
let current = null;
let followed = false;

function show() {
  const asked = location.hash;
  const where = route(asked);
  const views = { '': overview, flow: wholeFlow, event: eventView, service: serviceView, stream: streamView };
  const view = views[where.kind] ? views[where.kind](where) : missing('page', where.kind);
  main.replaceChildren(...view.content.flat(Infinity).filter(Boolean));
  document.title = view.title === catalogue.title ? catalogue.title : `${view.title} – ${catalogue.title}`;
  markPlace(where);
  const first = current === null;
  current = asked;
  const sought = main.querySelector('.sought');
  for (let at = sought; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
  if (sought) sought.scrollIntoView({ block: 'center' });
  else window.scrollTo(0, followed || first ? 0 : places.get(asked) ?? 0);
  if (!first) main.querySelector('h1')?.focus({ preventScroll: true });
  followed = false;
}

// Marks in the list of all what is looked at.
function markPlace({ kind, name }) {
  const own = { event: () => to.event(name), service: () => to.service(name), stream: () => to.stream(name) }[kind]?.();
  for (const link of document.querySelectorAll('#nav a')) {
    const same = link.getAttribute('data-place') === (own ?? (kind === '' ? '#/' : `#/${kind}`));
    if (same) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (narrow.matches) document.getElementById('browse').open = false;
}

function fillNavigation() {
  const link = (place, text, href = place) => h('a', { href, 'data-place': place }, text);
  const short = (event) => (event.absolute ? event.subject : event.subject.split('.').slice(1).join('.') || event.subject);
  document.getElementById('nav').append(...[
    h('h2', {}, 'Catalogue'), link('#/', 'Overview'), link('#/flow', 'Flow'),
    catalogue.services.length ? [h('h2', {}, 'Services'), catalogue.services.map((it) => link(to.service(it.name), it.name))] : [],
    h('h2', {}, 'Events'),
    [...byDomain()].map(([domain, some]) => [
      h('span', { class: 'domain' }, domain),
      some.map((event) => link(to.event(event.id), short(event), to.event(event.id, newest(event).version))),
    ]),
    catalogue.streams.length ? [h('h2', {}, 'Streams'), catalogue.streams.map((it) => link(to.stream(it.name), it.name))] : [],
  ].flat(Infinity));
}

// Light or dark: as the system has it, until it is chosen here.
function startTheme() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const button = document.getElementById('theme');
  const stored = () => {
    try {
      return localStorage.getItem('theme');
    } catch {
      return null;
    }
  };
  let chosen = stored();
  const apply = () => {
    const theme = chosen ?? (dark.matches ? 'dark' : 'light');
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === 'dark' ? 'Light' : 'Dark';
    button.setAttribute('aria-label', theme === 'dark' ? 'Use light colours' : 'Use dark colours');
  };
  button.addEventListener('click', () => {
    chosen = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem('theme', chosen);
    } catch {
      // A page in a file may not be allowed to remember it.
    }
    apply();
  });
  dark.addEventListener('change', apply);
  apply();
}

// The list of all is open beside the content, and closed above it.
const narrow = matchMedia('(max-width: 60rem)');
const fold = () => {
  document.getElementById('browse').open = !narrow.matches;
};

// The skip link leads to an element, and not to something to be shown.
document.querySelector('.skip').addEventListener('click', (press) => {
  press.preventDefault();
  main.focus();
});

startTheme();
fillNavigation();
startSearch();
fold();
narrow.addEventListener('change', fold);
history.scrollRestoration = 'manual';
document.addEventListener('click', (press) => {
  if (press.target instanceof Element && press.target.closest('a')) followed = true;
});
window.addEventListener('scroll', () => current !== null && location.hash === current && places.set(current, window.scrollY), { passive: true });
// Nothing is folded on paper.
let folded = [];
window.addEventListener('beforeprint', () => {
  folded = [...main.querySelectorAll('.fields details:not([open])')];
  folded.forEach((it) => { it.open = true; });
});
window.addEventListener('afterprint', () => folded.splice(0).forEach((it) => { it.open = false; }));
window.addEventListener('hashchange', show);
show();
