// Makes elements. Text becomes text nodes and nothing becomes markup, whatever it says.

const SVG = 'http://www.w3.org/2000/svg';

function make(namespace, tag, attributes, children) {
  const element = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((it) => it !== null && it !== undefined && it !== false));
  return element;
}

const h = (tag, attributes, ...children) => make(null, tag, attributes, children);
const s = (tag, attributes, ...children) => make(SVG, tag, attributes, children);

function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

// Milliseconds as people say them.
function duration(ms) {
  const units = [['day', 86400000], ['hour', 3600000], ['minute', 60000], ['second', 1000], ['millisecond', 1]];
  const [name, length] = units.find(([, length]) => ms >= length && ms % length === 0) ?? units[4];
  return plural(ms / length, name);
}

// What descriptions have of Markdown: paragraphs, lists, code, emphasis and links to the web.
function markdown(text) {
  const blocks = text.trim().split(/\n\s*\n/).filter(Boolean);
  return blocks.map((block) => {
    const lines = block.split('\n');
    if (lines.every((line) => /^\s*[-*] /.test(line))) {
      return h('ul', {}, lines.map((line) => h('li', {}, inline(line.replace(/^\s*[-*] /, '')))));
    }
    return h('p', {}, inline(lines.join(' ')));
  });
}

function inline(text) {
  const parts = [];
  const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\((https?:\/\/[^)\s]+)\)/g;
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    const [, code, strong, emphasis, label, address] = match;
    if (code !== undefined) parts.push(h('code', {}, code));
    else if (strong !== undefined) parts.push(h('strong', {}, strong));
    else if (emphasis !== undefined) parts.push(h('em', {}, emphasis));
    else parts.push(h('a', { href: address, rel: 'noreferrer' }, label));
  }
  parts.push(text.slice(from));
  return parts;
}

// Reads a text for those who do not see the page.
function say(text) {
  document.getElementById('said').textContent = text;
}

// Saves a document as a file. It is made here: nothing is loaded.
function save(name, value) {
  const address = URL.createObjectURL(new Blob([`${JSON.stringify(value, null, 2)}\n`], { type: 'application/json' }));
  h('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  say(`Saved ${name}`);
}

const saveButton = (text, name, value) => h('button', { type: 'button', class: 'save', onclick: () => save(name, value()) }, text);

// JSON with its colours, and a button that copies it; with a name, one that saves it too.
function json(value, name) {
  const text = JSON.stringify(value, null, 2);
  const pre = h('pre', { tabindex: '0', role: 'region', 'aria-label': 'JSON' });
  const pattern = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d[\d.eE+-]*)|(true|false|null)/g;
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    pre.append(text.slice(from, match.index));
    from = match.index + match[0].length;
    const [whole, string, colon, number] = match;
    if (colon !== undefined) pre.append(h('span', { class: 'json-key' }, string), colon);
    else if (string !== undefined) pre.append(h('span', { class: 'json-text' }, string));
    else pre.append(h('span', { class: number === undefined ? 'json-literal' : 'json-number' }, whole));
  }
  pre.append(text.slice(from));
  const copy = h('button', { type: 'button', class: 'copy', onclick: () => copyText(text) }, 'Copy');
  return h('div', { class: 'code' }, pre, h('div', { class: 'beside' }, name ? saveButton('Download', name, () => value) : null, copy));
}

// A page in a file may not have the clipboard; a selection always works.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h('textarea', { class: 'unseen' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say('Copied');
}
