// The catalogue, and the places in it.

const catalogue = JSON.parse(document.getElementById('catalogue').textContent);

const events = new Map(catalogue.events.map((event) => [event.id, event]));
const services = new Map(catalogue.services.map((service) => [service.name, service]));
const streams = new Map(catalogue.streams.map((stream) => [stream.name, stream]));

// Each consumer with its service, and a name for people.
const consumers = catalogue.services.flatMap((service) =>
  service.consumers.map((consumer, index) => ({
    ...consumer,
    service: service.name,
    key: `${service.name}/${index}`,
    label: consumer.durable ?? `ephemeral: ${taken(consumer)}`,
  })));

// What a consumer takes, in a few words.
function taken({ wildcard, events: ids }) {
  if (wildcard) return wildcard;
  return ids.length === 1 ? events.get(ids[0]).type : `${ids.length} events`;
}

const publishersOf = (id) => catalogue.services.filter((service) => service.publishes.includes(id));
const consumersOf = (id) => consumers.filter((consumer) => consumer.events.includes(id));
const newest = (event) => event.versions[0];

const to = {
  event: (id, version, field) =>
    `#/event/${part(id)}${version ? `@${version}` : ''}${field ? `?field=${encodeURIComponent(field)}` : ''}`,
  service: (name) => `#/service/${part(name)}`,
  stream: (name) => `#/stream/${part(name)}`,
};

// `@` and `:` are fit for an address and easier to read as they are.
function part(text) {
  return encodeURIComponent(text).replace(/%40/g, '@').replace(/%3A/g, ':');
}

// What an address asks for.
function route(hash) {
  const [path, query] = hash.replace(/^#\/?/, '').split('?');
  const slash = path.indexOf('/');
  const kind = slash < 0 ? path : path.slice(0, slash);
  let name = '';
  try {
    name = slash < 0 ? '' : decodeURIComponent(path.slice(slash + 1));
  } catch {
    return { kind: 'unknown', name: path };
  }
  const field = new URLSearchParams(query ?? '').get('field') ?? undefined;
  if (kind !== 'event') return { kind, name, field };
  const versioned = /^(.+)@(\d+\.\d+)$/.exec(name);
  return versioned ? { kind, name: versioned[1], version: versioned[2], field } : { kind, name, field };
}

const domainOf = (event) => (event.absolute ? 'without prefix' : event.subject.split('.')[0]);

// The events by domain, those of one word for themselves.
function byDomain() {
  const domains = new Map();
  for (const event of catalogue.events) {
    const domain = domainOf(event);
    if (!domains.has(domain)) domains.set(domain, []);
    domains.get(domain).push(event);
  }
  return domains;
}
