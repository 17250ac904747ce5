// Compares two versions of an event: fields, variants, values and rules.

// What a schema says of each place: fields by path, and variants with their names behind it.
function outline(root) {
  const found = new Map();
  const note = (at, given, required) => {
    const { schema } = withoutNull(resolve(given, root), root);
    found.set(at, {
      type: typeName(given, root), required, values: valuesOf(schema, root),
      rules: rules(schema).map(([text, value]) => [text, value].filter(Boolean).join(' ')).join(', '),
    });
  };
  const walk = (given, path, open) => {
    const schema = resolve(given, root);
    const list = schema.type === 'array' && schema.items ? '[]' : '';
    const inside = insideOf(given, root);
    if (inside.name && open.includes(inside.name)) return;
    const next = inside.name ? [...open, inside.name] : open;
    for (const field of inside.fields) {
      const at = path + (path ? `${list}.` : '') + field.name;
      note(at, field.schema, field.required);
      walk(field.schema, at, next);
    }
    for (const variant of inside.variants.filter((it) => hasParts(it, root))) {
      const at = `${path}${list} (${variantName(variant, root)})`.trim();
      found.set(at, { variant: true });
      walk(variant, at, next);
    }
  };
  if (valuesOf(root, root).length) note('', root, true);
  walk(root, '', []);
  return found;
}

function hasParts(variant, root) {
  const inside = insideOf(variant, root);
  return inside.fields.length > 0 || inside.variants.some((it) => hasParts(it, root));
}

// The values that an enumeration has, as JSON.
function valuesOf(schema, root) {
  const own = schema.enum ?? ('const' in schema ? [schema.const] : []);
  const options = (alternatives(schema) ?? []).map((option) => resolve(option, root));
  return [...own.map((value) => JSON.stringify(value)), ...options.flatMap((option) => ('const' in option || option.enum ? valuesOf(option, root) : []))];
}

// What became of the places of a schema. Of one that came or went with all that is in it, only
// itself is named.
function changes(older, newer) {
  const [before, after] = [outline(older), outline(newer)];
  const found = [];
  for (const [path, now] of after) {
    const was = before.get(path);
    if (was) found.push(...differences(was, now).map((text) => ({ sign: '~', path, text })));
    else if (!within(path, after, before)) found.push({ sign: '+', path, text: told(now) });
  }
  for (const [path, was] of before) {
    if (!after.has(path) && !within(path, before, after)) found.push({ sign: '−', path, text: told(was) });
  }
  return found;
}

const told = (place) => (place.variant ? 'a variant' : `${place.type}${place.required ? '' : ', optional'}`);

function differences(was, now) {
  if (was.variant || now.variant) return [];
  const found = [];
  if (was.type !== now.type) found.push(`${was.type} became ${now.type}`);
  if (was.required !== now.required) found.push(now.required ? 'is now required' : 'is now optional');
  const among = (some, others) => some.filter((value) => !others.includes(value));
  const [more, less] = [among(now.values, was.values), among(was.values, now.values)];
  // Another type has other values and rules.
  if (was.type === now.type) {
    if (more.length) found.push(`may now be ${more.join(', ')}`);
    if (less.length) found.push(`is no longer ${less.join(', ')}`);
    if (was.rules !== now.rules) found.push(`${was.rules || 'no rules'} became ${now.rules || 'no rules'}`);
  }
  return found;
}

// Whether the path is inside of a place that only `these` have.
function within(path, these, those) {
  const inside = (outer) => ['.', '[].', ' (', '[] ('].some((next) => path.startsWith(`${outer}${next}`));
  return [...these.keys()].some((outer) => outer && !those.has(outer) && inside(outer));
}

// What changed from one version to the next: as written, and what changed only as it is read.
function changesOf(older, newer) {
  const written = changes(older.schema, newer.schema);
  // What came or went for both sides is told once.
  const mark = ({ sign, path, text }) => `${sign}${path}${sign === '~' ? text : ''}`;
  const known = new Set(written.map(mark));
  const read = changes(older.reader ?? older.schema, newer.reader ?? newer.schema)
    .filter((change) => !known.has(mark(change)))
    .map((change) => ({ ...change, text: `${change.text} (as read)` }));
  return [...written, ...read];
}

// Whether two versions promise the same, descriptions aside.
function promisesSame(older, newer) {
  const bare = (schema) => JSON.stringify(schema, (key, value) => (['title', 'description', 'examples', '$comment'].includes(key) && typeof value !== 'object' ? undefined : value));
  return bare(older.schema) === bare(newer.schema) && bare(older.reader ?? older.schema) === bare(newer.reader ?? newer.schema);
}
