// What is shown for an address: the overview, the flow, an event, a service or a stream.

const eventLink = (id, text) => {
  const event = events.get(id);
  return h('a', { class: 'mono', href: to.event(id, newest(event).version) }, text ?? event.subject);
};
const serviceLink = (name) => h('a', { href: to.service(name) }, name);
const streamLink = (name) => (streams.has(name) ? h('a', { class: 'mono', href: to.stream(name) }, name) : h('code', {}, name));
const badge = (text, kind) => h('span', { class: `badge${kind ? ` is-${kind}` : ''}` }, text);
const facts = (rows) => h('dl', { class: 'facts' }, rows.filter(Boolean).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
const listOf = (items) => (items.length === 1 ? items : h('ul', {}, items.map((item) => h('li', {}, item))));
const HINT = 'Point at a box, or reach it with Tab and the arrow keys, to see what goes through it. Enter opens it.';

function section(title, ...content) {
  const shown = content.flat().filter(Boolean);
  return shown.length ? [h('h2', {}, title), ...shown] : [];
}

function overview() {
  const { title, description, version, prefix } = catalogue;
  const ids = catalogue.events.filter((event) => !event.retired).map((event) => event.id);
  const picture = ids.length <= MOST_EVENTS ? flow(ids, 'From publishers through streams to consumers') : null;
  return {
    title,
    content: [
      h('h1', { tabindex: '-1' }, title),
      h('div', { class: 'lead' }, markdown(description)),
      h('div', { class: 'badges' },
        version ? badge(`version ${version}`) : null, badge(plural(ids.length, 'event'), 'event'),
        badge(plural(catalogue.services.length, 'service'), 'service'), badge(plural(catalogue.streams.length, 'stream'), 'stream'),
        badge(`prefix ${prefix}`)),
      section('Services', catalogue.services.length ? h('ul', { class: 'cards' }, catalogue.services.map((service) =>
        h('li', { class: 'card' },
          h('h3', {}, serviceLink(service.name)),
          markdown(service.description),
          service.owner ? h('p', { class: 'count' }, 'owned by ', inline(service.owner)) : null,
          h('p', { class: 'count' }, `publishes ${plural(service.publishes.length, 'event')}, has ${plural(service.consumers.length, 'consumer')}`)))) : null),
      section('Flow', picture, picture ? h('p', { class: 'hint' }, HINT) : h('p', {}, h('a', { href: '#/flow' }, 'From publishers through streams to consumers'))),
      section('Events', catalogue.events.length ? eventTable([...byDomain()], 'Events by domain') : null),
      section('Streams', catalogue.streams.length ? h('ul', { class: 'cards' }, catalogue.streams.map((stream) =>
        h('li', { class: 'card' },
          h('h3', {}, streamLink(stream.name)),
          h('p', {}, h('code', {}, stream.subjects.join(', '))),
          h('p', { class: 'count' }, `stores ${plural(stream.events.length, 'event')}, ${kept(stream)}`)))) : null),
      section('Documents', h('p', {}, saveButton('Download AsyncAPI 3.0', 'asyncapi.json', () => JSON.parse(document.getElementById('asyncapi').textContent)),
        ' of all events, for generators and other tools.')),
    ],
  };
}

// Events, in groups with a title, or in one without.
function eventTable(groups, caption) {
  const row = (event) => h('tr', {},
    h('td', { class: 'mono' }, eventLink(event.id), event.retired ? [' ', badge('retired', 'warn')] : null),
    h('td', {}, inline(firstSentence(newest(event).description))),
    h('td', { class: 'wide' }, newest(event).version));
  return h('table', { class: 'rows' },
    h('caption', { class: 'unseen' }, caption),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Subject'), h('th', { scope: 'col' }, 'What happened'), h('th', { scope: 'col', class: 'wide last' }, 'Version'))),
    groups.map(([title, some]) => h('tbody', {},
      title ? h('tr', {}, h('th', { scope: 'rowgroup', colspan: 3 }, title)) : null, some.map(row))));
}

function wholeFlow() {
  const ids = catalogue.events.filter((event) => !event.retired).map((event) => event.id);
  return {
    title: 'Flow',
    content: [
      h('h1', { tabindex: '-1' }, 'Flow'),
      h('p', {}, 'From publishers through streams to consumers.'),
      flow(ids, 'From publishers through streams to consumers') ?? h('p', {}, 'There is nothing to draw.'),
      h('p', { class: 'hint' }, HINT),
    ],
  };
}

const KEYS = {
  none: 'none', order: 'orders the events, and is not in the subject', subject: 'orders the events, and is the last token of the subject',
};

function eventView({ name, version, field }) {
  const event = events.get(name);
  const shown = version ? event?.versions.find((it) => it.version === version) : event && newest(event);
  if (!shown) return missing('event', version ? `${name} ${version}` : name);
  const isNewest = shown === newest(event);
  const [publishers, takers] = [publishersOf(name), consumersOf(name)];
  const picture = flow([name], `The way of ${event.subject}`);
  return {
    title: `${event.type} ${shown.version}`,
    content: [
      h('p', { class: 'crumb' }, h('a', { href: '#/' }, catalogue.title), ' / events'),
      h('h1', { tabindex: '-1' }, event.type),
      h('div', { class: 'badges' },
        badge(`version ${shown.version}`, 'event'), isNewest ? null : badge('not the newest', 'warn'), event.retired ? badge('retired: nobody publishes it any longer', 'warn') : null,
        shown.pii.length ? badge('personal data', 'warn') : null, event.absolute ? badge('takes no prefix') : null),
      h('div', { class: 'lead' }, markdown(shown.description)),
      event.versions.length > 1 ? h('div', { class: 'tabs', role: 'group', 'aria-label': 'Versions' }, event.versions.map((it) =>
        h('a', { href: to.event(name, it.version), 'aria-current': it === shown ? 'page' : null }, it.version))) : null,
      facts([
        ['Subject', h('code', {}, event.address)], ['Type', h('code', {}, shown.type)], ['Rust type', h('code', {}, shown.name)],
        ['Key', KEYS[shown.key]],
        ['Stream', event.stream ? streamLink(event.stream) : 'none of the catalogue'],
        shown.since ? ['Since', date(shown.since)] : null,
        ['Published by', publishers.length ? listOf(publishers.map((it) => serviceLink(it.name))) : 'no service of the catalogue'],
        publishers.some((it) => it.owner) ? ['Owned by', listOf(publishers.filter((it) => it.owner).map((it) => h('span', {}, inline(it.owner))))] : null,
        ['Consumed by', takers.length ? listOf(takers.map((it) => h('span', {}, serviceLink(it.service), ' · ', h('span', { class: 'mono' }, it.label)))) : 'no service of the catalogue'],
        shown.pii.length ? ['Personal data', listOf(shown.pii.map((path) => h('code', {}, path)))] : null,
      ]),
      section('Flow', picture),
      section('Data', fieldsOf(shown, field)),
      section(shown.examples.length === 1 ? 'Example' : 'Examples', examplesOf(shown)),
      section('Versions', historyOf(event)),
      section('Documents',
        h('details', { class: 'more' }, h('summary', {}, 'JSON Schema of the data as written'), json(shown.schema, `${name}-${shown.version}.schema.json`)),
        shown.reader ? h('details', { class: 'more' }, h('summary', {}, 'JSON Schema of the data as read'), json(shown.reader, `${name}-${shown.version}.reader.schema.json`)) : null),
    ],
  };
}

const date = (text) => h('time', { datetime: text }, text);

// The first is open; of more, each folds.
function examplesOf({ examples, madeUp }) {
  const note = madeUp ? h('p', { class: 'note' }, 'Made up from the schema: nobody gave an example.') : null;
  const [first, ...others] = examples;
  return first === undefined ? [] : [note, json(first), ...others.map((example, index) =>
    h('details', { class: 'more' }, h('summary', {}, `Example ${index + 2}`), json(example)))];
}

// What is written, and what is read where that is another thing.
function fieldsOf(shown, sought) {
  if (!shown.reader) return [fieldList(shown.schema, sought)];
  const place = h('div', {}, fieldList(shown.schema, sought));
  const buttons = [['As written', shown.schema], ['As read', shown.reader]].map(([text, schema], index) =>
    h('button', { type: 'button', 'aria-pressed': String(index === 0), onclick: (press) => {
      buttons.forEach((button) => button.setAttribute('aria-pressed', String(button === press.currentTarget)));
      place.replaceChildren(fieldList(schema, sought));
    } }, text));
  return [h('div', { class: 'tabs', role: 'group', 'aria-label': 'Side' }, buttons), place];
}

function historyOf(event) {
  return h('ol', { class: 'history' }, event.versions.map((it, index) => {
    const older = event.versions[index + 1];
    const found = older ? changesOf(older, it) : [];
    const kinds = { '+': 'added', '−': 'removed', '~': 'changed' };
    return h('li', {},
      h('h3', {}, h('a', { href: to.event(event.id, it.version) }, it.version), ' ', index === 0 ? badge('newest', 'event') : null, it.since ? [' ', h('span', { class: 'note' }, 'since ', date(it.since))] : null),
      older
        ? found.length
          ? h('ul', { class: 'changes' }, found.map(({ sign, path, text }) => h('li', {},
            h('span', { class: `sign ${kinds[sign]}` }, sign), h('span', { class: 'unseen' }, `${kinds[sign]}: `), path ? h('code', {}, path) : 'the data', ` ${text}`)))
          : h('p', { class: 'hint' }, promisesSame(older, it)
            ? `The same contract as ${older.version}.`
            : `Other schemas than ${older.version}, in what is not shown as a field: compare them below.`)
        : h('p', { class: 'hint' }, 'The first version that the catalogue knows.'));
  }));
}

function serviceView({ name }) {
  const service = services.get(name);
  if (!service) return missing('service', name);
  const own = consumers.filter((consumer) => consumer.service === name);
  const ids = [...new Set([...service.publishes, ...own.flatMap((consumer) => consumer.events)])];
  const picture = ids.length <= MOST_EVENTS ? flow(ids, `The events of ${name}`) : null;
  return {
    title: name,
    content: [
      h('p', { class: 'crumb' }, h('a', { href: '#/' }, catalogue.title), ' / services'),
      h('h1', { tabindex: '-1' }, name),
      h('div', { class: 'lead' }, markdown(service.description)),
      service.owner ? facts([['Owned by', h('span', {}, inline(service.owner))]]) : null,
      section('Publishes', service.publishes.length ? eventTable([['', service.publishes.map((id) => events.get(id))]], 'Published events') : null),
      section('Consumers', own.map((consumer) => h('div', { class: 'consumer' }, h('h3', {}, h('span', { class: 'mono' }, consumer.label)), markdown(consumer.description), consumerFacts(consumer)))),
      section('Flow', picture, picture ? h('p', { class: 'hint' }, HINT) : null),
    ],
  };
}

function consumerFacts(consumer) {
  const wait = consumer.backoffMs?.map(duration).join(', then ');
  return facts([
    consumer.durable ? ['Durable', h('code', {}, consumer.durable)] : ['Lives', 'as long as its subscription'],
    consumer.wildcard ? ['Takes all of', h('code', {}, consumer.wildcard)] : null,
    ['Events', consumer.events.length ? listOf(consumer.events.map((id) => eventLink(id))) : 'none of the catalogue'],
    consumer.stream ? ['Stream', streamLink(consumer.stream)] : null,
    consumer.maxDeliver ? ['Delivered', `at most ${plural(consumer.maxDeliver, 'time')}`] : null,
    consumer.ackWaitMs ? ['Waits for an ack', duration(consumer.ackWaitMs)] : null,
    wait ? ['Comes again after', wait] : null,
    consumer.deadLetter ? ['Given up events go to', streamLink(consumer.deadLetter)] : null,
  ]);
}

function kept(stream) {
  const limits = [
    stream.maxAgeMs && `for ${duration(stream.maxAgeMs)}`, stream.maxMessages && `up to ${plural(stream.maxMessages, 'message')}`,
    stream.maxBytes && `up to ${plural(stream.maxBytes, 'byte')}`,
  ].filter(Boolean);
  return limits.length ? limits.join(', ') : 'without limit';
}

const RETENTION = { limits: 'until a limit is reached', interest: 'until each consumer has acknowledged it', workqueue: 'until it was acknowledged once' };

function streamView({ name }) {
  const stream = streams.get(name);
  if (!stream) return missing('stream', name);
  const picture = stream.events.length <= MOST_EVENTS ? flow(stream.events, `What goes through ${name}`) : null;
  return {
    title: name,
    content: [
      h('p', { class: 'crumb' }, h('a', { href: '#/' }, catalogue.title), ' / streams'),
      h('h1', { tabindex: '-1', class: 'mono' }, name),
      facts([
        ['Subjects', listOf(stream.subjects.map((subject) => h('code', {}, subject)))],
        ['Keeps an event', RETENTION[stream.retention]], ['Limits', kept(stream)],
        ['When it is full', stream.discard === 'old' ? 'the oldest goes' : 'new ones are refused'],
        ['Copies', `${stream.replicas}, ${stream.storage === 'file' ? 'on disk' : 'in memory'}`],
        ['Knows duplicates for', stream.duplicateWindowMs ? duration(stream.duplicateWindowMs) : 'no time'],
      ]),
      section('Events', stream.events.length ? eventTable([['', stream.events.map((id) => events.get(id))]], 'Stored events') : null),
      section('Flow', picture, picture ? h('p', { class: 'hint' }, HINT) : null),
    ],
  };
}

function missing(what, name) {
  return {
    title: 'Not found',
    content: [
      h('h1', { tabindex: '-1' }, 'Not found'),
      h('p', {}, `The catalogue has no ${what} `, h('code', {}, name), '. '),
      h('p', {}, h('a', { href: '#/' }, 'See what there is')),
    ],
  };
}
