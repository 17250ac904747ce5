// Draws the fields of a schema as a nested list.

function fieldList(root, sought) {
  const inside = insideOf(root, root);
  const list = insides(inside, root, '', inside.name ? [inside.name] : [], sought);
  return h('div', { class: 'fields' }, list.length ? list : h('p', { class: 'field doc' }, `No fields: ${typeName(root, root)}`));
}

function insides({ fields, variants }, root, path, open, sought) {
  const parts = [];
  if (fields.length) {
    parts.push(h('ul', {}, fields.map((field) => fieldItem(field, root, path, open, sought))));
  }
  const drawn = variants.filter((variant) => insideOf(variant, root).fields.length);
  const single = variants.filter((variant) => !drawn.includes(variant));
  if (drawn.length) {
    variants.forEach((variant, index) => {
      const own = insideOf(variant, root);
      parts.push(
        h('div', { class: 'variant' },
          index === 0 ? 'Either ' : 'or ', h('code', {}, variantName(variant, root)),
          variant.description ? ` – ${firstSentence(variant.description)}` : ''),
        own.fields.length ? h('ul', {}, own.fields.map((field) => fieldItem(field, root, path, open, sought))) : null,
      );
    });
  } else if (single.length && single.some((variant) => 'const' in variant || variant.enum)) {
    parts.push(h('div', { class: 'variant' }, valueList(single, root)));
  }
  return parts.filter(Boolean);
}

// A variant by what tells it from the others.
function variantName(variant, root) {
  if ('const' in variant) return JSON.stringify(variant.const);
  if (variant.enum) return variant.enum.map((value) => JSON.stringify(value)).join(' or ');
  const tag = Object.entries(variant.properties ?? {}).find(([, schema]) => 'const' in resolve(schema, root));
  if (tag) return `${tag[0]}: ${JSON.stringify(resolve(tag[1], root).const)}`;
  const names = Object.keys(variant.properties ?? {});
  if (names.length && names.every((name) => variant.properties[name] === false)) return 'none of them';
  if (names.length === 1) return names[0];
  return variant.title ?? variant.$name ?? typeName(variant, root);
}

function valueList(variants, root) {
  return h('div', { class: 'values' }, variants.flatMap((variant) => {
    const values = 'const' in variant ? [variant.const] : variant.enum;
    if (!values) return [h('code', {}, typeName(variant, root))];
    return values.map((value) => h('code', { title: variant.description }, JSON.stringify(value)));
  }));
}

function fieldItem(field, root, path, open, sought) {
  const at = path ? `${path}.${field.name}` : field.name;
  const { schema } = withoutNull(resolve(field.schema, root), root);
  const inside = insideOf(field.schema, root);
  const again = inside.name !== undefined && open.includes(inside.name);
  const list = schema.type === 'array' && schema.items ? '[]' : '';
  const type = typeName(field.schema, root);
  const told = rules(schema);
  const personal = resolve(field.schema, root)['x-pii'] ?? schema['x-pii'];
  const values = schema.enum && schema.enum.length > 1
    ? h('div', { class: 'values' }, schema.enum.map((value) => h('code', {}, JSON.stringify(value)))) : null;
  const item = h('li', { class: `field${sought === at ? ' sought' : ''}`, 'data-path': at },
    h('div', { class: 'line' },
      h('span', { class: 'name' }, field.name),
      h('span', { class: 'type' }, type),
      h('span', { class: field.required ? 'required' : 'optional' }, field.required ? 'required' : 'optional'),
      personal ? h('span', { class: 'badge is-warn' }, 'personal data') : null),
    schema.description ? h('div', { class: 'doc' }, markdown(schema.description)) : null,
    told.length ? h('p', { class: 'rules' }, told.map(([text, value], index) => [index ? ', ' : '', text, text ? ' ' : '', h('code', {}, value)])) : null,
    values,
    again ? h('p', { class: 'rules' }, 'again a ', h('code', {}, inside.name), ', as above') : null);
  if (!again) {
    const own = insides(inside, root, at + list, inside.name ? [...open, inside.name] : open, sought);
    if (own.length) item.append(h('div', { class: 'inner' }, own));
  }
  return item;
}

function firstSentence(text) {
  return text.split('\n')[0];
}
