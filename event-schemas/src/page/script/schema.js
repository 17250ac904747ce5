// Reads a JSON Schema as a tree of fields, and compares two of them.

// What a reference leads to, with the keywords that stand beside it.
function resolve(schema, root) {
  const seen = new Set();
  let found = schema;
  while (found && typeof found === 'object' && found.$ref && !seen.has(found.$ref)) {
    seen.add(found.$ref);
    const { $ref, ...beside } = found;
    found = { ...lookUp($ref, root), ...beside, $name: nameOf($ref) };
  }
  return found === true || found === undefined ? {} : found === false ? { not: {} } : found;
}

function lookUp(reference, root) {
  if (reference === '#') return root;
  let at = root;
  for (const step of reference.replace(/^#\//, '').split('/')) {
    at = at?.[decodeURIComponent(step).replace(/~1/g, '/').replace(/~0/g, '~')];
  }
  return at === true || at === undefined ? {} : at;
}

function nameOf(reference) {
  return reference === '#' ? undefined : decodeURIComponent(reference.split('/').pop());
}

const alternatives = (schema) => schema.oneOf ?? schema.anyOf;
const isNull = (schema) => schema.type === 'null' || schema.const === null;
const types = (schema) => [schema.type ?? []].flat();

// Whether null is allowed, and the schema without it.
function withoutNull(schema, root) {
  const options = alternatives(schema)?.map((option) => resolve(option, root));
  if (options?.some(isNull)) {
    const rest = options.filter((option) => !isNull(option));
    const { oneOf, anyOf, ...beside } = schema;
    return { nullable: true, schema: rest.length === 1 ? { ...rest[0], ...beside } : { ...beside, oneOf: rest } };
  }
  if (Array.isArray(schema.type) && schema.type.includes('null')) {
    const rest = schema.type.filter((type) => type !== 'null');
    return { nullable: true, schema: { ...schema, type: rest.length === 1 ? rest[0] : rest } };
  }
  return { nullable: false, schema };
}

// The type in a few words: `list of OrderLine`, `integer or null`.
function typeName(given, root, depth = 0) {
  const { nullable, schema } = withoutNull(resolve(given, root), root);
  const name = plainType(schema, root, depth);
  return nullable ? `${name} or null` : name;
}

function plainType(schema, root, depth) {
  if (depth > 4) return schema.$name ?? 'any value';
  if ('const' in schema) return JSON.stringify(schema.const);
  const inside = (given) => typeName(given, root, depth + 1);
  if (schema.enum) return schema.$name ?? (schema.enum.length === 1 ? JSON.stringify(schema.enum[0]) : 'one of');
  const options = alternatives(schema);
  if (options && !schema.properties) {
    const told = (option) => option.properties || 'const' in option || option.enum;
    if (schema.$name && options.some((option) => told(resolve(option, root)))) return schema.$name;
    return [...new Set(options.map(inside))].join(' or ');
  }
  const type = types(schema)[0];
  if (type === 'array' || schema.items || schema.prefixItems) {
    if (schema.prefixItems) return `[${schema.prefixItems.map(inside).join(', ')}]`;
    return `${schema.uniqueItems ? 'set' : 'list'} of ${schema.items ? inside(schema.items) : 'any value'}`;
  }
  if (schema.properties) return schema.$name ?? 'object';
  if (type === 'object') {
    return isMap(schema) ? `map of ${inside(schema.additionalProperties)}` : schema.$name ?? 'object';
  }
  if (types(schema).length > 1) return types(schema).join(' or ');
  if (type === 'string') return { uuid: 'uuid', 'date-time': 'timestamp', date: 'date' }[schema.format] ?? 'text';
  return type ?? 'any value';
}

const isMap = (schema) => schema.additionalProperties && typeof schema.additionalProperties === 'object';

// The rules that the type does not show.
function rules(schema) {
  const found = [];
  const add = (text, value) => value !== undefined && found.push([text, JSON.stringify(value)]);
  if (!machineBounds(schema)) {
    add('at least', schema.minimum);
    add('at most', schema.maximum);
  } else if (schema.format) {
    found.push(['', schema.format]);
  }
  add('more than', schema.exclusiveMinimum);
  add('less than', schema.exclusiveMaximum);
  if (schema.minLength !== undefined && schema.minLength === schema.maxLength) add('length', schema.minLength);
  else {
    add('length from', schema.minLength);
    add('length up to', schema.maxLength);
  }
  if (!schema.prefixItems) {
    add('items from', schema.minItems);
    add('items up to', schema.maxItems);
  }
  add('pattern', schema.pattern);
  add('multiple of', schema.multipleOf);
  if (schema.type === 'string' && schema.format && !['uuid', 'date-time', 'date'].includes(schema.format)) add('format', schema.format);
  if (schema.default !== undefined) add('default', schema.default);
  return found;
}

// An integer whose bounds are those of the machine's own: its name says it shorter.
function machineBounds(schema) {
  const match = /^(u?)int(8|16|32|64)?$/.exec(schema.format ?? '');
  if (!match || types(schema)[0] !== 'integer') return false;
  const bits = Number(match[2] ?? 64);
  const most = match[1] ? 2 ** bits : 2 ** (bits - 1);
  const near = (one, other) => Math.abs(one - other) <= 1;
  return near(schema.maximum, most) && near(schema.minimum, match[1] ? 0 : -most);
}

// What is inside: fields with names, or variants that have fields of their own.
function insideOf(given, root) {
  const { schema } = withoutNull(resolve(given, root), root);
  if (schema.items && typeof schema.items === 'object') return insideOf(schema.items, root);
  if (isMap(schema) && !schema.properties) return insideOf(schema.additionalProperties, root);
  const required = new Set(schema.required ?? []);
  // A property whose schema is `false` is one that is not there.
  const named = Object.entries(schema.properties ?? {}).filter(([, field]) => field !== false);
  const fields = named.map(([name, field]) => ({ name, schema: field, required: required.has(name) }));
  for (const all of schema.allOf ?? []) fields.push(...insideOf(all, root).fields);
  // An option may be a choice itself, as a flattened option of an enumeration is.
  const options = (given) => (alternatives(given) ?? [])
    .map((option) => resolve(option, root))
    .flatMap((option) => (alternatives(option) && !option.properties ? options(option) : [option]));
  const variants = options(schema).filter((option) => !isNull(option));
  // What tells variants apart comes first, then what is always there.
  const rank = (field) => ('const' in resolve(field.schema, root) ? 0 : field.required ? 1 : 2);
  fields.sort((one, other) => rank(one) - rank(other));
  return { name: schema.$name, fields, variants };
}

// All fields by path, each with its type, for search.
function flatten(root) {
  const found = new Map();
  const walk = (given, path, open) => {
    const schema = resolve(given, root);
    const list = schema.type === 'array' && schema.items ? '[]' : '';
    const inside = insideOf(given, root);
    const mark = inside.name ?? '';
    if (mark && open.includes(mark)) return;
    const next = mark ? [...open, mark] : open;
    const note = (field) => {
      const at = path + (path ? `${list}.` : '') + field.name;
      const known = resolve(field.schema, root);
      if (!found.has(at)) {
        found.set(at, { type: typeName(field.schema, root), required: field.required, doc: known.description ?? '', values: known.enum });
      }
      walk(field.schema, at, next);
    };
    inside.fields.forEach(note);
    const choose = (variants, names) => {
      for (const variant of variants) {
        const own = insideOf(variant, root);
        if (own.name && names.includes(own.name)) continue;
        for (const field of own.fields) note({ ...field, required: false });
        choose(own.variants, own.name ? [...names, own.name] : names);
      }
    };
    choose(inside.variants, next);
  };
  walk(root, '', []);
  return found;
}
