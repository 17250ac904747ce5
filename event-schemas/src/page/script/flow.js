// Draws how events go from publishers through streams to consumers.

const BOX = { width: 186, height: 36, gap: 12, between: 44, top: 34 };
// With more, a picture of the whole shows no single events.
const MOST_EVENTS = 60;

// The flow of some events; `null` if there is nothing to draw.
function flow(ids, label) {
  const graph = graphOf(ids, ids.length <= MOST_EVENTS);
  if (!graph.columns.some((column) => column.nodes.length)) return null;
  settleOrder(graph);
  const picture = draw(graph, label);
  const frame = h('div', { class: 'flow', tabindex: '0', role: 'group', 'aria-label': label }, picture);
  const hint = h('p', { class: 'hint sideways', hidden: true }, 'The picture is wider than the screen: scroll it sideways.');
  // Told only where something is cut off, and until the end was seen.
  const tell = () => {
    const rest = frame.scrollWidth - frame.clientWidth - frame.scrollLeft;
    frame.classList.toggle('cut', rest > 8);
    hint.hidden = frame.scrollWidth - frame.clientWidth <= 8;
  };
  frame.addEventListener('scroll', tell, { passive: true });
  new ResizeObserver(tell).observe(frame);
  return h('div', {}, hint, frame);
}

function graphOf(ids, withEvents) {
  const nodes = new Map();
  const edges = new Map();
  const node = (kind, key, text, sub, href) => {
    const id = `${kind}:${key}`;
    if (!nodes.has(id)) nodes.set(id, { id, kind, text, sub, href, routes: new Set() });
    return nodes.get(id);
  };
  const edge = (from, to, event) => {
    const key = `${from.id}→${to.id}`;
    if (!edges.has(key)) edges.set(key, { from, to, events: new Set() });
    edges.get(key).events.add(event);
  };
  for (const id of ids) {
    const event = events.get(id);
    const way = { publishers: [], consumers: [] };
    for (const service of publishersOf(id)) way.publishers.push(node('service', service.name, service.name, null, to.service(service.name)));
    const one = withEvents ? node('event', id, event.type, event.subject, to.event(id, newest(event).version)) : null;
    const stream = event.stream
      ? node('stream', event.stream, event.stream, null, to.stream(event.stream))
      : node('none', withEvents ? id : domainOf(event), 'no stream', `${withEvents ? event.type : domainOf(event)}: not stored`, null);
    for (const consumer of consumersOf(id)) {
      way.consumers.push(node('consumer', consumer.key, consumer.label, consumer.service, to.service(consumer.service)));
    }
    const inner = one ?? stream;
    way.publishers.forEach((publisher) => edge(publisher, inner, id));
    if (one) edge(one, stream, id);
    way.consumers.forEach((consumer) => edge(stream, consumer, id));
    [...way.publishers, one, stream, ...way.consumers].filter(Boolean).forEach((it) => it.routes.add(id));
  }
  const of = (...kinds) => [...nodes.values()].filter((it) => kinds.includes(it.kind));
  const columns = [
    { title: 'Publishers', nodes: of('service') }, { title: 'Events', nodes: of('event') },
    { title: 'Streams', nodes: of('stream', 'none') }, { title: 'Consumers', nodes: of('consumer') },
  ].filter((column) => column.title !== 'Events' || withEvents);
  return { columns, edges: [...edges.values()] };
}

// Each node goes to the middle of those it is connected with, a few times from left to right and
// back, which leaves few crossings.
function settleOrder({ columns, edges }) {
  const place = new Map();
  const number = (column) => column.nodes.forEach((node, index) => place.set(node, index / column.nodes.length));
  columns.forEach(number);
  const middle = (node, side) => {
    const others = edges.filter((edge) => edge[side] === node).map((edge) => place.get(edge[side === 'to' ? 'from' : 'to']));
    return others.length ? others.reduce((sum, it) => sum + it, 0) / others.length : place.get(node);
  };
  for (let round = 0; round < 6; round += 1) {
    const forward = round % 2 === 0;
    for (const column of forward ? columns.slice(1) : columns.slice(0, -1).reverse()) {
      const wanted = new Map(column.nodes.map((node) => [node, middle(node, forward ? 'to' : 'from')]));
      column.nodes.sort((one, other) => wanted.get(one) - wanted.get(other) || (one.id < other.id ? -1 : 1));
      number(column);
    }
  }
}

function draw({ columns, edges }, label) {
  const most = Math.max(...columns.map((column) => column.nodes.length));
  const step = BOX.height + BOX.gap;
  const height = BOX.top + most * step;
  const width = columns.length * BOX.width + (columns.length - 1) * BOX.between;
  const picture = s('svg', { width, height, viewBox: `-1 -1 ${width + 2} ${height + 2}`, 'aria-label': label, role: 'group' });
  picture.style.maxWidth = `${width * 1.1}px`;
  columns.forEach((column, index) => {
    const x = index * (BOX.width + BOX.between);
    const spread = (height - BOX.top) / Math.max(column.nodes.length, 1);
    column.nodes.forEach((node, row) => {
      const even = Math.min(spread, step * 4);
      const start = BOX.top + (height - BOX.top - even * column.nodes.length) / 2;
      Object.assign(node, { x, y: start + row * even + (even - BOX.height) / 2, column: index, row });
    });
    picture.append(s('text', { class: 'head', x: x + 2, y: 14 }, column.title));
  });
  for (const edge of edges) {
    const [x1, y1] = [edge.from.x + BOX.width, edge.from.y + BOX.height / 2];
    const [x2, y2] = [edge.to.x, edge.to.y + BOX.height / 2];
    const bend = (x2 - x1) / 2;
    edge.path = s('path', { d: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` });
    picture.append(edge.path);
  }
  const all = columns.flatMap((column) => column.nodes);
  for (const node of all) {
    node.link = box(node);
    picture.append(node.link);
    const light = () => highlight(picture, all, edges, node);
    for (const name of ['mouseenter', 'focusin']) node.link.addEventListener(name, light);
    for (const name of ['mouseleave', 'focusout']) node.link.addEventListener(name, () => highlight(picture, all, edges, null));
    node.link.addEventListener('keydown', (press) => move(press, node, columns));
  }
  return picture;
}

function box(node) {
  const whole = node.sub && node.sub !== node.text ? [node.text, node.sub] : [node.text];
  const words = whole.map((text, line) => shorten(text, line ? 29 : 25));
  const x = node.x + 12;
  const lines = words.length === 2
    ? [s('text', { x, y: node.y + 15.5 }, words[0]), ' ', s('text', { class: 'sub', x, y: node.y + 29 }, words[1])]
    : [s('text', { x, y: node.y + 22.5 }, words[0])];
  const shape = s('rect', { class: 'box', x: node.x, y: node.y + 0.5, width: BOX.width, height: BOX.height - 1 });
  const title = s('title', {}, whole.join(' · '));
  const attributes = { class: `node ${node.kind}`, 'data-node': node.id };
  return node.href
    ? s('a', { ...attributes, href: node.href, 'aria-label': `${node.kind} ${words.join(' ')}` }, title, shape, lines)
    : s('g', attributes, title, shape, lines);
}

const shorten = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// Lights what the events of a node go through.
function highlight(picture, nodes, edges, chosen) {
  picture.classList.toggle('lit', chosen !== null);
  const common = (ids) => chosen !== null && [...ids].some((id) => chosen.routes.has(id));
  nodes.forEach((node) => node.link.classList.toggle('on', node === chosen || common(node.routes) && related(node, chosen)));
  edges.forEach((edge) => edge.path.classList.toggle('on', common(edge.events) && related(edge.from, chosen) && related(edge.to, chosen)));
}

// Of the column of the chosen node, only that node is meant.
function related(node, chosen) {
  return node === chosen || node.column !== chosen.column;
}

function move(press, node, columns) {
  const steps = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  const step = steps[press.key];
  if (!step) return;
  press.preventDefault();
  const focusable = (column) => column?.nodes.filter((it) => it.href) ?? [];
  let column = node.column + step[0];
  while (columns[column] && !focusable(columns[column]).length) column += step[0];
  const others = focusable(columns[column]);
  if (!others.length) return;
  const next = step[0] === 0
    ? others[others.indexOf(node) + step[1]]
    : others.reduce((best, it) => (Math.abs(it.y - node.y) < Math.abs(best.y - node.y) ? it : best));
  next?.link.focus();
}
