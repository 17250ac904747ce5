// Searches subjects, fields, services and streams while one types.

const index = buildIndex();

function buildIndex() {
  const entries = [];
  const add = (what, name, where, href, also = '', weight = 0) =>
    entries.push({ what, name, where, href, weight, low: name.toLowerCase(), also: `${where} ${also}`.toLowerCase() });
  for (const event of catalogue.events) {
    const version = newest(event);
    add('event', event.subject, version.description.split('\n')[0] || event.type, to.event(event.id, version.version), `${event.type} ${version.name}`, 3);
    for (const [path, field] of flatten(version.schema)) {
      add('field', path, `${event.subject} · ${field.type}`, to.event(event.id, version.version, path), field.doc);
    }
  }
  for (const service of catalogue.services) {
    add('service', service.name, service.description.split('\n')[0] || 'service', to.service(service.name), '', 4);
    for (const consumer of service.consumers.filter((it) => it.durable)) {
      add('consumer', consumer.durable, `${service.name} · ${consumer.description.split('\n')[0]}`, to.service(service.name), '', 1);
    }
  }
  for (const stream of catalogue.streams) add('stream', stream.name, stream.subjects.join(', '), to.stream(stream.name), '', 2);
  return entries;
}

// The best first: all words must be there, in the name rather than beside it, at the start of a
// word rather than within one.
function find(query, most = 30) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = [];
  for (const entry of index) {
    let score = entry.weight;
    for (const word of words) {
      const at = entry.low.indexOf(word);
      if (at === 0) score += 40;
      else if (at > 0) score += /[^\p{L}\p{N}]/u.test(entry.low[at - 1]) ? 30 : 15;
      else if (entry.also.includes(word)) score += 5;
      else score = -Infinity;
    }
    if (score > -Infinity) found.push({ entry, score: score - entry.low.length / 50 });
  }
  found.sort((one, other) => other.score - one.score || (one.entry.low < other.entry.low ? -1 : 1));
  return found.slice(0, most).map(({ entry }) => entry);
}

function startSearch() {
  const input = document.getElementById('query');
  const list = document.getElementById('results');
  let shown = [];
  let chosen = 0;

  const choose = (at) => {
    chosen = at;
    [...list.children].forEach((item, index) => item.setAttribute('aria-selected', String(index === at)));
    list.children[at]?.scrollIntoView({ block: 'nearest' });
    if (shown.length) input.setAttribute('aria-activedescendant', `result-${at}`);
    else input.removeAttribute('aria-activedescendant');
  };
  const close = () => {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const open = (entry) => {
    close();
    input.value = '';
    input.blur();
    if (location.hash === entry.href) show();
    else location.hash = entry.href;
  };
  const refresh = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) {
      close();
      return;
    }
    shown = find(input.value);
    const options = shown.map((entry, at) =>
      h('div', {
        class: 'result', role: 'option', id: `result-${at}`, 'aria-selected': 'false',
        onmousedown: (press) => press.preventDefault(), onclick: () => open(entry), onmousemove: () => chosen !== at && choose(at),
      },
      h('span', { class: `what is-${entry.what}` }, entry.what),
      h('span', { class: 'name' }, marked(entry.name, words)),
      h('span', { class: 'where' }, entry.where)));
    list.replaceChildren(...options);
    if (!options.length) list.append(h('div', { class: 'nothing', role: 'option', 'aria-disabled': 'true' }, `Nothing is called “${input.value.trim()}”.`));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    choose(0);
    say(shown.length ? plural(shown.length, 'result') : 'No results');
  };

  input.addEventListener('input', refresh);
  input.addEventListener('focus', refresh);
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (press) => {
    const last = shown.length - 1;
    if (press.key === 'Escape') {
      input.value = '';
      close();
    } else if (press.key === 'ArrowDown' && !list.hidden) choose(chosen >= last ? 0 : chosen + 1);
    else if (press.key === 'ArrowUp' && !list.hidden) choose(chosen <= 0 ? last : chosen - 1);
    else if (press.key === 'Enter' && !list.hidden && shown[chosen]) open(shown[chosen]);
    else return;
    press.preventDefault();
  });
  document.addEventListener('keydown', (press) => {
    const typing = press.target instanceof Element && press.target.closest('input, textarea, select');
    if (press.key === '/' && !typing && !press.ctrlKey && !press.metaKey && !press.altKey) {
      press.preventDefault();
      input.focus();
      input.select();
    }
  });
}

// The name with what was typed marked in it.
function marked(name, words) {
  const low = name.toLowerCase();
  // A few letters change their length with their case; then nothing is marked.
  if (low.length !== name.length) return [name];
  const spans = words.map((word) => [low.indexOf(word), word.length]).filter(([at]) => at >= 0).sort((one, other) => one[0] - other[0]);
  const parts = [];
  let from = 0;
  for (const [at, length] of spans) {
    if (at < from) continue;
    parts.push(name.slice(from, at), h('mark', {}, name.slice(at, at + length)));
    from = at + length;
  }
  parts.push(name.slice(from));
  return parts;
}
